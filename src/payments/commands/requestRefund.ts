import type { Context } from '../../context.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { cleanText } from '../../kernel/text.ts';
import { paymentErrors } from '../errors.ts';
import { decideOnce, type Refusal } from './decideOnce.ts';
import { readOrderAmount } from './readOrderAmount.ts';

/**
 * Asks for a refund of an order: at most what was credited to it and is not being refunded, of many at one instant
 * together. Where it goes is said next, by its payer or by an owner. Needs `payments:write`.
 * @param input.orderId null where what was given names none
 * @param input.amount in whole tokens; all that is left when absent
 * @returns the refund's id
 * @throws FORBIDDEN, STEP_UP_REQUIRED, ORDER_NOT_FOUND, AMOUNT_INVALID, REFUND_EXCEEDS
 */
export async function requestRefund(
  context: Context,
  input: {
    readonly orderId: string | null;
    readonly amount?: string | null | undefined;
    readonly reason?: string | null | undefined;
    readonly idempotencyKey: GivenKey | null;
  },
): Promise<Done<{ readonly id: string }>> {
  const { orderId, amount = null, idempotencyKey } = input;
  if (!context.viewer) throw kernelErrors.UNAUTHENTICATED();
  const reason = input.reason == null ? null : cleanText(input.reason, 'reason', { max: 500 });
  if (orderId === null) throw paymentErrors.ORDER_NOT_FOUND();
  const units = amount === null ? null : await readOrderAmount(context, { orderId, amount });
  const refundId = newId();
  return decideOnce(context, {
    operation: 'requestRefund',
    id: refundId,
    variables: { orderId, amount, reason },
    idempotencyKey,
    decide: (tx) => tx.$queryRaw<Refusal>`
      /* requestRefund */
      select request_refund(
        ${refundId}::uuid, ${orderId}::uuid, ${units?.toString() ?? null}::numeric, ${reason}
      ) as refusal`,
  });
}
