import { createTollhouseClient, type TollhouseClient } from '../client/createTollhouseClient.ts';
import { TollhouseError } from '../client/tollhouseError.ts';
import type { Field } from './api.ts';
import { WalletError } from './pay.ts';
import { REFUSALS } from './words.ts';

/** The gateway that has served this page; nobody is signed in. */
export const gateway: TollhouseClient = createTollhouseClient({ url: '/graphql' });

/**
 * What has gone wrong, in a payer’s words.
 * @param fields what was asked for, where an answer may be what is wrong
 */
export function sayFault(error: unknown, fields: readonly Field[] = []): string {
  if (error instanceof WalletError) return error.message;
  if (!(error instanceof TollhouseError)) return 'Something went wrong on this page. Load it again.';
  const said = REFUSALS[error.code] ?? error.message;
  if (error.code !== 'FIELD_INVALID') return said;
  const { key, expected } = error.facts as { key?: string; expected?: string };
  const label = fields.find((field) => field.key === key)?.label;
  return label === undefined ? said : `“${label}” is not what is asked for: ${expected ?? 'something else'}.`;
}
