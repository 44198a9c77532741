import type { Context } from '../../context.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { paymentErrors } from '../errors.ts';
import { decideOnce, type Refusal } from './decideOnce.ts';

/**
 * Calls off a refund of which no transfer was seen yet; what it reserved is free again. One whose destination is known
 * is off once every block up to a head behind this moment was read, and none has brought it: until then it may have been
 * sent. Needs `payments:write`.
 * @param input.id null where what was given names none
 * @throws FORBIDDEN, STEP_UP_REQUIRED, REFUND_NOT_FOUND, REFUND_CLOSED, REFUND_UNDECIDED
 */
export async function cancelRefund(
  context: Context,
  { id, idempotencyKey }: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly id: string }>> {
  if (id === null) throw paymentErrors.REFUND_NOT_FOUND();
  return decideOnce(context, {
    operation: 'cancelRefund',
    id,
    variables: { id },
    idempotencyKey,
    decide: (tx) => tx.$queryRaw<Refusal>`
      /* cancelRefund */
      select cancel_refund(${id}::uuid) as refusal`,
  });
}
