import type { Context } from '../../context.ts';
import { metadataOf } from '../../events/model.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { paymentErrors } from '../errors.ts';
import { changeOrder } from './changeOrder.ts';

/**
 * Lets the part that came for an expired order be enough: it is paid once that part is as final as the order asks for.
 * One that was let be so already stays so.
 * @throws ORDER_NOT_FOUND, ORDER_NOT_UNDERPAID, and what `changeOrder` throws
 */
export async function acceptUnderpaid(
  context: Context,
  input: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly orderId: string }>> {
  const told = JSON.stringify(metadataOf(context));
  return changeOrder(context, {
    ...input,
    operation: 'acceptUnderpaid',
    run: async (tx, id) => {
      const [{ outcome }] = await tx.$queryRaw<[{ outcome: string | null }]>`
        /* acceptUnderpaid */
        select accept_underpaid_order(${id}::uuid, ${told}::jsonb) as outcome`;
      if (outcome === null) throw paymentErrors.ORDER_NOT_FOUND();
      if (outcome !== 'DONE' && outcome !== 'ACCEPTED') throw paymentErrors.ORDER_NOT_UNDERPAID({ status: outcome });
    },
  });
}
