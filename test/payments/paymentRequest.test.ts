import { decodeFunctionData, erc20Abi, getAddress, type Hex, slice } from 'viem';
import { describe, expect, it } from 'vitest';
import { asksForPayment, paymentRequest, unitsToSend } from '../../src/payments/model/paymentRequest.ts';

const EXPIRES = new Date('2030-01-01T00:00:00.500Z');
const reference = (byte: number): Uint8Array => new Uint8Array(16).fill(byte);
const PAYEE = '0xd8da6bf26964af9d7eed9e03e53415d37aa96045';
const TOKEN = '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48';

describe('the payment request', () => {
  it.each([1n, 12_500_000n, 2n ** 53n + 1n, 2n ** 256n - 1n])(
    'for %d of a token can be decoded to what is due',
    (units) => {
      const request = paymentRequest({
        chainId: 1,
        token: TOKEN,
        payTo: PAYEE,
        units,
        reference: reference(7),
        expiresAt: EXPIRES,
      });
      expect(request).toMatchObject({ chainId: 1, to: getAddress(TOKEN), value: 0n });
      expect(slice(request.data, 0, 4)).toBe('0xa9059cbb');
      expect(slice(request.data, -16)).toBe(`0x${'07'.repeat(16)}`);
      const call = slice(request.data, 0, -16) as Hex;
      expect(decodeFunctionData({ abi: erc20Abi, data: call })).toEqual({
        functionName: 'transfer',
        args: [getAddress(PAYEE), units],
      });
      // What a token sees, which ignores the rest.
      expect(decodeFunctionData({ abi: erc20Abi, data: request.data })).toMatchObject({
        args: [getAddress(PAYEE), units],
      });
      expect(request.eip681).toBe(
        `ethereum:${getAddress(TOKEN)}@1/transfer?address=${getAddress(PAYEE)}&uint256=${units}`,
      );
    },
  );

  it('for the native coin is its value with the reference alone', () => {
    const units = 10n ** 18n + 1n;
    const terms = { chainId: 137, token: null, payTo: PAYEE, units, reference: reference(7), expiresAt: EXPIRES };
    expect(paymentRequest(terms)).toEqual({
      chainId: 137,
      to: getAddress(PAYEE),
      value: units,
      data: `0x${'07'.repeat(16)}`,
      eip681: `ethereum:${getAddress(PAYEE)}@137?value=1000000000000000001`,
      expiresAt: EXPIRES,
    });
  });

  it('without a reference is the call alone, or nothing but value', () => {
    const terms = { chainId: 1, payTo: PAYEE, units: 7n, reference: null, expiresAt: EXPIRES };
    expect(paymentRequest({ ...terms, token: null }).data).toBe('0x');
    const { data } = paymentRequest({ ...terms, token: TOKEN });
    expect(decodeFunctionData({ abi: erc20Abi, data })).toEqual({
      functionName: 'transfer',
      args: [getAddress(PAYEE), 7n],
    });
    expect(data).toHaveLength(2 + 2 * 68);
  });

  it.each([
    [0n, 10n],
    [4n, 6n],
    [10n, 10n],
    [12n, 10n],
  ])('of an order that has %d of ten asks for %d', (credited, units) => {
    expect(unitsToSend({ due: 10n, credited })).toBe(units);
  });

  it('is asked for as long as something is due of an order that is not over', () => {
    const statuses = ['CREATED', 'DETECTED', 'CONFIRMING', 'PAID', 'FINAL', 'EXPIRED', 'CANCELED', 'FAILED'] as const;
    expect(statuses.filter(asksForPayment)).toEqual(['CREATED', 'DETECTED']);
  });
});
