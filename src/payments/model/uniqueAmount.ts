/** The most that is added to a price, in base units, as the database holds it: 9,999, and one in a hundred of the price. */
export function mostSurcharge(price: bigint): bigint {
  const hundredth = price / 100n;
  return hundredth < 9_999n ? hundredth : 9_999n;
}

/** Why no amount of an asset can be made unlike others of its price; null when one can. */
export function whyNotUnique({
  price,
  decimals,
  takesFee,
}: {
  readonly price: bigint;
  readonly decimals: number;
  /** Whether less arrives than is sent. */
  readonly takesFee: boolean;
}): 'TAKES_FEE' | 'INDIVISIBLE' | 'PRICE_TOO_SMALL' | null {
  // What arrives is never just what was asked for.
  if (takesFee) return 'TAKES_FEE';
  // One more of what cannot be divided is one more of the thing itself.
  if (decimals === 0) return 'INDIVISIBLE';
  return mostSurcharge(price) === 0n ? 'PRICE_TOO_SMALL' : null;
}
