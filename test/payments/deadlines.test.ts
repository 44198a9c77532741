import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectBooksToBalance } from './books.ts';
import {
  type Market,
  makeLink,
  makeOrder,
  newPayer,
  type Order,
  openMarket,
  type Payer,
  setDeadline,
  stateOf,
  timeOfHead,
  toldOf,
} from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

/** A payer and its order of 12.5 TUSD. */
async function begin(): Promise<{ payer: Payer; order: Order }> {
  const payer = await newPayer(market);
  const { slug } = await makeLink(market);
  await market.watch();
  return { payer, order: await makeOrder(market, { slug, payer: payer.address }) };
}

const confirm = async (): Promise<void> => {
  await market.mine();
  await market.watch();
};

const SECOND = 1_000;
const LONG_AGO = new Date(Date.UTC(2020, 0, 1));

/** Ends the order's time with the newest block, and lets the watcher read the chain after that. */
async function endTimeWithHead(order: Order): Promise<void> {
  const end = await timeOfHead(market);
  await setDeadline(market, order, end);
  await sleep(Math.max(0, end.getTime() + 50 - Date.now()));
  await market.watch();
}

/** What a transaction was credited to; it may stand in the inbox instead. */
function creditsOf(hash: string): Promise<unknown[]> {
  return market.sql(
    `select from payment_credits c
     join blockchain_transactions b on b.organization_id = c.organization_id and b.id = c.blockchain_transaction_id
     where b.hash = $1`,
    hash,
  );
}

describe('parts of a payment', () => {
  it('add up until all that is due is there', async () => {
    const { payer, order } = await begin();
    await payer.pay(order, { units: 5_000_000n });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED', credited: 5_000_000n, exceptions: [] });
    await payer.pay(order, { units: 7_000_000n });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED', credited: 12_000_000n });
    await payer.pay(order, { units: 500_000n });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n, exceptions: [] });
    expect(await toldOf(market, order)).toEqual(['created', 'detected', 'credited', 'paid']);
  });

  it('are final together, not before the last of them', async () => {
    const { payer, order } = await begin();
    await payer.pay(order, { units: 12_000_000n });
    await market.mine(40);
    await payer.pay(order, { units: 500_000n });
    await market.mine(40);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID' });
    await market.mine(40);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'FINAL' });
  });

  it('are surplus beyond what is due, and recorded as that', async () => {
    const { payer, order } = await begin();
    await payer.pay(order, { units: 12_000_000n });
    await payer.pay(order, { units: 600_000n });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({
      status: 'PAID',
      credited: 12_600_000n,
      exceptions: ['OVERPAID'],
    });
  });
});

describe('more than is due', () => {
  it('in one transfer is paid and overpaid', async () => {
    const { payer, order } = await begin();
    await payer.pay(order, { units: 20_000_000n });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({
      status: 'PAID',
      credited: 20_000_000n,
      exceptions: ['OVERPAID'],
    });
    expect(await toldOf(market, order)).toEqual(['created', 'paid']);
  });

  it.each([
    ['while the first is still to be confirmed', 0],
    ['when the first was paid', 1],
    ['when the first was final', 70],
  ])('in a second full payment %s is a duplicate, and not added', async (_, blocks) => {
    const { payer, order } = await begin();
    await payer.pay(order);
    if (blocks > 0) await market.mine(blocks);
    await market.watch();
    const { hash } = await payer.pay(order);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({
      status: blocks > 1 ? 'FINAL' : 'PAID',
      credited: 12_500_000n,
      exceptions: ['DUPLICATE'],
    });
    expect(await creditsOf(hash)).toEqual([]);
  });

  it('that is read together with the first is a duplicate too', async () => {
    const { payer, order } = await begin();
    await payer.pay(order);
    await payer.pay(order);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({
      status: 'PAID',
      credited: 12_500_000n,
      exceptions: ['DUPLICATE'],
    });
  });
});

describe('the deadline', () => {
  it('ends an order that nobody paid', async () => {
    const { order } = await begin();
    await setDeadline(market, order, LONG_AGO);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED', exceptions: [] });
    expect(await toldOf(market, order)).toEqual(['created', 'expired']);
  });

  it('does not end an order before the chain was read up to a head polled after it', async () => {
    const { order } = await begin();
    await setDeadline(market, order, new Date(Date.now() + 5 * SECOND));
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED' });
  });

  it('ends an order that was paid in part, and says so', async () => {
    const { payer, order } = await begin();
    await payer.pay(order, { units: 12_499_999n });
    await market.watch();
    await setDeadline(market, order, LONG_AGO);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({
      status: 'EXPIRED',
      credited: 12_499_999n,
      exceptions: ['UNDERPAID'],
    });
    expect(await toldOf(market, order)).toEqual(['created', 'detected', 'expired']);
  });

  it('leaves an order alone that has all that is due, and only waits for blocks', async () => {
    const { payer, order } = await begin();
    await payer.pay(order);
    await market.watch();
    await setDeadline(market, order, LONG_AGO);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING' });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', exceptions: [] });
  });

  it('is kept by a payment in a block of its last second, however late that block is read', async () => {
    const { payer, order } = await begin();
    await payer.pay(order);
    await endTimeWithHead(order);
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING', credited: 12_500_000n });
  });

  it('is missed by a payment in a later block, which is late and not credited', async () => {
    const { payer, order } = await begin();
    await payer.pay(order);
    await setDeadline(market, order, new Date((await timeOfHead(market)).getTime() - SECOND));
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED', credited: 0n, exceptions: ['LATE'] });
  });

  it('makes a payment to an order that has expired late', async () => {
    const { payer, order } = await begin();
    await setDeadline(market, order, LONG_AGO);
    await market.watch();
    const { hash } = await payer.pay(order);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED', credited: 0n, exceptions: ['LATE'] });
    expect(await creditsOf(hash)).toEqual([]);
  });

  it('makes nothing of a payment without the reference to an order that has expired', async () => {
    const { payer, order } = await begin();
    await setDeadline(market, order, LONG_AGO);
    await market.watch();
    await payer.pay(order, { reference: false });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED', credited: 0n, exceptions: [] });
  });
});
