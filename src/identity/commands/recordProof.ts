import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import type { ProvedWallet } from '../model.ts';
import type { ChallengePurpose } from './proveWallet.ts';

/** Leaves a row in the trail, in the transaction of the deed that a wallet was proved for in a session. */
export function recordProof(
  context: Context,
  tx: Transaction,
  { domain, chainId, address }: ProvedWallet,
  purpose: Exclude<ChallengePurpose, 'SIGN_IN'>,
): Deed {
  return tx.$executeRaw`
    /* recordProof */
    insert into sign_in_attempts (
      purpose, outcome, domain, chain_id, address, user_id, client_address, request_id
    )
    values (
      ${purpose}::challenge_purpose, 'OK', ${domain}, ${chainId}::bigint, ${address}, (select current_user_id()),
      ${context.client.address}, ${context.requestId}
    )`;
}
