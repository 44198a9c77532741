import type { Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { followChain } from '../../src/chain/jobs.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { settleOrders } from '../../src/payments/jobs.ts';
import type { ChainReader } from '../../src/ports.ts';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { decide, entryOf, type Refund, refundsOf, reorganize, sendAgain, toldAbout } from './inbox.ts';
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
  toldOf,
} from './market.ts';
import { refunding } from './refunding.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const someone = (): Hex => privateKeyToAccount(generatePrivateKey()).address;

const { request, addressed, sendBack, stateIn, settle } = refunding(() => market);

interface Begun {
  readonly shop: Person;
  readonly payTo: string;
  readonly payer: Payer;
  readonly order: Order;
  readonly uuid: string;
  readonly orderId: string;
}

/** A shop of its own with an order of 12.5 TUSD that nobody has paid, and with money of its own to send something back. */
async function open(terms: string = 'over_policy = over_policy'): Promise<Begun> {
  const shop = await signIn(market.house);
  const payer = await newPayer(market);
  await market.chain.node.setBalance({ address: shop.account.address, value: 10n ** 21n });
  await (await newPayer(market)).transfer(shop.account.address, 50_000_000n);
  await market.mine(3);
  const { slug, payTo } = await makeLink(market, { by: shop });
  await market.watch();
  const order = await makeOrder(market, { slug, payer: payer.address });
  const { id: uuid } = await stateOf(market, order);
  await market.sql(`update payment_orders set ${terms} where id = $1`, uuid);
  return { shop, payTo, payer, order, uuid, orderId: encodeGlobalId('PaymentOrder', uuid) };
}

/** What is asked for back of an order, the oldest first, as its status, units and whether the chain called it off. */
async function asked(by: Person, uuid: string): Promise<string[]> {
  const { refunds } = await refundsOf(market, by, uuid);
  return refunds.map(({ status, units, withdrawn }) => `${status} ${units}${withdrawn ? ' withdrawn' : ''}`).reverse();
}

async function refundOfEntry(by: Person): Promise<Refund | undefined> {
  const { data } = await market.house.ask<{ organization: { paymentRefunds: { edges: { node: Refund }[] } } }>(
    `{ organization { paymentRefunds(first: 1) { edges { node {
      id status units withdrawn waitsFor paymentRequest { to value data } } } } } }`,
    {},
    { token: by.accessToken },
  );
  return data?.organization.paymentRefunds.edges[0]?.node;
}

describe('what a refund of an order gives back', () => {
  it('is as final as the order asks for before its transaction is shown', async () => {
    const { shop, payer, order, orderId } = await open();
    await payer.pay(order, { units: 5_000_000n });
    await market.watch();
    const { id } = await request(shop, orderId, '2');
    expect(await stateIn(shop, orderId, id)).toMatchObject({ waitsFor: 'DESTINATION', paymentRequest: null });
    const words = { id, destination: someone(), reason: 'asked by phone' };
    const { answer } = await decide(market, shop, 'setRefundDestination', words);
    expect(answer?.refund).toMatchObject({ status: 'PENDING', waitsFor: 'FINALITY', paymentRequest: null });
    await settle();
    const due = await stateIn(shop, orderId, id);
    expect(due).toMatchObject({ waitsFor: 'TRANSFER', paymentRequest: { value: '0' } });
    // nobody can tell which of several transfers goes back, so that all of them are awaited
    await payer.pay(order, { units: 1_000_000n });
    await market.watch();
    expect(await stateIn(shop, orderId, id)).toMatchObject({ waitsFor: 'FINALITY', paymentRequest: null });
    await settle();
    expect(await stateIn(shop, orderId, id)).toMatchObject({ waitsFor: 'TRANSFER' });
    await sendBack(shop, due);
    await market.watch();
    expect(await stateIn(shop, orderId, id)).toMatchObject({ waitsFor: 'CONFIRMATIONS' });
    await settle();
    expect(await stateIn(shop, orderId, id)).toMatchObject({ status: 'COMPLETED', waitsFor: null });
  });

  it('is shown again only when the block that it moved to is deep enough', async () => {
    const { shop, payer, order, orderId } = await open();
    const { raw } = await payer.pay(order);
    await settle();
    const { id } = await addressed(shop, orderId, '2', someone());
    expect(await stateIn(shop, orderId, id)).toMatchObject({ waitsFor: 'TRANSFER' });
    await reorganize(market, 2, [raw, 1]);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID' });
    expect(await stateIn(shop, orderId, id)).toMatchObject({ waitsFor: 'FINALITY', paymentRequest: null });
    await settle();
    expect(await stateIn(shop, orderId, id)).toMatchObject({ waitsFor: 'TRANSFER' });
  });

  it('is asked for no more when the chain takes it away, and reserves nothing', async () => {
    const { shop, payer, order, uuid, orderId } = await open();
    const { raw } = await payer.pay(order);
    await settle();
    await request(shop, orderId, '2');
    const { id } = await addressed(shop, orderId, '3', someone());
    await reorganize(market, 2);
    await market.watch();
    expect(await asked(shop, uuid)).toEqual(['CANCELED 2000000 withdrawn', 'CANCELED 3000000 withdrawn']);
    expect((await refundsOf(market, shop, uuid)).refund).toBe('NONE');
    expect(await toldAbout(market, 'payment-refund', id)).toEqual(['requested', 'addressed', 'canceled']);
    expect((await toldOf(market, order)).slice(-2)).toEqual(['reversed', 'refund-changed']);
    expect((await decide(market, shop, 'requestRefund', { orderId })).code).toBe('REFUND_EXCEEDS');
    expect((await decide(market, shop, 'cancelRefund', { id })).code).toBe('REFUND_CLOSED');
    await sendAgain(market, raw);
    await settle();
    // whoever has asked decides anew, about all of it
    expect(await asked(shop, uuid)).toHaveLength(2);
    expect(await request(shop, orderId)).toMatchObject({ units: '12500000' });
  });

  it('is asked for no more as far as it is more than what is left, the latest first', async () => {
    const { shop, payer, order, uuid, orderId } = await open();
    const kept = await payer.pay(order, { units: 5_000_000n });
    await market.mine();
    await payer.pay(order, { units: 7_500_000n });
    await settle();
    for (const amount of ['4', '3', '5']) await request(shop, orderId, amount);
    await reorganize(market, 4, [kept.raw, 0]);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ credited: 5_000_000n });
    expect(await asked(shop, uuid)).toEqual([
      'REQUESTED 4000000',
      'CANCELED 3000000 withdrawn',
      'CANCELED 5000000 withdrawn',
    ]);
    expect((await decide(market, shop, 'requestRefund', { orderId, amount: '1.1' })).code).toBe('REFUND_EXCEEDS');
    expect(await request(shop, orderId)).toMatchObject({ units: '1000000' });
  });

  it('that was sent already needs a person, until the chain has it again', async () => {
    const { shop, payer, order, uuid, orderId } = await open();
    const paid = await payer.pay(order);
    await settle();
    const refund = await addressed(shop, orderId, '3', someone());
    const sent = await sendBack(shop, await stateIn(shop, orderId, refund.id));
    await market.watch();
    await reorganize(market, 4, [sent.raw, 1]);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ credited: 0n, exceptions: ['NEEDS_REVIEW', 'REORGED'] });
    expect(await asked(shop, uuid)).toEqual(['COMPLETED 3000000']);
    await sendAgain(market, paid.raw);
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', exceptions: ['REORGED'] });
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({ status: 'COMPLETED' });
    // and of both there is nothing left when both are gone
    await reorganize(market, 6);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ credited: 0n, exceptions: ['REORGED'] });
    expect(await asked(shop, uuid)).toEqual(['CANCELED 3000000 withdrawn']);
    expect((await toldAbout(market, 'payment-refund', refund.id)).slice(-2)).toEqual(['reversed', 'canceled']);
  });
});

describe('what the terms of an order give back', () => {
  it('is called off with a surplus that the chain takes away, and asked for again when it returns', async () => {
    const { shop, payTo, payer, order, uuid, orderId } = await open(`over_policy = 'REFUND'`);
    await payer.pay(order);
    await market.mine();
    const second = await (await newPayer(market)).transfer(payTo, 2_000_000n);
    await settle();
    const entry = await entryOf(market, shop, second.hash);
    expect((await decide(market, shop, 'assignUnmatchedPayment', { id: entry?.id, orderId })).code).toBe('OK');
    await market.watch();
    expect(await asked(shop, uuid)).toEqual(['REQUESTED 2000000']);
    await reorganize(market, 2);
    await market.watch();
    // what is left is what was due, and no part of it goes back
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    expect(await asked(shop, uuid)).toEqual(['CANCELED 2000000 withdrawn']);
    await sendAgain(market, second.raw);
    await settle();
    await market.watch();
    expect(await asked(shop, uuid)).toEqual(['CANCELED 2000000 withdrawn', 'REQUESTED 2000000']);
    // and not once more when a member calls it off
    const [{ id } = { id: '' }] = (await refundsOf(market, shop, uuid)).refunds;
    await decide(market, shop, 'cancelRefund', { id });
    await settle();
    expect(await asked(shop, uuid)).toEqual(['CANCELED 2000000 withdrawn', 'CANCELED 2000000']);
  });

  it('is as much of a part as there is, and nothing when the whole returns', async () => {
    const { shop, payer, order, uuid } = await open(`under_policy = 'REFUND'`);
    const [one, two] = [
      await payer.pay(order, { units: 4_000_000n }),
      await payer.pay(order, { units: 3_000_000n }),
      await payer.pay(order, { units: 5_500_000n }),
    ];
    await reorganize(market, 3, [one.raw, 0], [two.raw, 1]);
    await market.mine();
    await market.watch();
    await setDeadline(market, order, new Date(Date.now() - 5_000));
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await settle();
    await market.watch();
    expect(await asked(shop, uuid)).toEqual(['REQUESTED 7000000']);
    await reorganize(market, 5, [one.raw, 0]);
    await market.watch();
    await settle();
    expect(await asked(shop, uuid)).toEqual(['CANCELED 7000000 withdrawn', 'REQUESTED 4000000']);
    await sendAgain(market, two.raw);
    await settle();
    await settle();
    expect(await asked(shop, uuid)).toEqual([
      'CANCELED 7000000 withdrawn',
      'CANCELED 4000000 withdrawn',
      'REQUESTED 7000000',
    ]);
  });
});

describe('a refund of the inbox', () => {
  it('waits until its transfer is final, is called off when the chain takes it away, and is decided about anew', async () => {
    const { shop, payTo } = await open();
    const { hash, raw } = await (await newPayer(market)).transfer(payTo, 700_000n);
    await market.watch();
    const entry = await entryOf(market, shop, hash);
    const { answer } = await decide(market, shop, 'refundUnmatchedPayment', { id: entry?.id });
    const id = answer?.refund.id;
    await decide(market, shop, 'setRefundDestination', { id, destination: someone(), reason: 'asked by mail' });
    expect(await refundOfEntry(shop)).toMatchObject({ waitsFor: 'FINALITY', paymentRequest: null });
    await settle();
    expect(await refundOfEntry(shop)).toMatchObject({ waitsFor: 'TRANSFER', paymentRequest: { value: '0' } });
    await reorganize(market, 2);
    await market.watch();
    expect(await entryOf(market, shop, hash)).toMatchObject({ status: 'REVERSED', needsReview: false });
    expect(await refundOfEntry(shop)).toMatchObject({ id, status: 'CANCELED', withdrawn: true, waitsFor: null });
    await sendAgain(market, raw);
    await settle();
    expect(await entryOf(market, shop, hash)).toMatchObject({ status: 'OPEN' });
    const again = await decide(market, shop, 'refundUnmatchedPayment', { id: entry?.id });
    expect(again).toMatchObject({ code: 'OK', answer: { refund: { units: '700000', status: 'REQUESTED' } } });
    expect(again.answer?.refund.id).not.toBe(id);
  });

  it('that was sent already needs a person, until the chain has it again', async () => {
    const { shop, payTo } = await open();
    const paid = await (await newPayer(market)).transfer(payTo, 700_000n);
    await settle();
    const entry = await entryOf(market, shop, paid.hash);
    const { answer } = await decide(market, shop, 'refundUnmatchedPayment', { id: entry?.id });
    const words = { id: answer?.refund.id, destination: someone(), reason: 'asked by mail' };
    const due = (await decide(market, shop, 'setRefundDestination', words)).answer?.refund;
    const sent = await sendBack(shop, due ?? { paymentRequest: null });
    await market.watch();
    await reorganize(market, 3, [sent.raw, 0]);
    await market.watch();
    expect(await entryOf(market, shop, paid.hash)).toMatchObject({ status: 'REVERSED', needsReview: true });
    expect(await refundOfEntry(shop)).toMatchObject({ status: 'COMPLETED' });
    await sendAgain(market, paid.raw);
    await settle();
    expect(await entryOf(market, shop, paid.hash)).toMatchObject({ status: 'REFUNDED', needsReview: false });
  });

  it('is called off when its transfer is mined again with another outcome, which is decided about anew', async () => {
    const { shop, payTo } = await open();
    const { hash, raw } = await (await newPayer(market)).transfer(payTo, 700_000n);
    await settle();
    const entry = await entryOf(market, shop, hash);
    expect((await decide(market, shop, 'refundUnmatchedPayment', { id: entry?.id })).code).toBe('OK');
    await market.watch();
    await reorganize(market, 2, [raw, 1]);
    const reader: ChainReader = {
      ...market.reader,
      block: async (number, tokens) => {
        const content = await market.reader.block(number, tokens);
        const transfers = content?.transfers.map((each) =>
          each.transactionHash === hash ? { ...each, units: 1n } : each,
        );
        return content && { ...content, transfers: transfers ?? [] };
      },
    };
    for (let round = 0; round < 3; round += 1) {
      await followChain(market.worker, market.registered(), reader);
      await settleOrders(market.worker, market.registered());
    }
    expect(await refundOfEntry(shop)).toMatchObject({ status: 'CANCELED', units: '700000', withdrawn: true });
    expect(await entryOf(market, shop, hash)).toMatchObject({ status: 'OPEN', transaction: { units: '1' } });
    const again = await decide(market, shop, 'refundUnmatchedPayment', { id: entry?.id });
    expect(again.answer?.refund).toMatchObject({ units: '1' });
  });

  it('that the terms give back is asked for again when the transfer returns', async () => {
    const { shop, payer, payTo, order, uuid } = await open(
      `late_policy = 'REFUND', late_until = now() + interval '1 hour'`,
    );
    await setDeadline(market, order, new Date(Date.now() - 5_000));
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ id: uuid, status: 'EXPIRED' });
    const { hash, raw } = await payer.transfer(payTo, 7_000_000n);
    await settle();
    const first = await refundOfEntry(shop);
    expect(first).toMatchObject({ status: 'REQUESTED', units: '7000000' });
    await reorganize(market, 2);
    await market.watch();
    expect(await refundOfEntry(shop)).toMatchObject({ id: first?.id, status: 'CANCELED', withdrawn: true });
    await sendAgain(market, raw);
    await settle();
    await market.watch();
    expect(await entryOf(market, shop, hash)).toMatchObject({ status: 'REFUNDED' });
    const second = await refundOfEntry(shop);
    expect(second).toMatchObject({ status: 'REQUESTED', units: '7000000' });
    expect(second?.id).not.toBe(first?.id);
  });
});
