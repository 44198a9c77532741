import { readFileSync } from 'node:fs';
import { decodeFunctionData, erc20Abi, getAddress, type Hex, slice } from 'viem';
import { describe, expect, it } from 'vitest';
import {
  type ActiveCredit,
  assess,
  type Candidate,
  type ChainView,
  deadline,
  matchOrder,
  newOrderToken,
  newReference,
  newSlug,
  type OrderState,
  type OrderStatus,
  type Payment,
  paymentRequest,
} from '../../src/payments/model.ts';
import { judge, MARKED, PAGE, SITUATIONS, STATUSES, statesInMarkdown } from './stateTable.ts';

const EXPIRES = new Date('2030-01-01T00:00:00.500Z');
const ORDER: OrderState = {
  status: 'CREATED',
  exceptions: [],
  due: 10n,
  requiredConfirmations: 3n,
  expiresAt: EXPIRES,
};
const CHAIN: ChainView = { head: 100n, finalized: 50n, caughtUpAt: new Date('2029-12-31T00:00:00Z') };
const credit = (units: bigint, blockNumber: bigint): ActiveCredit => ({ units, blockNumber });

describe('the state machine', () => {
  it('is the table that docs/domains/payments.md shows', () => {
    const [shown] = MARKED.exec(readFileSync(PAGE, 'utf8')) ?? [];
    expect(shown, 'run `node --import tsx test/payments/stateTable.ts`').toBe(statesInMarkdown());
  });

  it('comes to rest at once: what it says of an order, it says of the result too, but that paid becomes final', () => {
    for (const status of STATUSES) {
      for (const situation of SITUATIONS) {
        const once = judge(status, situation);
        const twice = judge(once.status, situation);
        const expected = once.status === 'PAID' && situation.depth === 'finalized' ? 'FINAL' : once.status;
        expect(twice.status).toBe(expected);
      }
    }
  });

  it('counts the block of a transfer as its first confirmation', () => {
    const at = (blockNumber: bigint): OrderStatus => assess(ORDER, [credit(10n, blockNumber)], CHAIN).status;
    expect([at(101n), at(100n), at(99n), at(98n)]).toEqual(['CONFIRMING', 'CONFIRMING', 'CONFIRMING', 'PAID']);
  });

  it('asks for confirmations of as many transfers as make up what is due, and of no more', () => {
    expect(assess(ORDER, [credit(9n, 90n), credit(1n, 100n)], CHAIN).status).toBe('CONFIRMING');
    expect(assess(ORDER, [credit(10n, 90n), credit(1n, 100n)], CHAIN)).toEqual({
      status: 'PAID',
      exceptions: ['OVERPAID'],
      credited: 11n,
    });
  });

  it('ends an order with the second that its deadline falls into', () => {
    const at = (time: string): OrderStatus => assess(ORDER, [], { ...CHAIN, caughtUpAt: new Date(time) }).status;
    expect(at('2030-01-01T00:00:00.999Z')).toBe('CREATED');
    expect(at('2030-01-01T00:00:01.000Z')).toBe('CREATED');
    expect(at('2030-01-01T00:00:01.001Z')).toBe('EXPIRED');
    expect(deadline(new Date('2030-01-01T00:00:01.000Z'))).toBe(Date.parse('2030-01-01T00:00:01.000Z'));
  });

  it('takes back what no longer holds, and keeps what others have noted', () => {
    const order: OrderState = { ...ORDER, exceptions: ['REORGED', 'OVERPAID', 'DUPLICATE'] };
    expect(assess(order, [credit(10n, 90n)], CHAIN).exceptions).toEqual(['DUPLICATE', 'REORGED']);
  });

  it('counts units that no double can tell apart', () => {
    const due = 2n ** 255n;
    expect(assess({ ...ORDER, due }, [credit(due - 1n, 1n)], CHAIN).status).toBe('DETECTED');
    expect(assess({ ...ORDER, due }, [credit(due, 1n)], CHAIN).exceptions).toEqual([]);
    expect(assess({ ...ORDER, due }, [credit(due + 1n, 1n)], CHAIN).exceptions).toEqual(['OVERPAID']);
  });
});

const reference = (byte: number): Uint8Array => new Uint8Array(16).fill(byte);
const PAYMENT: Payment = {
  units: 10n,
  blockNumber: 101n,
  blockTime: new Date('2030-01-01T00:00:00Z'),
  input: new Uint8Array(),
};
const ONE: Candidate = {
  id: 'one',
  status: 'CREATED',
  due: 10n,
  reference: reference(1),
  headNumber: 100n,
  expiresAt: EXPIRES,
};
const TWO: Candidate = { ...ONE, id: 'two', reference: reference(2) };
const naming = (...candidates: readonly Candidate[]): Payment => ({
  ...PAYMENT,
  input: Buffer.concat([Buffer.from('a9059cbb', 'hex'), ...candidates.map(({ reference }) => reference), Buffer.of(0)]),
});

describe('matching a transfer', () => {
  it.each<[string, Payment, Candidate[], unknown]>([
    ['pays nothing where there is no order', PAYMENT, [], { kind: 'none' }],
    ['pays the only order it fits', PAYMENT, [ONE], { kind: 'credit', orderId: 'one' }],
    ['pays none of two', PAYMENT, [ONE, TWO], { kind: 'none' }],
    [
      'pays the one of two that is open',
      PAYMENT,
      [{ ...ONE, status: 'PAID' }, TWO],
      { kind: 'credit', orderId: 'two' },
    ],
    [
      'pays the one of two that is not full',
      PAYMENT,
      [{ ...ONE, status: 'CONFIRMING' }, TWO],
      { kind: 'credit', orderId: 'two' },
    ],
    ['pays no order of its own block’s height', { ...PAYMENT, blockNumber: 100n }, [ONE], { kind: 'none' }],
    ['pays none whose time has passed', PAYMENT, [{ ...ONE, expiresAt: new Date(0) }], { kind: 'none' }],
    ['pays the one it names, wherever in the calldata', naming(TWO), [ONE, TWO], { kind: 'credit', orderId: 'two' }],
    [
      'pays the one it names, in whatever block',
      { ...naming(TWO), blockNumber: 1n },
      [ONE, TWO],
      { kind: 'credit', orderId: 'two' },
    ],
    [
      'pays no other than the one it names, if that is paid',
      naming(TWO),
      [ONE, { ...TWO, status: 'PAID' }],
      { kind: 'refused', orderId: 'two', exception: 'DUPLICATE' },
    ],
    [
      'is a duplicate for an order that is final',
      naming(TWO),
      [{ ...TWO, status: 'FINAL' }],
      { kind: 'refused', orderId: 'two', exception: 'DUPLICATE' },
    ],
    [
      'is a duplicate for an order that has all that is due',
      naming(TWO),
      [{ ...TWO, status: 'CONFIRMING' }],
      { kind: 'refused', orderId: 'two', exception: 'DUPLICATE' },
    ],
    [
      'is surplus for such an order when it is less than that',
      { ...naming(TWO), units: 9n },
      [{ ...TWO, status: 'CONFIRMING' }],
      { kind: 'credit', orderId: 'two' },
    ],
    [
      'is late for an order that has expired',
      naming(TWO),
      [ONE, { ...TWO, status: 'EXPIRED' }],
      { kind: 'refused', orderId: 'two', exception: 'LATE' },
    ],
    [
      'is late in a block behind the deadline, though the order is open',
      { ...naming(TWO), blockTime: new Date('2030-01-01T00:00:02Z') },
      [TWO],
      { kind: 'refused', orderId: 'two', exception: 'LATE' },
    ],
    [
      'is in time in a block of the deadline’s second',
      { ...naming(TWO), blockTime: new Date('2030-01-01T00:00:01Z') },
      [TWO],
      { kind: 'credit', orderId: 'two' },
    ],
    [
      'pays, of two that it names, the first that takes it',
      naming(TWO, ONE),
      [{ ...ONE, status: 'PAID' }, TWO],
      { kind: 'credit', orderId: 'two' },
    ],
    [
      'pays, of two that it names, the one that asks for just as much',
      naming(ONE, TWO),
      [{ ...ONE, due: 11n }, TWO],
      { kind: 'credit', orderId: 'two' },
    ],
    [
      'pays the first of two that it names when neither asks for just as much',
      { ...naming(ONE, TWO), units: 3n },
      [{ ...ONE, due: 11n }, TWO],
      { kind: 'credit', orderId: 'one' },
    ],
    [
      'pays the other of two that it names when the one that asks for just as much is paid',
      naming(ONE, TWO),
      [
        { ...ONE, due: 11n },
        { ...TWO, status: 'PAID' },
      ],
      { kind: 'credit', orderId: 'one' },
    ],
  ])('%s', (_, payment, candidates, expected) => {
    expect(matchOrder(payment, candidates)).toEqual(expected);
  });

  it('does not take a part of a reference for the whole', () => {
    const almost = { ...PAYMENT, input: ONE.reference.subarray(1), blockNumber: 100n };
    expect(matchOrder(almost, [ONE])).toEqual({ kind: 'none' });
  });
});

const PAYEE = '0xd8da6bf26964af9d7eed9e03e53415d37aa96045';
const TOKEN = '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48';

describe('the payment request', () => {
  it.each([1n, 12_500_000n, 2n ** 53n + 1n, 2n ** 256n - 1n])(
    'for %d of a token can be decoded to what is due',
    (units) => {
      const request = paymentRequest({ chainId: 1, token: TOKEN, payTo: PAYEE, units, reference: reference(7) });
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
    expect(paymentRequest({ chainId: 137, token: null, payTo: PAYEE, units, reference: reference(7) })).toEqual({
      chainId: 137,
      to: getAddress(PAYEE),
      value: units,
      data: `0x${'07'.repeat(16)}`,
      eip681: `ethereum:${getAddress(PAYEE)}@137?value=1000000000000000001`,
    });
  });
});

describe('what is handed out', () => {
  it('has 128 random bits, in letters that an address takes as they are', () => {
    const made = Array.from({ length: 200 }, () => [newSlug(), newOrderToken()]).flat();
    expect(new Set(made).size).toBe(400);
    for (const text of made) expect(text).toMatch(/^[\w-]{22}$/);
    expect(newReference()).toHaveLength(16);
    expect(newReference()).not.toEqual(newReference());
  });
});
