import type { Transaction } from '../../database/scope.ts';
import { fromUnits } from '../../kernel/money.ts';
import { paymentErrors } from '../errors.ts';
import type { Matching } from '../model/matching.ts';
import { whyNotUnique } from '../model/uniqueAmount.ts';

/** How the payment can be known all the same. */
const OTHERS: readonly Matching[] = ['WALLET', 'CLAIM'];

/** What an amount is asked for in, and from whom. */
interface AskedIn {
  readonly assetId: string;
  readonly asset: string;
  readonly decimals: number;
  /** Whether less arrives than is sent. */
  readonly takesFee: boolean;
  readonly payTo: string;
  readonly price: bigint;
  readonly matching: Matching;
}

/**
 * What an order asks for, so that no two open ones of a payee ask for just as much of an asset where that tells one of
 * them: of an order by its amount something that nobody else asks for, and it is that order's which is made in the same
 * transaction; of any other its price, or a little more where the price tells another one. Planned right before the order:
 * whoever chooses next waits for its end.
 * @throws UNIQUE_AMOUNT_UNAVAILABLE with the reason; which organizations have the amounts is nobody's to know
 */
export async function takeAmount(tx: Transaction, asked: AskedIn): Promise<bigint> {
  const { assetId, payTo, price, matching } = asked;
  const isUnique = matching === 'UNIQUE_AMOUNT';
  const reason = isUnique ? whyNotUnique(asked) : null;
  if (reason !== null) return refuse(asked, reason);
  const [{ units }] = isUnique
    ? await tx.$queryRaw<[{ units: string | null }]>`
        /* takeUniqueAmount */
        select free_unique_amount(${assetId}::uuid, ${payTo}, ${price.toString()}::numeric)::text as units`
    : await tx.$queryRaw<[{ units: string | null }]>`
        /* takeDistinctAmount */
        select distinct_amount(${assetId}::uuid, ${payTo}, ${price.toString()}::numeric)::text as units`;
  return units === null ? refuse(asked, 'NONE_FREE') : BigInt(units);
}

function refuse({ asset, price, decimals, matching }: AskedIn, reason: string): never {
  const amount = fromUnits(price, decimals);
  const others = matching === 'UNIQUE_AMOUNT' && { matchings: OTHERS };
  throw paymentErrors.UNIQUE_AMOUNT_UNAVAILABLE({ asset, amount, reason, ...others });
}
