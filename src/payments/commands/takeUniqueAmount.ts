import type { Transaction } from '../../database/scope.ts';
import { fromUnits } from '../../kernel/money.ts';
import { paymentErrors } from '../errors.ts';
import { whyNotUnique } from '../model/uniqueAmount.ts';

/**
 * What to ask for instead of a price, so that no other open order asks this payee for just as much of the asset; it is
 * the order's that is made for it in the same transaction. Planned right before that: others wait for its end.
 * @throws UNIQUE_AMOUNT_UNAVAILABLE with the reason; which organizations have the amounts is nobody's to know
 */
export async function takeUniqueAmount(
  tx: Transaction,
  terms: {
    readonly assetId: string;
    readonly asset: string;
    readonly decimals: number;
    readonly payTo: string;
    readonly price: bigint;
  },
): Promise<bigint> {
  const { assetId, asset, decimals, payTo, price } = terms;
  const refuse = (reason: string): never => {
    throw paymentErrors.UNIQUE_AMOUNT_UNAVAILABLE({ asset, amount: fromUnits(price, decimals), reason });
  };
  const reason = whyNotUnique(terms);
  if (reason !== null) return refuse(reason);
  const [{ units }] = await tx.$queryRaw<[{ units: string | null }]>`
    /* takeUniqueAmount */
    select free_unique_amount(${assetId}::uuid, ${payTo}, ${price.toString()}::numeric)::text as units`;
  return units === null ? refuse('NONE_FREE') : BigInt(units);
}
