import type { Context } from '../../context.ts';
import { metadataOf } from '../../events/model.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { paymentErrors } from '../errors.ts';
import { changeOrder } from './changeOrder.ts';

/**
 * Calls off an order of the viewer's organization that nothing has arrived for. One that was called off already stays so.
 * @throws ORDER_NOT_FOUND, ORDER_NOT_CANCELABLE, and what `changeOrder` throws
 */
export async function cancelPaymentOrder(
  context: Context,
  input: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly orderId: string }>> {
  const told = JSON.stringify(metadataOf(context));
  return changeOrder(context, {
    ...input,
    operation: 'cancelPaymentOrder',
    run: async (tx, id) => {
      const [{ outcome }] = await tx.$queryRaw<[{ outcome: string | null }]>`
        /* cancelPaymentOrder */
        select cancel_payment_order(${id}::uuid, ${told}::jsonb) as outcome`;
      if (outcome === null) throw paymentErrors.ORDER_NOT_FOUND();
      if (outcome !== 'DONE' && outcome !== 'CANCELED') throw paymentErrors.ORDER_NOT_CANCELABLE({ status: outcome });
    },
  });
}
