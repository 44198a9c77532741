import { describe, expect, it } from 'vitest';
import type { Order } from '../../src/checkout/api.ts';
import { isOpen, isOver, isUnderWay, isUnwatched, needsClaim, readAsked } from '../../src/checkout/asked.ts';

const REQUEST = { chainId: 1, to: '0x01', value: '0', data: '0x', eip681: '', qr: '' };

const orderOf = (facts: Partial<Order>): Order =>
  ({
    status: 'CREATED',
    matching: 'WALLET',
    receivedUnits: '0',
    chainWatched: true,
    paymentRequest: REQUEST,
    ...facts,
  }) as Order;

describe('what was asked of a wallet', () => {
  it.each([null, 7, 'ask', {}, { receivedUnits: 0, wallet: 'a.b' }, { receivedUnits: '0' }, { hash: '0x12' }])(
    'is not read from %j',
    (said) => {
      expect(readAsked(said)).toBeUndefined();
    },
  );

  it('is read as it was kept, and nothing beside it', () => {
    const asked = { receivedUnits: '0', wallet: 'a.b', hash: '0x12' };
    expect(readAsked({ ...asked, more: 1 })).toEqual(asked);
    expect(readAsked({ ...asked, hash: 7 })).toEqual({ receivedUnits: '0', wallet: 'a.b' });
  });

  it.each([
    [{}, true],
    [{ status: 'DETECTED', receivedUnits: '5' }, false],
    [{ status: 'CONFIRMING', paymentRequest: null }, false],
    [{ status: 'CANCELED', paymentRequest: null }, false],
    [{ paymentRequest: null }, false],
  ] as [Partial<Order>, boolean][])('may be under way for an order %j: %s', (facts, is) => {
    expect(isUnderWay(orderOf(facts), { receivedUnits: '0', wallet: 'a.b' })).toBe(is);
    expect(isUnderWay(orderOf(facts), undefined)).toBe(false);
  });
});

describe('an order', () => {
  it.each([
    [{}, true, false],
    [{ status: 'DETECTED' }, true, false],
    [{ paymentRequest: null }, false, true],
    [{ paymentRequest: null, chainWatched: false }, false, false],
    [{ status: 'EXPIRED', paymentRequest: null }, false, false],
    [{ status: 'PAID', paymentRequest: null }, false, false],
  ] as [Partial<Order>, boolean, boolean][])('%j is open: %s; its time is over: %s', (facts, open, over) => {
    expect([isOpen(orderOf(facts)), isOver(orderOf(facts))]).toEqual([open, over]);
  });

  it.each([
    [{}, false],
    [{ paymentRequest: null, chainWatched: false }, true],
    [{ status: 'DETECTED', paymentRequest: null, chainWatched: false }, true],
    [{ status: 'CONFIRMING', paymentRequest: null, chainWatched: false }, false],
  ] as [Partial<Order>, boolean][])('%j is awaited where nobody would see it: %s', (facts, unwatched) => {
    expect(isUnwatched(orderOf(facts))).toBe(unwatched);
  });

  it.each([
    ['WALLET', '5', false],
    ['CLAIM', '0', true],
    ['UNIQUE_AMOUNT', '0', false],
    ['UNIQUE_AMOUNT', '5', true],
  ] as const)('by %s with %s received needs a claim: %s', (matching, receivedUnits, needs) => {
    expect(needsClaim(orderOf({ matching, receivedUnits }))).toBe(needs);
  });
});
