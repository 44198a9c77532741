import type { Deed, Transaction } from '../../database/scope.ts';

/** Makes everything that changes a user's wallets wait for each other, until the transaction ends. */
export function lockWallets(tx: Transaction, userId: string): Deed {
  return tx.$queryRaw`
    /* lockWallets */
    select from pg_advisory_xact_lock(hashtextextended(${`wallets of ${userId}`}, 0))`;
}
