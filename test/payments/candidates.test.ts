import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { colleague, entryOf, inboxOf, secondShop } from './inbox.ts';
import { type Market, makeLink, makeOrder, newPayer, type Order, openMarket, stateOf, TUSD } from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

async function begin() {
  const shop = await signIn(market.house);
  const payer = await newPayer(market);
  const { slug, payTo } = await makeLink(market, { by: shop });
  await market.watch();
  return { shop, payer, slug, payTo, order: await makeOrder(market, { slug, payer: payer.address }) };
}

const settle = async (): Promise<void> => {
  await market.mine();
  await market.watch();
};

const idOf = async (order: Order): Promise<string> => encodeGlobalId('PaymentOrder', (await stateOf(market, order)).id);

/** What speaks for which order. */
async function likely(by: Person, hash: `0x${string}`): Promise<readonly (readonly [string, string])[]> {
  const entry = await entryOf(market, by, hash);
  return entry?.candidates.map(({ reason, paymentOrder }) => [reason, paymentOrder.id]) ?? [];
}

describe('the candidates of money that no order took', () => {
  it('begin with the order whose reference it carries, whatever else asks for as much', async () => {
    const { shop, payTo, slug, order } = await begin();
    for (let made = 0; made < 5; made += 1) {
      await makeOrder(market, { slug, payer: (await newPayer(market)).address });
    }
    const stranger = await newPayer(market);
    const { hash } = await stranger.transfer(payTo, 12_500_000n, { suffix: order.reference });
    await settle();
    const found = await likely(shop, hash);
    expect(found[0]).toEqual(['REFERENCE', await idOf(order)]);
    expect(found.map(([reason]) => reason)).toEqual(['REFERENCE', 'AMOUNT', 'AMOUNT', 'AMOUNT', 'AMOUNT']);
  });

  it('have the order that was paid already, by its reference and by its payer', async () => {
    const { shop, payer, payTo, order } = await begin();
    await payer.pay(order);
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID' });
    const [named, unnamed] = [await payer.pay(order), await payer.transfer(payTo, 12_500_000n)];
    await settle();
    expect(await inboxOf(market, shop)).toMatchObject([{ reason: 'DUPLICATE' }, { reason: 'DUPLICATE' }]);
    expect(await likely(shop, named.hash)).toEqual([['REFERENCE', await idOf(order)]]);
    expect(await likely(shop, unnamed.hash)).toEqual([['PAYER', await idOf(order)]]);
  });

  it('have the order that was called off, behind those that wait', async () => {
    const { shop, payer, slug, order } = await begin();
    await market.house.ask(
      'mutation ($token: String!) { cancelCheckoutOrder(input: { token: $token }) { checkoutOrder { status } } }',
      { token: order.token },
    );
    const waiting = await makeOrder(market, { slug, payer: (await newPayer(market)).address });
    const { hash } = await payer.transfer((await makeLink(market, { by: shop })).payTo, 12_500_000n);
    const sure = await payer.pay(order);
    await settle();
    expect(await likely(shop, hash)).toEqual([
      ['PAYER', await idOf(order)],
      ['AMOUNT', await idOf(waiting)],
    ]);
    expect((await likely(shop, sure.hash))[0]).toEqual(['REFERENCE', await idOf(order)]);
  });

  it('leave out what was paid or called off by others, and other amounts', async () => {
    const { shop, payer, slug, payTo, order } = await begin();
    await payer.pay(order);
    await settle();
    const stranger = await newPayer(market);
    await makeOrder(market, { slug, payer: (await newPayer(market)).address });
    const { hash } = await stranger.transfer(payTo, 1_000_000n);
    await settle();
    expect(await likely(shop, hash)).toEqual([]);
  });

  it('are of the own organization alone, and nobody’s who may not read payments', async () => {
    const { shop, order, payTo } = await begin();
    const other = await secondShop(market, shop);
    await makeLink(market, { by: other, accepts: [{ asset: TUSD, amount: '3' }] });
    const stranger = await newPayer(market);
    const { hash } = await stranger.transfer(payTo, 12_500_000n, { suffix: order.reference });
    await settle();
    expect(await likely(shop, hash)).toMatchObject([['REFERENCE', await idOf(order)]]);
    expect(await likely(other, hash)).toEqual([]);
    expect(await likely(await colleague(market, shop, 'MEMBER'), hash)).toEqual(await likely(shop, hash));
    expect(await likely(await signIn(market.house), hash)).toEqual([]);
  });
});
