import type { Context } from '../../context.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { newId } from '../../kernel/ids.ts';
import { cleanText } from '../../kernel/text.ts';
import { paymentErrors } from '../errors.ts';
import { decideOnce, type Refusal } from './decideOnce.ts';

/**
 * Asks for a refund of money that no order took, all of it, and keeps it from every other use. Where it goes is said
 * next. Needs `payments:write`.
 * @param input.id null where what was given names none
 * @returns the refund's id
 * @throws FORBIDDEN, STEP_UP_REQUIRED, UNMATCHED_PAYMENT_NOT_FOUND, UNMATCHED_PAYMENT_CLOSED, TRANSFER_TAKEN,
 *   PAYEE_NOT_PROVED
 */
export async function refundUnmatchedPayment(
  context: Context,
  input: {
    readonly id: string | null;
    readonly reason?: string | null | undefined;
    readonly idempotencyKey: GivenKey | null;
  },
): Promise<Done<{ readonly id: string }>> {
  const { id, idempotencyKey } = input;
  const reason = input.reason == null ? null : cleanText(input.reason, 'reason', { max: 500 });
  if (id === null) throw paymentErrors.UNMATCHED_PAYMENT_NOT_FOUND();
  const refundId = newId();
  return decideOnce(context, {
    operation: 'refundUnmatchedPayment',
    id: refundId,
    variables: { id, reason },
    idempotencyKey,
    decide: (tx) => tx.$queryRaw<Refusal>`
      /* refundUnmatchedPayment */
      select refund_unmatched_payment(${refundId}::uuid, ${id}::uuid, ${reason}) as refusal`,
  });
}
