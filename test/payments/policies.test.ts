import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectBooksToBalance } from './books.ts';
import { type Market, type Order, openMarket, setDeadline, stateOf, timeOfHead, toldOf } from './market.ts';
import { beginOn, type LinkTerms, lastToldOf } from './orderTerms.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const begin = (terms: LinkTerms) => beginOn(market, terms);
const SECOND = 1_000;

const confirm = async (): Promise<void> => {
  await market.mine();
  await market.watch();
};

/** Ends an order's time before the newest block, and its late window, if it has one, so many seconds behind that. */
async function endTime(order: Order, lateSeconds = 0): Promise<void> {
  const end = new Date((await timeOfHead(market)).getTime() - SECOND);
  await setDeadline(market, order, end);
  await market.sql(
    `update payment_orders set late_until = expires_at + make_interval(secs => $2)
     where reference = decode($1, 'hex') and late_until is not null`,
    order.reference.slice(2),
    lateSeconds,
  );
}

describe('the tolerance of an order', () => {
  it('lets so much less be enough, and no less than that', async () => {
    const { payer, order } = await begin({ tolerance_basis_points: 100 });
    await payer.pay(order, { units: 12_374_999n });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED' });
    await payer.pay(order, { units: 1n });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_375_000n, exceptions: [] });
    await payer.pay(order, { units: 12_375_000n });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ credited: 12_375_000n, exceptions: ['DUPLICATE'] });
  });
});

describe('a part at the deadline', () => {
  it.each(['HOLD', 'REFUND'])(
    'of an order that says %s expires with it, and is told with all there is to know',
    async (policy) => {
      const { payer, order } = await begin({ under_policy: policy });
      await payer.pay(order, { units: 5_000_000n });
      await market.watch();
      await endTime(order);
      await market.watch();
      expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED', exceptions: ['UNDERPAID'] });
      expect((await lastToldOf(market, order, 'payment-order.expired')).data).toMatchObject({
        from: 'DETECTED',
        to: 'EXPIRED',
        exceptions: 'UNDERPAID',
        dueUnits: '12500000',
        creditedUnits: '5000000',
        surplusUnits: '0',
        payer: payer.address,
        refund: 'NONE',
      });
      // the worker asks for the refund next, and that is told, too
      expect((await lastToldOf(market, order)).data.refund).toBe(policy === 'REFUND' ? 'PENDING' : 'NONE');
    },
  );

  it('of an order that says ACCEPT pays it, once it is final enough', async () => {
    const { payer, order } = await begin({ under_policy: 'ACCEPT' });
    await payer.pay(order, { units: 5_000_000n });
    await market.watch();
    await endTime(order);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING', exceptions: ['UNDERPAID'] });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 5_000_000n });
    await market.mine(70);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'FINAL', exceptions: ['UNDERPAID'] });
    expect(await toldOf(market, order)).toEqual(['created', 'detected', 'confirming', 'paid', 'finalized']);
  });

  it('is nothing where nothing came: the order just expires', async () => {
    const { order } = await begin({ under_policy: 'ACCEPT' });
    await endTime(order);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED', exceptions: [] });
  });
});

describe('what is beyond what is due', () => {
  it.each(['KEEP', 'REFUND'])('is recorded by an order that says %s, and told', async (policy) => {
    const { payer, order } = await begin({ over_policy: policy });
    await payer.pay(order, { units: 13_000_000n });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', exceptions: ['OVERPAID'] });
    expect((await lastToldOf(market, order)).data).toMatchObject({ surplusUnits: '500000', exceptions: 'OVERPAID' });
  });
});

describe('a payment behind the deadline', () => {
  it('is credited within the late window of an order that accepts it, and pays it', async () => {
    const { payer, order } = await begin({ late_policy: 'ACCEPT', late_window_minutes: 5 });
    await payer.pay(order);
    await endTime(order, 60);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING', exceptions: ['LATE'] });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n, exceptions: ['LATE'] });
  });

  it('without the reference is credited too, when no other order takes it', async () => {
    const { payer, order } = await begin({ late_policy: 'ACCEPT', late_window_minutes: 5 });
    await endTime(order, 60);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED' });
    await payer.pay(order, { reference: false });
    await endTime(order, 60);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', exceptions: ['LATE'] });
  });

  it('completes a part that came in time', async () => {
    const { payer, order } = await begin({ late_policy: 'ACCEPT', late_window_minutes: 5 });
    await payer.pay(order, { units: 5_000_000n });
    await market.watch();
    await endTime(order, 60);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED', exceptions: ['UNDERPAID'] });
    await payer.pay(order, { units: 7_500_000n });
    await endTime(order, 60);
    // the part came in the last second of the time that there is now
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n, exceptions: ['LATE'] });
  });

  it.each([
    ['behind the late window', { late_policy: 'ACCEPT', late_window_minutes: 5 }, 0],
    ['of an order that accepts none', { late_policy: 'HOLD', late_window_minutes: 5 }, 60],
    ['of one that lets it be refunded', { late_policy: 'REFUND', late_window_minutes: 5 }, 60],
    ['of one without a late window', { late_policy: 'ACCEPT', late_window_minutes: 0 }, 60],
  ] as const)('%s is noted and not credited, and told', async (_, terms, lateSeconds) => {
    const { payer, order } = await begin(terms);
    await payer.pay(order);
    await endTime(order, lateSeconds);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ credited: 0n, exceptions: ['LATE'] });
    expect((await lastToldOf(market, order)).data).toMatchObject({ exceptions: 'LATE', creditedUnits: '0' });
  });
});

describe('what is awaited before an order is paid', () => {
  it.each([
    ['SAFE', 33],
    ['FINALIZED', 65],
  ])('is what the chain calls %s', async (finality, blocks) => {
    const { payer, order } = await begin({ finality });
    await payer.pay(order);
    await market.mine(10);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING' });
    await market.mine(blocks);
    await market.watch();
    expect(['PAID', 'FINAL']).toContain((await stateOf(market, order)).status);
    expect(await toldOf(market, order)).toContain('paid');
  });

  it('is the block alone, where one confirmation is', async () => {
    const { payer, order } = await begin({ finality: 'CONFIRMATIONS', finality_confirmations: 1 });
    await payer.pay(order);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID' });
  });

  it('is so many blocks, its own among them', async () => {
    const { payer, order } = await begin({ finality: 'CONFIRMATIONS', finality_confirmations: 5 });
    await payer.pay(order);
    await market.mine(3);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING' });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID' });
  });
});

describe('what is noticed of an order', () => {
  it('is told each time, whatever its state is', async () => {
    const { payer, order } = await begin({});
    await payer.pay(order, { units: 1n });
    await market.watch();
    await payer.pay(order, { units: 2n });
    await market.watch();
    await payer.pay(order, { units: 12_499_997n });
    await confirm();
    await payer.pay(order);
    await market.watch();
    expect(await toldOf(market, order)).toEqual(['created', 'detected', 'credited', 'paid', 'exception-noted']);
    expect((await lastToldOf(market, order)).data).toMatchObject({ from: 'PAID', to: 'PAID', exceptions: 'DUPLICATE' });
  });
});
