import type { Context } from '../../context.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { cleanText } from '../../kernel/text.ts';
import { paymentErrors } from '../errors.ts';
import { decideOnce, type Refusal } from './decideOnce.ts';
import { readOrderAmount } from './readOrderAmount.ts';

/**
 * Takes a member's word that money came for an order outside of the chain. It is a claim that the worker confirms with
 * its next round, if the order still takes payments then. Needs `payments:write`.
 * @param input.orderId null where what was given names none
 * @param input.amount in whole tokens of what the order is paid in: nothing is converted
 * @param input.reference what it is found by where the money is; once for each organization
 * @returns the provider transaction's id
 * @throws FORBIDDEN, STEP_UP_REQUIRED, ORDER_NOT_FOUND, ORDER_TAKES_NOTHING, AMOUNT_INVALID, REFERENCE_TAKEN
 */
export async function recordManualPayment(
  context: Context,
  input: {
    readonly orderId: string | null;
    readonly amount: string;
    readonly reference: string;
    readonly note?: string | null | undefined;
    readonly idempotencyKey: GivenKey | null;
  },
): Promise<Done<{ readonly id: string }>> {
  const { orderId, amount, idempotencyKey } = input;
  if (!context.viewer) throw kernelErrors.UNAUTHENTICATED();
  const reference = cleanText(input.reference, 'reference', { max: 200 });
  const note = input.note == null ? null : cleanText(input.note, 'note', { max: 1000, multiline: true });
  if (orderId === null) throw paymentErrors.ORDER_NOT_FOUND();
  const units = await readOrderAmount(context, { orderId, amount });
  const id = newId();
  return decideOnce(context, {
    operation: 'recordManualPayment',
    id,
    variables: { orderId, amount, reference, note },
    idempotencyKey,
    decide: (tx) => tx.$queryRaw<Refusal>`
      /* recordManualPayment */
      select record_manual_payment(
        ${id}::uuid, ${orderId}::uuid, ${units.toString()}::numeric, ${reference}, ${note}
      ) as refusal`,
  });
}
