import type { Context } from '../../context.ts';
import { metadataOf } from '../../events/model.ts';
import { paymentErrors } from '../errors.ts';

/**
 * Calls off a payer's own order that nothing has arrived for, by its token. One that was called off already stays so,
 * which is why it takes no key.
 * @throws ORDER_NOT_FOUND, ORDER_NOT_CANCELABLE, ORDER_UNDECIDED
 */
export async function cancelCheckoutOrder(
  context: Context,
  { token }: { readonly token: string },
): Promise<{ readonly token: string }> {
  const told = JSON.stringify(metadataOf(context));
  const [answers] = await context.handleScope('payment-order', token).write((tx) => [
    tx.$queryRaw<{ outcome: string | null }[]>`
      /* cancelCheckoutOrder */
      select cancel_payment_order(o.id, ${told}::jsonb) as outcome
      from payment_orders o
      where o.organization_id = current_organization_id() and o.id = current_target_id()`,
  ]);
  const outcome = answers[0]?.outcome ?? null;
  if (outcome === null) throw paymentErrors.ORDER_NOT_FOUND();
  const [word, reason = ''] = outcome.split(' ');
  if (word === 'UNDECIDED') throw paymentErrors.ORDER_UNDECIDED({ reason }, { retryAfter: 2 });
  if (outcome !== 'DONE' && outcome !== 'CANCELED') throw paymentErrors.ORDER_NOT_CANCELABLE({ status: outcome });
  return { token };
}
