import { raisedFact } from '../../database/errors.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { paymentErrors } from '../errors.ts';
import type { PayableLink } from './findPayableLink.ts';

/**
 * What the database's refusal of an order was about. It asks for the link's window by its own clock, whether somebody
 * stands for the payee, and counts what is limited; and a payer may do nothing but by the link, so what is forbidden has
 * gone since it was found, or its organization has.
 */
export function explainOrder(link: PayableLink, error: unknown): never {
  const cause = { cause: error };
  const status = raisedFact(error, 'TH471');
  const { inactiveMessage: message } = link;
  if (status !== null) throw paymentErrors.LINK_INACTIVE({ status, ...(message !== null && { message }) }, cause);
  if (raisedFact(error, 'TH479') !== null) throw paymentErrors.PAYEE_NOT_PROVED({}, cause);
  if (raisedFact(error, 'TH470') !== null) throw paymentErrors.PAYER_REQUIRED({}, cause);
  if (raisedFact(error, 'TH472') !== null) throw paymentErrors.LINK_EXHAUSTED({}, cause);
  if (raisedFact(error, 'TH473') !== null) throw paymentErrors.WALLET_LIMIT_REACHED({}, cause);
  if (raisedFact(error, 'TH474') !== null) throw paymentErrors.PAYER_NOT_ALLOWED({}, cause);
  if (error instanceof GatewayError && error.code === 'FORBIDDEN') throw paymentErrors.LINK_NOT_FOUND({}, cause);
  throw error;
}
