import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import type { ChallengePurpose, ProvedWallet } from '../model.ts';
import { liftLimit } from './liftLimit.ts';

/**
 * Counts one more proof of the wallet and leaves a row in the trail, in the transaction of the deed that it was proved
 * for in a session.
 * @throws RATE_LIMITED with the seconds until the wallet may be proved again
 */
export async function recordProof(
  context: Context,
  tx: Transaction,
  { domain, chainId, address }: ProvedWallet,
  purpose: Exclude<ChallengePurpose, 'SIGN_IN'>,
): Promise<void> {
  const allowed = liftLimit(context, context.environment.LIMIT_SIGN_INS_PER_MINUTE);
  const [{ wait }] = await tx.$queryRaw<[{ wait: number }]>`
    /* recordProof */
    with counted as materialized (
      select take_proof(${allowed}::int) as wait
    ),
    trail as (
      insert into sign_in_attempts (
        purpose, outcome, domain, chain_id, address, user_id, client_address, request_id
      )
      select
        ${purpose}::challenge_purpose, 'OK', ${domain}, ${chainId}::bigint, ${address}, (select current_user_id()),
        ${context.client.address}, ${context.requestId}
      from counted
      where wait = 0
    )
    select wait from counted`;
  if (wait > 0) throw kernelErrors.RATE_LIMITED({ seconds: wait }, { retryAfter: wait });
}
