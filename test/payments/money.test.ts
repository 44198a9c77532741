import { randomBytes, randomInt } from 'node:crypto';
import { formatUnits, parseUnits } from 'viem';
import { describe, expect, it } from 'vitest';
import { fromUnits, toUnits } from '../../src/kernel/money.ts';
import { FULL } from '../support/scale.ts';

const MAX_UNITS = 2n ** 256n - 1n;

const DECIMALS = [0, 1, 6, 8, 18, 77];
const ROUNDS = FULL ? 20_000 : 500;

/** A number of up to so many bits, small ones as likely as large ones. */
function anyUnits(): bigint {
  const bits = randomInt(257);
  return BigInt(`0x${randomBytes(32).toString('hex')}`) >> BigInt(256 - bits);
}

describe.each(DECIMALS)('amounts of %i decimals', (decimals) => {
  it('come back as they were, and read as another library reads them', () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const units = anyUnits();
      const amount = fromUnits(units, decimals);
      expect(toUnits(amount, decimals)).toBe(units);
      expect(amount).toBe(formatUnits(units, decimals));
      expect(parseUnits(amount, decimals)).toBe(units);
    }
  });

  it('are the same with zeros behind them, and nothing else is', () => {
    for (let round = 0; round < 50; round += 1) {
      const units = anyUnits() >> 20n;
      const amount = fromUnits(units, decimals);
      const padded = `${amount.includes('.') ? amount : `${amount}.`}00`;
      expect(toUnits(padded, decimals)).toBe(units);
    }
  });

  it('are refused when they are finer than the asset', () => {
    const finest = decimals === 0 ? '1' : `0.${'1'.padStart(decimals, '0')}`;
    expect(toUnits(finest, decimals)).toBe(1n);
    const finer = `0.${'1'.padStart(decimals + 1, '0')}`;
    expect(toUnits(finer, decimals)).toBe('TOO_PRECISE');
  });

  it('reach to what 256 bits hold and no further', () => {
    const most = fromUnits(MAX_UNITS, decimals);
    expect(toUnits(most, decimals)).toBe(MAX_UNITS);
    expect(toUnits(fromUnits(MAX_UNITS + 1n, decimals), decimals)).toBe('TOO_LARGE');
  });
});

describe('an amount', () => {
  it.each([
    ['0', 6, 0n],
    ['0.0', 6, 0n],
    ['1.5', 6, 1_500_000n],
    ['9007199254740993', 0, 9_007_199_254_740_993n],
    ['0.000001', 6, 1n],
    ['123456789012345678901234.123456789012345678', 18, 123_456_789_012_345_678_901_234_123_456_789_012_345_678n],
  ])('%s of %i decimals is exact', (amount, decimals, units) => {
    expect(toUnits(amount, decimals)).toBe(units);
  });

  it.each([
    '',
    ' ',
    '.',
    '.5',
    '5.',
    '-1',
    '+1',
    '1e3',
    '1E3',
    '0x10',
    '1,5',
    '1_000',
    '00',
    '01',
    '1.5.5',
    ' 1',
    '1 ',
    '1\n',
    '١',
    '1\0',
    'NaN',
    'Infinity',
    '9'.repeat(101),
    `1.${'0'.repeat(100)}`,
  ])('is not %j', (text) => {
    expect(toUnits(text, 6)).toBe('NOT_A_DECIMAL');
  });
});
