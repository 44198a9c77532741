import { describe, expect, it } from 'vitest';
import { luminance, readableOn } from '../../src/checkout/colours.ts';
import { readAmount, shorten, showUnits, times, trimDecimals } from '../../src/checkout/money.ts';
import { sayLeft, showLeft } from '../../src/checkout/time.ts';

describe('amounts', () => {
  it.each([
    ['12500000', 6, '12.5'],
    ['1', 18, '0.000000000000000001'],
    ['0', 6, '0'],
    ['100', 0, '100'],
    ['1000000', 6, '1'],
    [
      '115792089237316195423570985008687907853269984665640564039457584007913129639935',
      18,
      '115792089237316195423570985008687907853269984665640564039457.584007913129639935',
    ],
  ])('of %s units and %d decimals are shown exactly, as %s', (units, decimals, shown) => {
    expect(showUnits(units, decimals)).toBe(shown);
  });

  it.each([
    ['12.500000', '12.5'],
    ['12.000000', '12'],
    ['100', '100'],
    ['0.0', '0'],
  ])('lose empty decimals alone: %s is %s', (amount, shown) => {
    expect(trimDecimals(amount)).toBe(shown);
  });

  it.each([
    [' 7,25 ', '7.25'],
    ['.5', '0.5'],
    ['0012', '0012'],
  ])('are read as people type them: %j is %s', (typed, read) => {
    expect(readAmount(typed)).toBe(read);
  });

  it.each(['', '0', '0.00', '-1', '1e3', '1.2.3', '1,000.5', 'much', '٣', '.', '1.'])(
    'are not read from %j',
    (typed) => {
      expect(readAmount(typed)).toBeNull();
    },
  );

  it.each([
    ['10.5', 2, '21'],
    ['0.1', 3, '0.3'],
    ['4', 5, '20'],
    ['0.000000000000000001', 1_000_000, '0.000000000001'],
  ])('of %s, %d times, are %s', (amount, quantity, sum) => {
    expect(times(amount, quantity)).toBe(sum);
  });
});

describe('an address', () => {
  it('is shortened so that it is known again, and nothing short is', () => {
    expect(shorten('0x1234567890abcdef1234567890abcdef12345678')).toBe('0x123456…345678');
    expect(shorten('0x12')).toBe('0x12');
  });
});

describe('the time that is left', () => {
  it.each([
    [1, '00:01', '1 minute left'],
    [59_000, '00:59', '1 minute left'],
    [61_000, '01:01', '2 minutes left'],
    [3_600_000, '01:00:00', '1 hour left'],
    [7_260_000, '02:01:00', '2 hours and 1 minute left'],
    [30 * 86_400_000, '720:00:00', '720 hours left'],
  ])('of %d ms is shown as %s, and read out as %s', (left, shown, said) => {
    expect([showLeft(1_000 + left, 1_000), sayLeft(1_000 + left, 1_000)]).toEqual([shown, said]);
  });

  it('is none once it is over', () => {
    expect([showLeft(5, 5), sayLeft(5, 5), showLeft(5, 6)]).toEqual([null, 'no time left', null]);
  });
});

describe('what is written on a colour', () => {
  it('can be read, whatever the colour is', () => {
    const parts = ['00', '33', '66', '77', '80', '99', 'cc', 'ff'];
    for (const red of parts)
      for (const green of parts)
        for (const blue of parts) {
          const colour = `#${red}${green}${blue}`;
          const [light, dark] = [luminance(colour), luminance(readableOn(colour))].sort((a, b) => b - a);
          expect(((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05), colour).toBeGreaterThanOrEqual(4.5);
        }
  });
});
