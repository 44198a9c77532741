import type { Context } from '../../context.ts';
import { metadataOf } from '../../events/model.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { paymentErrors } from '../errors.ts';
import { decideOnce, type Refusal } from './decideOnce.ts';

/**
 * Lets the part that came for an expired order be enough: it is paid once that part is as final as the order asks for.
 * One that was let be so already stays so. Needs `payments:write`.
 * @param input.id null where what was given names none
 * @throws FORBIDDEN, STEP_UP_REQUIRED, ORDER_NOT_FOUND, ORDER_NOT_UNDERPAID
 */
export async function acceptUnderpaid(
  context: Context,
  { id, idempotencyKey }: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly id: string }>> {
  if (id === null) throw paymentErrors.ORDER_NOT_FOUND();
  const told = JSON.stringify(metadataOf(context));
  return decideOnce(context, {
    operation: 'acceptUnderpaid',
    id,
    variables: { id },
    idempotencyKey,
    decide: (tx) => tx.$queryRaw<Refusal>`
      /* acceptUnderpaid */
      select
        case
          when outcome is null then 'ORDER_NOT_FOUND'
          when outcome not in ('DONE', 'ACCEPTED') then 'ORDER_NOT_UNDERPAID ' || outcome
        end as refusal
      from accept_underpaid_order(${id}::uuid, ${told}::jsonb) as outcome`,
  });
}
