import type { Context } from '../../context.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { cleanText } from '../../kernel/text.ts';
import { paymentErrors } from '../errors.ts';
import { decideOnce, type Refusal } from './decideOnce.ts';

/**
 * Puts money that no order took aside, and says why; it may still be given to an order or refunded later, by whichever
 * organization does so first. Needs `payments:write`.
 * @param input.id null where what was given names none
 * @throws FORBIDDEN, STEP_UP_REQUIRED, UNMATCHED_PAYMENT_NOT_FOUND, UNMATCHED_PAYMENT_CLOSED, TRANSFER_TAKEN
 */
export async function ignoreUnmatchedPayment(
  context: Context,
  input: { readonly id: string | null; readonly note: string; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly id: string }>> {
  const { id, idempotencyKey } = input;
  const note = cleanText(input.note, 'note', { max: 1000, multiline: true });
  if (id === null) throw paymentErrors.UNMATCHED_PAYMENT_NOT_FOUND();
  return decideOnce(context, {
    operation: 'ignoreUnmatchedPayment',
    id,
    variables: { id, note },
    idempotencyKey,
    decide: (tx) => tx.$queryRaw<Refusal>`
      /* ignoreUnmatchedPayment */
      select ignore_unmatched_payment(${id}::uuid, ${note}) as refusal`,
  });
}
