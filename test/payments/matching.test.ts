import { describe, expect, it } from 'vitest';
import { type Candidate, matchOrder, type Payment } from '../../src/payments/model/matching.ts';

const EXPIRES = new Date('2030-01-01T00:00:00.500Z');
const LATE_UNTIL = new Date('2030-01-01T01:00:00.000Z');
const reference = (byte: number): Uint8Array => new Uint8Array(16).fill(byte);
const PAYMENT: Payment = {
  units: 10n,
  blockNumber: 101n,
  blockTime: new Date('2030-01-01T00:00:00Z'),
  input: new Uint8Array(),
};
const ONE: Candidate = {
  id: 'one',
  matching: 'WALLET',
  status: 'CREATED',
  due: 10n,
  tolerance: 0n,
  credited: 0n,
  reference: reference(1),
  headNumber: 100n,
  expiresAt: EXPIRES,
  latePolicy: 'HOLD',
  lateUntil: LATE_UNTIL,
  isRefunded: false,
  isOver: false,
};
const TWO: Candidate = { ...ONE, id: 'two', reference: reference(2) };
const naming = (...candidates: readonly Candidate[]): Payment => ({
  ...PAYMENT,
  input: Buffer.concat([Buffer.from('a9059cbb', 'hex'), ...candidates.map(({ reference }) => reference), Buffer.of(0)]),
});

const credits = (orderId: string, late = false) => ({ kind: 'credit', orderId, late });

describe('matching a transfer', () => {
  it.each<[string, Payment, Candidate[], unknown]>([
    ['pays nothing where there is no order', PAYMENT, [], { kind: 'none' }],
    ['pays the only order it fits', PAYMENT, [ONE], credits('one')],
    ['pays none of two', PAYMENT, [ONE, TWO], { kind: 'none' }],
    ['pays the one of two that is open', PAYMENT, [{ ...ONE, status: 'PAID' }, TWO], credits('two')],
    ['pays the one of two that is not full', PAYMENT, [{ ...ONE, status: 'CONFIRMING' }, TWO], credits('two')],
    ['pays no order of its own block’s height', { ...PAYMENT, blockNumber: 100n }, [ONE], { kind: 'none' }],
    ['pays none whose time has passed', PAYMENT, [{ ...ONE, expiresAt: new Date(0) }], { kind: 'none' }],
    ['pays the one it names, wherever in the calldata', naming(TWO), [ONE, TWO], credits('two')],
    ['pays the one it names, in whatever block', { ...naming(TWO), blockNumber: 1n }, [ONE, TWO], credits('two')],
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
      credits('two'),
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
      credits('two'),
    ],
    [
      'pays, of two that it names, the first that takes it',
      naming(TWO, ONE),
      [{ ...ONE, status: 'PAID' }, TWO],
      credits('two'),
    ],
    [
      'pays, of two that it names, the one that asks for just as much',
      naming(ONE, TWO),
      [{ ...ONE, due: 11n }, TWO],
      credits('two'),
    ],
    [
      'pays the first of two that it names when neither asks for just as much',
      { ...naming(ONE, TWO), units: 3n },
      [{ ...ONE, due: 11n }, TWO],
      credits('one'),
    ],
    [
      'pays the other of two that it names when the one that asks for just as much is paid',
      naming(ONE, TWO),
      [
        { ...ONE, due: 11n },
        { ...TWO, status: 'PAID' },
      ],
      credits('one'),
    ],
  ])('%s', (_, payment, candidates, expected) => {
    expect(matchOrder(payment, candidates)).toEqual(expected);
  });

  it('does not take a part of a reference for the whole', () => {
    const almost = { ...PAYMENT, input: ONE.reference.subarray(1), blockNumber: 100n };
    expect(matchOrder(almost, [ONE])).toEqual({ kind: 'none' });
  });
});

describe('matching by the amount', () => {
  const UNIQUE: Candidate = { ...ONE, id: 'unique', matching: 'UNIQUE_AMOUNT', reference: reference(9) };
  const LATER: Payment = { ...PAYMENT, blockTime: new Date('2030-01-01T00:00:02Z') };

  it.each<[string, Payment, Candidate[], unknown]>([
    ['pays the order that asks for just as much', PAYMENT, [UNIQUE], credits('unique')],
    ['pays none that asks for one more', { ...PAYMENT, units: 9n }, [UNIQUE], { kind: 'none' }],
    [
      'pays none by its reference, which nobody was given',
      { ...naming(UNIQUE), units: 9n },
      [UNIQUE],
      { kind: 'none' },
    ],
    ['pays none in a block that was read before', { ...PAYMENT, blockNumber: 100n }, [UNIQUE], { kind: 'none' }],
    ['goes before a sender’s order of another amount', PAYMENT, [{ ...ONE, due: 11n }, UNIQUE], credits('unique')],
    ['pays none where a sender’s order asks for just as much', PAYMENT, [ONE, UNIQUE], { kind: 'none' }],
    ['pays the sender’s order that is named all the same', naming(ONE), [ONE, UNIQUE], credits('one')],
    ['pays the sender’s when the other is paid', PAYMENT, [ONE, { ...UNIQUE, status: 'PAID' }], credits('one')],
    ['pays the other when the sender’s is paid', PAYMENT, [{ ...ONE, status: 'PAID' }, UNIQUE], credits('unique')],
    [
      'is a duplicate of the order that asked for it and is paid',
      PAYMENT,
      [{ ...UNIQUE, status: 'PAID' }],
      { kind: 'refused', orderId: 'unique', exception: 'DUPLICATE' },
    ],
    [
      'is late for the newest order that asked for it',
      LATER,
      [{ ...UNIQUE, id: 'older', status: 'FINAL' }, UNIQUE],
      { kind: 'refused', orderId: 'unique', exception: 'LATE' },
    ],
    [
      'pays the one of two that is open',
      PAYMENT,
      [{ ...UNIQUE, id: 'older', status: 'EXPIRED' }, UNIQUE],
      credits('unique'),
    ],
    [
      'is nothing to one that was called off',
      PAYMENT,
      [{ ...UNIQUE, status: 'CANCELED' }],
      { kind: 'refused', orderId: 'unique', exception: null },
    ],
  ])('%s', (_, payment, candidates, expected) => {
    expect(matchOrder(payment, candidates)).toEqual(expected);
  });

  const CLAIM: Candidate = { ...UNIQUE, id: 'claim', matching: 'CLAIM' };
  const OTHER: Candidate = { ...UNIQUE, id: 'other', due: 13n };

  it.each<[string, Payment, Candidate[], unknown]>([
    ['an order by claim waits', PAYMENT, [ONE, CLAIM], { kind: 'none' }],
    ['an order by another amount waits', PAYMENT, [ONE, OTHER], credits('one')],
    ['one by claim waits for more', PAYMENT, [ONE, { ...CLAIM, due: 12n }], credits('one')],
    ['one by claim waits for less', PAYMENT, [ONE, { ...CLAIM, due: 8n }], credits('one')],
    ['one by claim tolerates just so much', PAYMENT, [ONE, { ...CLAIM, due: 12n, tolerance: 2n }], { kind: 'none' }],
    [
      'one by claim waits for the rest',
      PAYMENT,
      [ONE, { ...CLAIM, status: 'DETECTED', due: 14n, credited: 4n }],
      { kind: 'none' },
    ],
    [
      'one by claim has a part of so much',
      PAYMENT,
      [ONE, { ...CLAIM, status: 'DETECTED', credited: 4n }],
      credits('one'),
    ],
    [
      'one by its amount has a part, and the rest is to be claimed',
      PAYMENT,
      [ONE, { ...OTHER, status: 'DETECTED', credited: 3n }],
      { kind: 'none' },
    ],
    [
      'its own asks for the rest',
      { ...PAYMENT, units: 6n },
      [{ ...ONE, status: 'DETECTED', credited: 4n }, OTHER],
      credits('one'),
    ],
    [
      'its own has a part, and as much as it was due comes again',
      PAYMENT,
      [{ ...ONE, status: 'DETECTED', credited: 4n }, OTHER],
      { kind: 'none' },
    ],
    [
      'one has expired that takes what is late',
      LATER,
      [
        { ...ONE, expiresAt: LATE_UNTIL },
        { ...CLAIM, status: 'EXPIRED', latePolicy: 'ACCEPT' },
      ],
      { kind: 'none' },
    ],
    [
      'one has expired that takes nothing late',
      LATER,
      [
        { ...ONE, expiresAt: LATE_UNTIL },
        { ...CLAIM, status: 'EXPIRED' },
      ],
      credits('one'),
    ],
    ['a part comes', { ...PAYMENT, units: 3n }, [ONE, CLAIM], { kind: 'none' }],
    ['a part comes, and one by another amount waits', { ...PAYMENT, units: 3n }, [ONE, OTHER], { kind: 'none' }],
    ['more comes', { ...PAYMENT, units: 11n }, [ONE, OTHER], { kind: 'none' }],
    ['a fee was taken of just so much', { ...PAYMENT, units: 9n, sent: 10n }, [ONE, OTHER], credits('one')],
    [
      'a fee was taken of what a claim may be made for',
      { ...PAYMENT, units: 9n, sent: 10n },
      [ONE, CLAIM],
      { kind: 'none' },
    ],
    [
      'a fee may have been taken of what a claim may be made for',
      { ...PAYMENT, sent: null },
      [ONE, { ...CLAIM, due: 12n }],
      { kind: 'none' },
    ],
    [
      'nobody knows what was sent, and more than that is asked for',
      { ...PAYMENT, sent: null },
      [ONE, OTHER],
      credits('one'),
    ],
    ['only its own waits', PAYMENT, [ONE], credits('one')],
    [
      'the others are paid',
      PAYMENT,
      [ONE, { ...OTHER, status: 'PAID' }, { ...CLAIM, status: 'FINAL' }],
      credits('one'),
    ],
    ['another has all and waits for blocks', PAYMENT, [ONE, { ...CLAIM, status: 'CONFIRMING' }], credits('one')],
    ['the other was called off', PAYMENT, [ONE, { ...CLAIM, status: 'CANCELED' }], credits('one')],
    ['something of the other goes back', PAYMENT, [ONE, { ...CLAIM, isRefunded: true }], credits('one')],
    [
      'the time of the other was read over',
      PAYMENT,
      [ONE, { ...CLAIM, status: 'EXPIRED', latePolicy: 'ACCEPT', isOver: true }],
      credits('one'),
    ],
    ['the other was made behind its block', PAYMENT, [ONE, { ...CLAIM, headNumber: 101n }], credits('one')],
    [
      'the time of the other is over',
      PAYMENT,
      [ONE, { ...CLAIM, expiresAt: new Date(0), lateUntil: null }],
      credits('one'),
    ],
    ['it names its order', naming(ONE), [ONE, CLAIM, OTHER], credits('one')],
    ['another asks for just so much', PAYMENT, [{ ...ONE, due: 11n }, UNIQUE, CLAIM], credits('unique')],
  ])('tells by its sender what it is, or does not, where %s', (_, payment, candidates, expected) => {
    expect(matchOrder(payment, candidates)).toEqual(expected);
  });

  it('never credits orders that wait for a claim', () => {
    expect(matchOrder(PAYMENT, [{ ...ONE, matching: 'CLAIM' }])).toEqual({ kind: 'none' });
    expect(matchOrder(naming(ONE), [{ ...ONE, matching: 'CLAIM' }])).toEqual({ kind: 'none' });
  });
});

describe('what comes late', () => {
  const AFTER = (seconds: number): Payment => ({
    ...PAYMENT,
    blockTime: new Date(Date.parse('2030-01-01T00:00:01Z') + seconds * 1000),
  });
  const ACCEPTS: Candidate = { ...ONE, latePolicy: 'ACCEPT' };
  const named = (payment: Payment): Payment => ({ ...payment, input: naming(ONE).input });

  it.each<[string, Payment, Candidate[], unknown]>([
    ['is credited where that is accepted', AFTER(1), [ACCEPTS], credits('one', true)],
    ['is credited to one that has expired', AFTER(1), [{ ...ACCEPTS, status: 'EXPIRED' }], credits('one', true)],
    ['is credited in the last second of the late window', AFTER(3599), [ACCEPTS], credits('one', true)],
    ['is not credited behind it', AFTER(3600), [ACCEPTS], { kind: 'none' }],
    ['is not credited where there is none', AFTER(1), [{ ...ACCEPTS, lateUntil: null }], { kind: 'none' }],
    ['is not credited where money goes back', AFTER(1), [{ ...ACCEPTS, isRefunded: true }], { kind: 'none' }],
    ['is not credited where it waits', AFTER(1), [ONE], { kind: 'none' }],
    ['goes to the order that is still open', AFTER(1), [ACCEPTS, { ...TWO, expiresAt: LATE_UNTIL }], credits('two')],
    ['is nobody’s where two accept it', AFTER(1), [ACCEPTS, { ...ACCEPTS, id: 'two' }], { kind: 'none' }],
    [
      'is noted where it names the order and waits',
      named(AFTER(1)),
      [ONE],
      { kind: 'refused', orderId: 'one', exception: 'LATE' },
    ],
    ['is credited where it names the order', named(AFTER(1)), [ACCEPTS], credits('one', true)],
    [
      'is noted behind the window where it names the order',
      named(AFTER(3600)),
      [ACCEPTS],
      { kind: 'refused', orderId: 'one', exception: 'LATE' },
    ],
    [
      'is nothing to an order that was called off',
      named(PAYMENT),
      [{ ...ACCEPTS, status: 'CANCELED' }],
      { kind: 'refused', orderId: 'one', exception: null },
    ],
  ])('%s', (_, payment, candidates, expected) => {
    expect(matchOrder(payment, candidates)).toEqual(expected);
  });

  it('is a second one of an order that has what is tolerated', () => {
    const order: Candidate = { ...ONE, status: 'CONFIRMING', tolerance: 2n };
    expect(matchOrder({ ...PAYMENT, units: 8n, input: naming(ONE).input }, [order])).toMatchObject({
      exception: 'DUPLICATE',
    });
    expect(matchOrder({ ...PAYMENT, units: 7n, input: naming(ONE).input }, [order])).toEqual(credits('one'));
  });
});
