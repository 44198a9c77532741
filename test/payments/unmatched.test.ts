import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import {
  colleague,
  type Decided,
  decide,
  type Entry,
  entryOf,
  inboxOf,
  reorganize,
  secondShop,
  sendAgain,
  toldAbout,
} from './inbox.ts';
import {
  ETH,
  type Market,
  makeLink,
  makeOrder,
  newPayer,
  type Order,
  openMarket,
  type Payer,
  setDeadline,
  stateOf,
  TUSD,
} from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

interface Begun {
  readonly shop: Person;
  readonly slug: string;
  readonly payTo: string;
  readonly payer: Payer;
  readonly order: Order;
  readonly orderId: string;
}

/** A shop of its own, a link of it, and a payer with an order of 12.5 TUSD. */
async function begin(accepts?: { asset: string; amount: string }[]): Promise<Begun> {
  const shop = await signIn(market.house);
  const payer = await newPayer(market);
  const { slug, payTo } = await makeLink(market, { by: shop, ...(accepts && { accepts }) });
  await market.watch();
  const order = await makeOrder(market, { slug, payer: payer.address, asset: TUSD });
  const { id } = await stateOf(market, order);
  return { shop, slug, payTo, payer, order, orderId: encodeGlobalId('PaymentOrder', id) };
}

const LONG_AGO = new Date(Date.UTC(2020, 0, 1));
const codes = (decided: readonly Decided<unknown>[]): string[] => decided.map(({ code }) => code).sort();

async function entry(by: Person, hash: `0x${string}`): Promise<Entry> {
  const found = await entryOf(market, by, hash);
  if (!found) throw new Error('The inbox does not have it.');
  return found;
}

describe('money that no order takes', () => {
  it('of somebody who was not to pay stands in the inbox with its likely order, and is given to it', async () => {
    const { shop, payTo, order, orderId } = await begin();
    const stranger = await newPayer(market);
    const { hash } = await stranger.transfer(payTo, 12_500_000n);
    await market.watch();
    const found = await entry(shop, hash);
    expect(found).toMatchObject({
      status: 'OPEN',
      reason: 'UNKNOWN_SENDER',
      transaction: { units: '12500000', status: 'INCLUDED' },
      candidates: [{ reason: 'AMOUNT', paymentOrder: { id: orderId } }],
      paymentOrder: null,
    });
    const input = { id: found.id, orderId, idempotencyKey: 'assign-it-to-this-order' };
    const assigned = await decide(market, shop, 'assignUnmatchedPayment', input);
    expect(assigned).toMatchObject({
      code: 'OK',
      answer: { unmatchedPayment: { status: 'ASSIGNED' }, replayed: false },
    });
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    expect(await entry(shop, hash)).toMatchObject({ status: 'ASSIGNED', paymentOrder: { id: orderId } });
    expect((await decide(market, shop, 'assignUnmatchedPayment', input)).answer).toMatchObject({ replayed: true });
    expect((await decide(market, shop, 'assignUnmatchedPayment', { id: found.id, orderId })).code).toBe(
      'UNMATCHED_PAYMENT_CLOSED',
    );
    expect(await toldAbout(market, 'unmatched-payment', found.id)).toEqual(['received', 'assigned']);
  });

  it('is told apart by why no order took it', async () => {
    const { shop, slug, payTo, payer, order } = await begin();
    const stranger = await newPayer(market);
    const twice = await newPayer(market);
    await makeOrder(market, { slug, payer: twice.address });
    await makeOrder(market, { slug, payer: twice.address });
    const late = await newPayer(market);
    const lateOrder = await makeOrder(market, { slug, payer: late.address });
    await setDeadline(market, lateOrder, LONG_AGO);
    await payer.pay(order);
    const sent = {
      DUPLICATE: await payer.pay(order),
      AMBIGUOUS: await twice.transfer(payTo, 12_500_000n),
      LATE: await late.pay(lateOrder),
      WRONG_CHAIN: null,
      WRONG_ASSET: await stranger.send({ to: payTo as `0x${string}`, value: 5n }),
      UNKNOWN_SENDER: await stranger.transfer(payTo, 3n),
    };
    await market.watch();
    for (const [reason, transaction] of Object.entries(sent)) {
      if (transaction) expect(await entry(shop, transaction.hash)).toMatchObject({ reason, status: 'OPEN' });
    }
    expect((await inboxOf(market, shop)).map(({ reason }) => reason).sort()).toEqual(
      Object.keys(sent)
        .filter((reason) => reason !== 'WRONG_CHAIN')
        .sort(),
    );
    const filtered = await inboxOf(market, shop, { reason: ['LATE', 'DUPLICATE'], status: ['OPEN'] });
    expect(filtered.map(({ reason }) => reason).sort()).toEqual(['DUPLICATE', 'LATE']);
    expect(await inboxOf(market, shop, { status: ['IGNORED'] })).toEqual([]);
  });

  it('is not there when an order takes it, nor when nothing is sent', async () => {
    const { shop, payer, payTo, order } = await begin();
    await payer.pay(order, { units: 5_000_000n });
    await payer.pay(order, { units: 7_500_000n, reference: false });
    await payer.transfer(payTo, 0n);
    await market.watch();
    expect(await inboxOf(market, shop)).toEqual([]);
  });

  it('that an order takes after all is no longer anybody’s to decide about', async () => {
    const { shop, payer, order, orderId } = await begin();
    const first = await payer.pay(order);
    await market.watch();
    const second = await payer.pay(order);
    await market.watch();
    expect(await entry(shop, second.hash)).toMatchObject({ status: 'OPEN', reason: 'DUPLICATE' });
    await reorganize(market, 2, [second.raw, 0]);
    await market.watch();
    // without the first, whose nonce comes before, the second is no transaction of the new chain
    expect(await entry(shop, second.hash)).toMatchObject({ status: 'REVERSED' });
    await sendAgain(market, first.raw);
    await sendAgain(market, second.raw);
    await market.watch();
    expect(await entry(shop, second.hash)).toMatchObject({ status: 'OPEN' });
    expect(await stateOf(market, order)).toMatchObject({ credited: 12_500_000n });
    expect(orderId).toBeDefined();
  });
});

describe('an entry of the inbox', () => {
  it('follows its transfer, back and forth, whatever was decided', async () => {
    const { shop, payTo, orderId, order } = await begin();
    const [one, two, three] = [await newPayer(market), await newPayer(market), await newPayer(market)];
    const open = await one.transfer(payTo, 1_000_000n);
    const ignored = await two.transfer(payTo, 2_000_000n);
    const assigned = await three.transfer(payTo, 3_000_000n);
    await market.watch();
    const note = 'a test of the cashier’s';
    const { id } = await entry(shop, ignored.hash);
    expect(await decide(market, shop, 'ignoreUnmatchedPayment', { id, note })).toMatchObject({ code: 'OK' });
    const mine = await entry(shop, assigned.hash);
    await decide(market, shop, 'assignUnmatchedPayment', { id: mine.id, orderId });
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED', credited: 3_000_000n });

    await reorganize(market, 3);
    await market.watch();
    for (const { hash } of [open, ignored, assigned]) {
      expect(await entry(shop, hash)).toMatchObject({ status: 'REVERSED', transaction: { status: 'ORPHANED' } });
    }
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
    expect((await decide(market, shop, 'refundUnmatchedPayment', { id })).code).toBe('UNMATCHED_PAYMENT_CLOSED');

    for (const { raw } of [open, ignored, assigned]) await sendAgain(market, raw);
    await market.watch();
    expect(await entry(shop, open.hash)).toMatchObject({ status: 'OPEN', transaction: { status: 'INCLUDED' } });
    expect(await entry(shop, ignored.hash)).toMatchObject({ status: 'IGNORED', note });
    expect(await entry(shop, assigned.hash)).toMatchObject({ status: 'ASSIGNED', paymentOrder: { id: orderId } });
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED', credited: 3_000_000n });
    expect(await toldAbout(market, 'unmatched-payment', mine.id)).toEqual([
      'received',
      'assigned',
      'reversed',
      'reinstated',
    ]);
  });

  it('goes to no order of another asset, of nobody, or that is over', async () => {
    const { shop, slug, payTo, payer, orderId } = await begin([
      { asset: TUSD, amount: '12.5' },
      { asset: ETH, amount: '1' },
    ]);
    const inEther = await makeOrder(market, { slug, payer: payer.address, asset: ETH });
    const stranger = await newPayer(market);
    const { hash } = await stranger.send({ to: payTo as `0x${string}`, value: 7n });
    await market.watch();
    const { id } = await entry(shop, hash);
    const assign = async (order: string): Promise<string> =>
      (await decide(market, shop, 'assignUnmatchedPayment', { id, orderId: order })).code;
    expect(await assign(orderId)).toBe('ASSET_MISMATCH');
    const other = await begin();
    expect(await assign(other.orderId)).toBe('ORDER_NOT_FOUND');
    expect(await assign(encodeGlobalId('PaymentOrder', newId()))).toBe('ORDER_NOT_FOUND');
    expect(await assign(id)).toBe('ORDER_NOT_FOUND');
    const { id: etherId } = await stateOf(market, inEther);
    await market.sql(`update payment_orders set status = 'FAILED' where id = $1`, etherId);
    expect(await assign(encodeGlobalId('PaymentOrder', etherId))).toBe('ORDER_TAKES_NOTHING');
    await market.sql(`update payment_orders set status = 'CREATED' where id = $1`, etherId);
    expect(await assign(encodeGlobalId('PaymentOrder', etherId))).toBe('OK');
    await market.watch();
    expect(await stateOf(market, inEther)).toMatchObject({ status: 'DETECTED', credited: 7n });
  });

  it('is decided about by whoever may write payments, in its own organization alone', async () => {
    const { shop, payTo, orderId } = await begin();
    const stranger = await newPayer(market);
    const { hash } = await stranger.transfer(payTo, 1n);
    await market.watch();
    const { id } = await entry(shop, hash);
    const [member, admin] = [await colleague(market, shop, 'MEMBER'), await colleague(market, shop, 'ADMIN')];
    const foreign = await signIn(market.house);
    const deeds = [
      ['assignUnmatchedPayment', { id, orderId }],
      ['ignoreUnmatchedPayment', { id, note: 'no' }],
      ['refundUnmatchedPayment', { id }],
    ] as const;
    for (const [deed, input] of deeds) {
      expect([deed, (await decide(market, member, deed, input)).code]).toEqual([deed, 'FORBIDDEN']);
      expect([deed, (await decide(market, null, deed, input)).code]).toEqual([deed, 'UNAUTHENTICATED']);
      expect([deed, (await decide(market, foreign, deed, input)).code]).toEqual([deed, 'UNMATCHED_PAYMENT_NOT_FOUND']);
    }
    expect((await inboxOf(market, member)).map((each) => each.id)).toEqual([id]);
    expect(await inboxOf(market, foreign)).toEqual([]);
    expect((await decide(market, admin, 'ignoreUnmatchedPayment', { id, note: '' })).code).toBe('BAD_USER_INPUT');
    expect((await decide(market, admin, 'ignoreUnmatchedPayment', { id, note: 'ours' })).code).toBe('OK');
  });

  it('asks for a fresh proof where the organization does', async () => {
    const { shop, payTo } = await begin();
    const { hash } = await (await newPayer(market)).transfer(payTo, 1n);
    await market.watch();
    const { id } = await entry(shop, hash);
    await market.sql(
      `update organization_settings set require_step_up = true where organization_id in (
      select organization_id from unmatched_payments where id = $1)`,
      Buffer.from(id, 'base64url').toString().split(':')[1],
    );
    await market.sql(`update sessions set proved_at = now() - interval '1 hour'`);
    expect((await decide(market, shop, 'ignoreUnmatchedPayment', { id, note: 'x' })).code).toBe('STEP_UP_REQUIRED');
    expect((await entry(shop, hash)).status).toBe('OPEN');
  });

  it('is decided about once, of many at one instant', async () => {
    const { shop, payTo, orderId, order } = await begin();
    const { hash } = await (await newPayer(market)).transfer(payTo, 12_500_000n);
    await market.watch();
    const { id } = await entry(shop, hash);
    const decided = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        index % 2 === 0
          ? decide(market, shop, 'assignUnmatchedPayment', { id, orderId })
          : decide(market, shop, 'refundUnmatchedPayment', { id }),
      ),
    );
    expect(codes(decided)).toEqual(['OK', ...Array.from({ length: 11 }, () => 'UNMATCHED_PAYMENT_CLOSED')]);
    await market.watch();
    const { status } = await entry(shop, hash);
    expect((await stateOf(market, order)).credited).toBe(status === 'ASSIGNED' ? 12_500_000n : 0n);
  });
});

describe('two organizations that are paid at one account', () => {
  it('both see what no order took, and the first that decides has it', async () => {
    const { shop, payTo, orderId } = await begin();
    const other = await secondShop(market, shop);
    const { slug } = await makeLink(market, { by: other });
    const stranger = await newPayer(market);
    const theirs = await makeOrder(market, { slug, payer: stranger.address, asset: TUSD });
    const theirOrderId = encodeGlobalId('PaymentOrder', (await stateOf(market, theirs)).id);
    const sent = [await stranger.transfer(payTo, 20n), await (await newPayer(market)).transfer(payTo, 30n)];
    await market.watch();
    // the first is a part of their order, and so nothing to decide about
    expect(await entryOf(market, other, sent[0]?.hash ?? '0x')).toBeUndefined();
    expect(await entryOf(market, shop, sent[0]?.hash ?? '0x')).toBeUndefined();
    const hash = sent[1]?.hash ?? '0x';
    const [ours, seen] = [await entry(shop, hash), await entry(other, hash)];
    expect([ours.status, seen.status]).toEqual(['OPEN', 'OPEN']);
    const decided = await Promise.all([
      decide(market, shop, 'assignUnmatchedPayment', { id: ours.id, orderId }),
      decide(market, other, 'assignUnmatchedPayment', { id: seen.id, orderId: theirOrderId }),
    ]);
    expect(codes(decided)).toEqual(['OK', 'TRANSFER_TAKEN']);
    await market.watch();
    const states = [(await entry(shop, hash)).status, (await entry(other, hash)).status];
    expect(states.sort()).toEqual(['ASSIGNED', 'TAKEN']);
    for (const [by, { id }] of [
      [shop, ours],
      [other, seen],
    ] as const) {
      const again = await decide(market, by, 'ignoreUnmatchedPayment', { id, note: 'x' });
      expect(['TRANSFER_TAKEN', 'UNMATCHED_PAYMENT_CLOSED']).toContain(again.code);
    }
  });
});

describe('an organization', () => {
  const remove = async (by: Person): Promise<string> => {
    const asked = await market.house.ask<{ organization: { slug: string } }>(
      '{ organization { slug } }',
      {},
      { token: by.accessToken },
    );
    const { errors } = await market.house.ask(
      'mutation ($slug: String!) { deleteOrganization(input: { slug: $slug }) { organizationId } }',
      { slug: asked.data?.organization.slug },
      { token: by.accessToken },
    );
    return errors[0]?.extensions.code ?? 'OK';
  };

  it('is not deleted while money waits in its inbox, or is to go back', async () => {
    const shop = await signIn(market.house);
    const { payTo } = await makeLink(market, { by: shop });
    await market.watch();
    const { hash } = await (await newPayer(market)).transfer(payTo, 40n);
    await market.watch();
    const { id } = await entry(shop, hash);
    expect(await remove(shop)).toBe('ORGANIZATION_HAS_OPEN_MONEY');
    const asked = await decide(market, shop, 'refundUnmatchedPayment', { id });
    expect(await remove(shop)).toBe('ORGANIZATION_HAS_OPEN_MONEY');
    const cancelled = await decide(market, shop, 'cancelRefund', { id: asked.answer?.refund.id });
    expect(cancelled).toMatchObject({ code: 'OK', answer: { refund: { status: 'CANCELED' } } });
    expect(await entry(shop, hash)).toMatchObject({ status: 'OPEN' });
    await decide(market, shop, 'ignoreUnmatchedPayment', { id, note: 'a mistake of ours' });
    expect(await remove(shop)).toBe('OK');
  });
});
