import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type ActiveCredit,
  assess,
  type ChainView,
  deadline,
  newOrderToken,
  newReference,
  newSlug,
  type OrderState,
  type OrderStatus,
} from '../../src/payments/model.ts';
import { judge, MARKED, PAGE, SITUATIONS, STATUSES, statesInMarkdown } from './stateTable.ts';

const EXPIRES = new Date('2030-01-01T00:00:00.500Z');
const ORDER: OrderState = {
  status: 'CREATED',
  exceptions: [],
  due: 10n,
  tolerance: 0n,
  finality: { kind: 'CONFIRMATIONS', confirmations: 3 },
  underPolicy: 'HOLD',
  expiresAt: EXPIRES,
};
const CHAIN: ChainView = { head: 100n, safe: 80n, finalized: 50n, caughtUpAt: new Date('2029-12-31T00:00:00Z') };
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
        const twice = judge(once.status, situation, once.exceptions);
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

  it('asks for a person when more went back than is there, and for none when it is there again', () => {
    const order: OrderState = { ...ORDER, sentBack: 4n };
    expect(assess(order, [credit(3n, 90n)], CHAIN).exceptions).toEqual(['NEEDS_REVIEW']);
    const reviewed: OrderState = { ...order, exceptions: ['NEEDS_REVIEW'] };
    expect(assess(reviewed, [credit(4n, 90n)], CHAIN).exceptions).toEqual([]);
    // what has failed stays as it is
    const failed: OrderState = { ...ORDER, status: 'FAILED', exceptions: ['NEEDS_REVIEW'] };
    expect(assess(failed, [], CHAIN).exceptions).toEqual(['NEEDS_REVIEW']);
  });

  it('takes back what no longer holds, and keeps what others have noted', () => {
    const order: OrderState = { ...ORDER, exceptions: ['REORGED', 'OVERPAID', 'DUPLICATE'] };
    expect(assess(order, [credit(10n, 90n)], CHAIN).exceptions).toEqual(['DUPLICATE', 'REORGED']);
  });

  it.each([
    ['CONFIRMATIONS', 97n, 98n],
    ['SAFE', 80n, 81n],
    ['FINALIZED', 50n, 51n],
  ] as const)('is paid by what is %s, and by nothing less', (kind, last, next) => {
    const finality = kind === 'CONFIRMATIONS' ? ({ kind, confirmations: 4 } as const) : ({ kind } as const);
    const at = (blockNumber: bigint): OrderStatus =>
      assess({ ...ORDER, finality }, [credit(10n, blockNumber)], CHAIN).status;
    expect([at(last), at(next)]).toEqual(['PAID', 'CONFIRMING']);
  });

  it('asks a part that is accepted for all of its confirmations', () => {
    const order: OrderState = { ...ORDER, status: 'EXPIRED', underPolicy: 'ACCEPT' };
    expect(assess(order, [credit(4n, 90n), credit(1n, 100n)], CHAIN)).toMatchObject({ status: 'CONFIRMING' });
    expect(assess(order, [credit(4n, 90n), credit(1n, 98n)], CHAIN)).toEqual({
      status: 'PAID',
      exceptions: ['UNDERPAID'],
      credited: 5n,
    });
    expect(assess(order, [], CHAIN)).toMatchObject({ status: 'EXPIRED', exceptions: [] });
  });

  it('lets a part be refunded as it lets it wait: it has expired', () => {
    for (const underPolicy of ['HOLD', 'REFUND'] as const) {
      const order: OrderState = { ...ORDER, status: 'EXPIRED', underPolicy };
      expect(assess(order, [credit(9n, 10n)], CHAIN)).toMatchObject({ status: 'EXPIRED', exceptions: ['UNDERPAID'] });
    }
  });

  it('takes what is tolerated for all that is due, and says nothing of it', () => {
    const order: OrderState = { ...ORDER, tolerance: 2n };
    expect(assess(order, [credit(8n, 90n)], CHAIN)).toMatchObject({ status: 'PAID', exceptions: [] });
    expect(assess(order, [credit(7n, 90n)], CHAIN)).toMatchObject({ status: 'DETECTED', exceptions: [] });
  });

  it('says of a paid order that the chain left a part of, which is enough now, that something was taken', () => {
    const order: OrderState = { ...ORDER, status: 'PAID', underPolicy: 'ACCEPT', expiresAt: new Date(0) };
    expect(assess(order, [credit(4n, 90n)], CHAIN)).toMatchObject({
      status: 'PAID',
      exceptions: ['REORGED', 'UNDERPAID'],
    });
  });

  it('leaves final what the chain calls final, whatever word was taken back besides, and nothing else', () => {
    const order: OrderState = { ...ORDER, status: 'FINAL' };
    expect(assess(order, [credit(10n, 50n)], CHAIN)).toEqual({ status: 'FINAL', exceptions: [], credited: 10n });
    expect(assess(order, [credit(10n, 51n)], CHAIN)).toEqual({ status: 'PAID', exceptions: [], credited: 10n });
    expect(assess(order, [credit(9n, 50n)], CHAIN)).toEqual({
      status: 'DETECTED',
      exceptions: ['REORGED'],
      credited: 9n,
    });
    const word: ActiveCredit = { units: 1n, blockNumber: null };
    expect(assess(order, [credit(9n, 50n), word], CHAIN).status).toBe('FINAL');
  });

  it('counts units that no double can tell apart', () => {
    const due = 2n ** 255n;
    expect(assess({ ...ORDER, due }, [credit(due - 1n, 1n)], CHAIN).status).toBe('DETECTED');
    expect(assess({ ...ORDER, due }, [credit(due, 1n)], CHAIN).exceptions).toEqual([]);
    expect(assess({ ...ORDER, due }, [credit(due + 1n, 1n)], CHAIN).exceptions).toEqual(['OVERPAID']);
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
