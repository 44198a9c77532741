import { toUnits } from '../../kernel/money.ts';
import { paymentErrors } from '../errors.ts';

/** What a way to pay asks for. */
export interface AskedPrice {
  /** A CAIP-19 name. */
  readonly asset: string;
  readonly decimals: number;
  /** Null where the payer chooses. */
  readonly units: bigint | null;
  readonly minUnits: bigint | null;
  readonly maxUnits: bigint | null;
}

/**
 * What is to be paid, in base units: the price, or what the payer chooses within the range.
 * @param amount what the payer says, in whole tokens; a given price may be repeated
 * @throws AMOUNT_REQUIRED, AMOUNT_REFUSED, AMOUNT_INVALID
 */
export function readPrice(price: AskedPrice, amount: string | null): bigint {
  const { asset, decimals, units, minUnits, maxUnits } = price;
  if (amount === null) {
    if (units === null) throw paymentErrors.AMOUNT_REQUIRED({ asset });
    return units;
  }
  const chosen = toUnits(amount, decimals);
  if (typeof chosen !== 'bigint') throw paymentErrors.AMOUNT_INVALID({ asset, amount, decimals, reason: chosen });
  const fits = units === null ? chosen >= (minUnits ?? 0n) && chosen <= (maxUnits ?? 0n) : chosen === units;
  if (!fits) throw paymentErrors.AMOUNT_REFUSED({ asset, amount });
  return chosen;
}
