import type { Deed, Transaction } from '../../database/scope.ts';
import { FRESH_SECONDS } from '../../identity/model.ts';

/**
 * Lets what is planned behind it be done only if the viewer's organization asks for no fresh proof, or the session has
 * one: STEP_UP_REQUIRED undoes everything. For whatever moves where money goes, or who may act; it is planned first of
 * all, in the packet of the deed, and so costs no round trip.
 */
export function requireOrganizationStepUp(tx: Pick<Transaction, '$queryRaw'>): Deed {
  return tx.$queryRaw`/* requireOrganizationStepUp */ select from require_step_up(${FRESH_SECONDS}::int)`;
}
