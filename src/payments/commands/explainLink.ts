import type { Context } from '../../context.ts';
import { raisedFact } from '../../database/errors.ts';
import { GatewayError, kernelErrors } from '../../kernel/errors.ts';
import { paymentErrors } from '../errors.ts';
import type { Accept } from './readPrices.ts';

/**
 * What the database's refusal of a link was about: the permission to write, a payee that nobody has proved, an origin
 * that is not the organization's, a status that leads nowhere. It is asked why only once it has refused.
 */
export async function explainLink(
  context: Context,
  accepts: readonly Pick<Accept, 'asset' | 'payTo'>[],
  error: unknown,
): Promise<never> {
  const origin = raisedFact(error, 'TH475');
  if (origin !== null) throw paymentErrors.REDIRECT_ORIGIN_REFUSED({ origin }, { cause: error });
  if (raisedFact(error, 'TH478') !== null) throw paymentErrors.PAYMENT_LINK_NOT_FOUND({}, { cause: error });
  const status = raisedFact(error, 'TH477');
  if (status !== null) throw paymentErrors.LINK_STATUS_REFUSED({ status }, { cause: error });
  if (raisedFact(error, '23514')?.includes('payment_links_window_check')) {
    throw kernelErrors.BAD_USER_INPUT({ field: 'expiresAt', expected: 'a moment after startsAt' }, { cause: error });
  }
  if (!(error instanceof GatewayError) || error.code !== 'FORBIDDEN') throw error;
  const payees = accepts.map(({ payTo }) => payTo);
  const chains = accepts.map(({ asset }) => asset.chainId);
  const found = await context.scope.db.$queryRaw<{ permitted: boolean; unproved: string | null }[]>`
    /* explainRefusal */
    select
      has_permission('payments:write') as permitted,
      (
        select pay_to
        from unnest(${payees}::text[], ${chains}::bigint[]) as asked (pay_to, chain_id)
        where not is_proved_payee(pay_to, chain_id)
        limit 1
      ) as unproved`;
  const [{ permitted, unproved } = { permitted: true, unproved: null }] = found;
  if (!permitted) throw kernelErrors.FORBIDDEN({ permission: 'payments:write' });
  if (unproved !== null) throw paymentErrors.PAYEE_NOT_PROVED({ payTo: unproved });
  throw error;
}
