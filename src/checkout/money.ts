/** Whole ones of base units, exactly and without empty decimals: 12500000 of 6 decimals is 12.5. */
export function showUnits(units: string, decimals: number): string {
  const digits = units.padStart(decimals + 1, '0');
  const [whole, fraction] = [digits.slice(0, digits.length - decimals), digits.slice(digits.length - decimals)];
  return trimDecimals(`${whole}.${fraction}`);
}

/** The same amount without zeros behind its last decimal. */
export function trimDecimals(amount: string): string {
  return amount.includes('.') ? amount.replace(/\.?0*$/, '') : amount;
}

/** An amount as a person may have typed it, as the API takes it; null when it is none. */
export function readAmount(typed: string): string | null {
  const amount = typed.trim().replace(',', '.');
  return /^(\d+(\.\d+)?|\.\d+)$/.test(amount) && /[1-9]/.test(amount) ? amount.replace(/^\./, '0.') : null;
}

/** The price of several of a thing, exactly. */
export function times(amount: string, quantity: number): string {
  const [whole = '0', fraction = ''] = amount.split('.');
  return showUnits((BigInt(whole + fraction) * BigInt(quantity)).toString(), fraction.length);
}

/** Enough of an address, or of a transaction’s hash, to know it again. */
export function shorten(hex: string): string {
  return hex.length > 14 ? `${hex.slice(0, 8)}…${hex.slice(-6)}` : hex;
}
