import type { Context } from '../../context.ts';
import { toUnits } from '../../kernel/money.ts';
import { paymentErrors } from '../errors.ts';

/**
 * An amount in whole tokens, in the smallest units of what the order is paid in.
 * @throws ORDER_NOT_FOUND, AMOUNT_INVALID
 */
export async function readOrderAmount(
  { scope }: Pick<Context, 'scope'>,
  { orderId, amount }: { readonly orderId: string; readonly amount: string },
): Promise<bigint> {
  const order = await scope.db.paymentOrder.findFirst({
    where: { id: orderId },
    select: { asset: { select: { caip19: true, decimals: true } } },
  });
  if (!order) throw paymentErrors.ORDER_NOT_FOUND();
  const { caip19: asset, decimals } = order.asset;
  const units = toUnits(amount, decimals);
  if (typeof units !== 'bigint' || units === 0n) {
    throw paymentErrors.AMOUNT_INVALID({ asset, amount, decimals, reason: units === 0n ? 'ZERO' : String(units) });
  }
  return units;
}
