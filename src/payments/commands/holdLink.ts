import type { Deed, Transaction } from '../../database/scope.ts';

/**
 * Lets what is planned behind it be done only to a link that is there and that the viewer may change. Until the
 * transaction ends no order of it is made or given up, so that what is counted of it can be counted anew.
 */
export function holdLink(tx: Transaction, linkId: string): Deed {
  return tx.$executeRaw`/* holdLink */ select hold_payment_link(${linkId}::uuid)`;
}
