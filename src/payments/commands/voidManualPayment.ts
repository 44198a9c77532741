import type { Context } from '../../context.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { cleanText } from '../../kernel/text.ts';
import { paymentErrors } from '../errors.ts';
import { decideOnce, type Refusal } from './decideOnce.ts';

/**
 * Takes back a payment that a member has recorded by mistake, also of an order that is final by it: it counts no more, and
 * with its next round the worker brings the order to what is left. Needs `payments:write`.
 * @param input.id null where what was given names none
 * @throws FORBIDDEN, STEP_UP_REQUIRED, MANUAL_PAYMENT_NOT_FOUND, MANUAL_PAYMENT_CLOSED
 */
export async function voidManualPayment(
  context: Context,
  input: { readonly id: string | null; readonly reason: string; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly id: string }>> {
  const { id, idempotencyKey } = input;
  const reason = cleanText(input.reason, 'reason', { max: 500 });
  if (id === null) throw paymentErrors.MANUAL_PAYMENT_NOT_FOUND();
  return decideOnce(context, {
    operation: 'voidManualPayment',
    id,
    variables: { id, reason },
    idempotencyKey,
    decide: (tx) => tx.$queryRaw<Refusal>`
      /* voidManualPayment */
      select void_manual_payment(${id}::uuid, ${reason}) as refusal`,
  });
}
