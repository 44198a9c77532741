import { assertSame, type Pass, renew, takePass } from './access.ts';
import type { Operation } from './document.ts';
import { guardedMutations } from './generated/guardedMutations.ts';
import { withRetries } from './retry.ts';
import type { ClientContext } from './state.ts';
import { TollhouseError } from './tollhouseError.ts';
import { ask } from './transport.ts';

/** What is asked, and how. */
export interface Request {
  readonly operation: Operation;
  readonly variables: unknown;
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** As whom alone; as whoever is signed in by then when absent. */
  readonly as?: Pass | undefined;
}

/**
 * Asks as whoever is signed in: with a fresh token where the old one has ended, and again after a failure that says so,
 * if that cannot do anything twice.
 */
export function request(client: ClientContext, asked: Request): Promise<unknown> {
  const { signal } = asked;
  const repeatable = isRepeatable(asked);
  let first: Pass | null = asked.as ?? null;
  const run = async (): Promise<unknown> => {
    const pass = await takePass(client, signal);
    first ??= pass;
    assertSame(client, first);
    try {
      return await ask(client.transport, { ...asked, accessToken: pass.token, repeatable });
    } catch (error) {
      if (!isExpired(client, pass, error)) throw error;
      await renew(client, pass, signal);
      return ask(client.transport, { ...asked, accessToken: client.state.access?.token ?? null, repeatable });
    }
  };
  return withRetries(run, { retries: repeatable ? client.retries : 0, signal });
}

/** Whether asking twice is asking once. */
function isRepeatable({ operation: { kind, fields }, idempotencyKey }: Request): boolean {
  if (kind === 'query') return true;
  return idempotencyKey !== undefined && (fields?.every((field) => guardedMutations.has(field)) ?? false);
}

/** Whether somebody was taken for nobody, before anything was done. */
export function isExpired({ state, keyed, transport }: ClientContext, pass: Pass, error: unknown): boolean {
  if (keyed || !(error instanceof TollhouseError)) return false;
  // cookies do not say whether there was a session: there was one, if it is here still, or ended since the pass was taken
  const hadSession = state.session !== null || state.epoch !== pass.epoch;
  const cameAsSomebody = pass.token !== null || (transport.cookies && (error.status === 401 || hadSession));
  const refused = error.errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');
  return cameAsSomebody && refused && Object.values(error.data ?? {}).every((value) => value === null);
}
