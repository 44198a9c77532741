import type { Context } from '../../context.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { cleanText } from '../../kernel/text.ts';
import { paymentErrors } from '../errors.ts';
import { decideOnce, type Refusal } from './decideOnce.ts';

/**
 * Says where a refund goes, and why there, once and for good: for owners, since the address need not be anybody's who has
 * paid.
 * @param input.id null where what was given names none
 * @throws FORBIDDEN, STEP_UP_REQUIRED, REFUND_NOT_FOUND, REFUND_CLOSED, DESTINATION_NEEDS_OWNER, DESTINATION_REFUSED
 */
export async function setRefundDestination(
  context: Context,
  input: {
    readonly id: string | null;
    readonly destination: string;
    readonly reason: string;
    readonly idempotencyKey: GivenKey | null;
  },
): Promise<Done<{ readonly id: string }>> {
  const { id, destination, idempotencyKey } = input;
  const reason = cleanText(input.reason, 'reason', { max: 500 });
  if (id === null) throw paymentErrors.REFUND_NOT_FOUND();
  return decideOnce(context, {
    operation: 'setRefundDestination',
    id,
    variables: { id, destination, reason },
    idempotencyKey,
    decide: (tx) => tx.$queryRaw<Refusal>`
      /* setRefundDestination */
      select set_refund_destination(${id}::uuid, ${destination}, ${reason}) as refusal`,
  });
}
