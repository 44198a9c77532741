import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { failureKeys } from '../model.ts';

/** What is a sign of trying: a forged signature, or a nonce that was not given out. Honest clocks and pages err otherwise. */
const COUNTED = new Set([
  'SIWE_NONCE_INVALID',
  'SIWE_SIGNATURE_INVALID',
  'SIGNATURE_CHECK_UNSUPPORTED',
  'THIRDWEB_TOKEN_INVALID',
]);

/** Counts a failure to prove a wallet, of the client with this wallet and of the client with any. */
export function recordFailure(
  context: Context,
  tx: Pick<Transaction, '$queryRaw'>,
  failure: { readonly outcome: string; readonly address: string | null },
): readonly Deed[] {
  if (!COUNTED.has(failure.outcome)) return [];
  const keys = failureKeys(context.client.limitKey, failure.address);
  const longest = context.environment.LOCKOUT_MAX_SECONDS;
  return [
    tx.$queryRaw`
      /* recordFailure */
      select
        record_sign_in_failure(${keys.client}::bytea, ${longest}::int),
        record_sign_in_failure(${keys.pair}::bytea, ${longest}::int)`,
  ];
}
