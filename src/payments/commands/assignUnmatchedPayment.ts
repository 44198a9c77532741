import type { Context } from '../../context.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { paymentErrors } from '../errors.ts';
import { decideOnce, type Refusal } from './decideOnce.ts';

/**
 * Gives money that no order took to an order of the same asset and payee, of which nothing is being refunded, even to one
 * that is over by its time, was called off, or has all that was due. The first organization that decides about a transfer has it. The worker credits it next. Needs `payments:write`.
 * @param input.id null where what was given names none; so is `orderId`
 * @throws FORBIDDEN, STEP_UP_REQUIRED, UNMATCHED_PAYMENT_NOT_FOUND, UNMATCHED_PAYMENT_CLOSED, TRANSFER_TAKEN,
 *   PAYEE_NOT_PROVED, ORDER_NOT_FOUND, ORDER_TAKES_NOTHING, ASSET_MISMATCH
 */
export async function assignUnmatchedPayment(
  context: Context,
  input: {
    readonly id: string | null;
    readonly orderId: string | null;
    readonly idempotencyKey: GivenKey | null;
  },
): Promise<Done<{ readonly id: string }>> {
  const { id, orderId, idempotencyKey } = input;
  if (id === null) throw paymentErrors.UNMATCHED_PAYMENT_NOT_FOUND();
  if (orderId === null) throw paymentErrors.ORDER_NOT_FOUND();
  return decideOnce(context, {
    operation: 'assignUnmatchedPayment',
    id,
    variables: { id, orderId },
    idempotencyKey,
    decide: (tx) => tx.$queryRaw<Refusal>`
      /* assignUnmatchedPayment */
      select assign_unmatched_payment(${id}::uuid, ${orderId}::uuid) as refusal`,
  });
}
