import type { Deed, Transaction } from '../../database/scope.ts';

/** Makes whoever decides about an organization's members and roles wait for each other until the transaction ends. */
export function lockOwners(tx: Pick<Transaction, '$queryRaw'>, organizationId: string): Deed {
  // the lock of merging and deleting users, which decide about owners, too
  return tx.$queryRaw`
    /* lockOwners */
    select from pg_advisory_xact_lock(hashtextextended(${`owners of ${organizationId}`}, 0))`;
}
