import type { Context } from '../../context.ts';
import { metadataOf } from '../../events/model.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { paymentErrors } from '../errors.ts';
import { decideOnce, type Refusal } from './decideOnce.ts';

/**
 * Calls off an order of the viewer's organization that nothing has arrived for. One that was called off already stays so.
 * Needs `payments:write`.
 * @param input.id null where what was given names none
 * @throws FORBIDDEN, STEP_UP_REQUIRED, ORDER_NOT_FOUND, ORDER_NOT_CANCELABLE, ORDER_UNDECIDED
 */
export async function cancelPaymentOrder(
  context: Context,
  { id, idempotencyKey }: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly id: string }>> {
  if (id === null) throw paymentErrors.ORDER_NOT_FOUND();
  const told = JSON.stringify(metadataOf(context));
  return decideOnce(context, {
    operation: 'cancelPaymentOrder',
    id,
    variables: { id },
    idempotencyKey,
    decide: (tx) => tx.$queryRaw<Refusal>`
      /* cancelPaymentOrder */
      select
        case
          when outcome is null then 'ORDER_NOT_FOUND'
          when outcome like 'UNDECIDED %' then 'ORDER_' || outcome
          when outcome not in ('DONE', 'CANCELED') then 'ORDER_NOT_CANCELABLE ' || outcome
        end as refusal
      from cancel_payment_order(${id}::uuid, ${told}::jsonb) as outcome`,
  });
}
