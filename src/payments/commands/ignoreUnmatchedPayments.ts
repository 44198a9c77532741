import type { Context } from '../../context.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { cleanText } from '../../kernel/text.ts';
import { paymentErrors } from '../errors.ts';
import { decideOnce, type Refusal } from './decideOnce.ts';

/** As many entries as are put aside at once. */
const MOST = 100;

/**
 * Puts many entries of the inbox aside at once, or none of them where one cannot be, and says why; whoever may still
 * assigns or refunds each of them later. Needs `payments:write`.
 * @param input.ids 1 to 100; null where what was given names none
 * @throws FORBIDDEN, STEP_UP_REQUIRED, BAD_USER_INPUT, and with the `place` of the first that it is true of
 *   UNMATCHED_PAYMENT_NOT_FOUND, UNMATCHED_PAYMENT_CLOSED, TRANSFER_TAKEN
 */
export async function ignoreUnmatchedPayments(
  context: Context,
  input: {
    readonly ids: readonly (string | null)[];
    readonly note: string;
    readonly idempotencyKey: GivenKey | null;
  },
): Promise<Done<{ readonly ids: readonly string[] }>> {
  const { idempotencyKey } = input;
  const note = cleanText(input.note, 'note', { max: 1000, multiline: true });
  const [first] = input.ids;
  if (first === undefined || input.ids.length > MOST) {
    throw kernelErrors.BAD_USER_INPUT({ input: 'ids', expected: `1 to ${MOST} entries` });
  }
  const place = input.ids.indexOf(null) + 1;
  if (first === null || place > 0) throw paymentErrors.UNMATCHED_PAYMENT_NOT_FOUND({ place });
  const ids = input.ids.filter((id) => id !== null);
  const { replayed } = await decideOnce(context, {
    operation: 'ignoreUnmatchedPayments',
    // the others are known by what was asked for, which is the same each time
    id: first,
    variables: { ids, note },
    idempotencyKey,
    decide: (tx) => tx.$queryRaw<Refusal>`
      /* ignoreUnmatchedPayments */
      select ignore_unmatched_payments(${ids}::uuid[], ${note}) as refusal`,
  });
  return { ids, replayed };
}
