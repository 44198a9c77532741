import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { entryOf, toldAbout } from './inbox.ts';
import { ETH, type Market, makeLink, makeOrder, newPayer, type Order, openMarket, stateOf, TUSD } from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const WAYS = [
  { asset: TUSD, amount: '12.5' },
  { asset: ETH, amount: '1' },
];

/** A shop of its own that is paid in either asset, and a payer with an order in the token. */
async function begin() {
  const shop = await signIn(market.house);
  const payer = await newPayer(market);
  const { slug, payTo } = await makeLink(market, { by: shop, accepts: WAYS });
  await market.watch();
  const order = await makeOrder(market, { slug, payer: payer.address, asset: TUSD });
  return { shop, payer, slug, payTo: payTo as `0x${string}`, order };
}

const settle = async (): Promise<void> => {
  await market.mine();
  await market.watch();
};

const idOf = async (order: Order): Promise<string> => encodeGlobalId('PaymentOrder', (await stateOf(market, order)).id);

/** The orders of a shop that say so. */
async function exceptional(by: Person): Promise<readonly string[]> {
  const { data } = await market.house.ask<{
    organization: { paymentOrders: { edges: { node: { id: string } }[] } };
  }>(
    '{ organization { paymentOrders(filter: { exceptions: [WRONG_ASSET] }) { edges { node { id } } } } }',
    {},
    { token: by.accessToken },
  );
  return data?.organization.paymentOrders.edges.map(({ node }) => node.id) ?? [];
}

describe('money in another asset', () => {
  it('from the wallet that was to pay is noted in the order, once, and stands in the inbox with it', async () => {
    const { shop, payer, payTo, order } = await begin();
    const { hash } = await payer.send({ to: payTo, value: 10n ** 18n });
    await settle();
    expect(await stateOf(market, order)).toMatchObject({
      status: 'CREATED',
      credited: 0n,
      exceptions: ['WRONG_ASSET'],
    });
    expect(await exceptional(shop)).toEqual([await idOf(order)]);
    expect(await entryOf(market, shop, hash)).toMatchObject({
      status: 'OPEN',
      reason: 'WRONG_ASSET',
      candidates: [{ reason: 'PAYER', paymentOrder: { id: await idOf(order) } }],
    });
    expect(await toldAbout(market, 'payment-order', await idOf(order))).toEqual(['created', 'exception-noted']);
    await payer.send({ to: payTo, value: 1n });
    await settle();
    expect(await toldAbout(market, 'payment-order', await idOf(order))).toHaveLength(2);
    await payer.pay(order);
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', exceptions: ['WRONG_ASSET'] });
  });

  it('that carries the reference is noted whoever sends it; the order that is named before the sender’s', async () => {
    const { shop, payer, slug, payTo, order } = await begin();
    const other = await makeOrder(market, { slug, payer: payer.address, asset: TUSD });
    const stranger = await newPayer(market);
    const { hash } = await stranger.send({ to: payTo, value: 5n, data: other.reference });
    await payer.send({ to: payTo, value: 5n, data: other.reference });
    await settle();
    expect((await stateOf(market, other)).exceptions).toEqual(['WRONG_ASSET']);
    expect((await stateOf(market, order)).exceptions).toEqual([]);
    expect(await entryOf(market, shop, hash)).toMatchObject({
      reason: 'WRONG_ASSET',
      candidates: [{ reason: 'REFERENCE', paymentOrder: { id: await idOf(other) } }],
    });
  });

  it('is noted in none where several of its sender’s wait, where none does, or it was made behind it', async () => {
    const { payer, slug, payTo, order } = await begin();
    const other = await makeOrder(market, { slug, payer: payer.address, asset: TUSD });
    await payer.send({ to: payTo, value: 5n });
    await settle();
    for (const each of [order, other]) expect((await stateOf(market, each)).exceptions).toEqual([]);
    await payer.pay(order);
    await payer.pay(other);
    await settle();
    await payer.send({ to: payTo, value: 5n });
    await settle();
    for (const each of [order, other]) expect((await stateOf(market, each)).exceptions).toEqual([]);
    const stranger = await newPayer(market);
    await stranger.send({ to: payTo, value: 5n });
    const later = await makeOrder(market, { slug, payer: stranger.address, asset: TUSD });
    await market.sql(
      `update payment_orders set head_number = head_number + 100 where reference = decode($1, 'hex')`,
      [later.reference.slice(2)][0],
    );
    await settle();
    expect((await stateOf(market, later)).exceptions).toEqual([]);
  });
});
