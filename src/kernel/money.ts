/** The largest amount a token can express: an unsigned integer of 256 bits. */
const MAX_UNITS: bigint = 2n ** 256n - 1n;

const DECIMAL = /^(0|[1-9]\d*)(?:\.(\d+))?$/;

/** Why a text is not an amount of an asset. */
export type AmountFault = 'NOT_A_DECIMAL' | 'TOO_PRECISE' | 'TOO_LARGE';

/**
 * Whole tokens as a decimal text, to base units.
 * @param decimals the asset's decimals: `'1.5'` of 6 decimals is `1500000n`
 */
export function toUnits(amount: string, decimals: number): bigint | AmountFault {
  const [, whole, fraction = ''] = amount.length <= 100 ? (DECIMAL.exec(amount) ?? []) : [];
  if (whole === undefined) return 'NOT_A_DECIMAL';
  const significant = fraction.replace(/0+$/, '');
  if (significant.length > decimals) return 'TOO_PRECISE';
  const units = BigInt(whole + significant.padEnd(decimals, '0'));
  return units > MAX_UNITS ? 'TOO_LARGE' : units;
}

/** Base units, to whole tokens as the shortest exact decimal text. */
export function fromUnits(units: bigint, decimals: number): string {
  const digits = units.toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return fraction ? `${whole}.${fraction}` : whole;
}

/** What a column holds of an asset in base units, as whole tokens. */
export function showUnits(units: { toFixed(): string }, { decimals }: { readonly decimals: number }): string {
  return fromUnits(BigInt(units.toFixed()), decimals);
}
