import { afterAll, beforeAll, expect, it } from 'vitest';
import { CREATE_ORDER, type Market, makeLink, makeOrder, newPayer, openMarket, stateOf, toldOf } from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(() => market.close());

const stand = (status: 'SUSPENDED' | 'ACTIVE'): Promise<unknown> =>
  market.sql('update organizations set status = $1::organization_status', status);

it('an organization that was suspended after the order is credited all the same, and takes no new one until it is restored', async () => {
  const payer = await newPayer(market);
  const { slug } = await makeLink(market, {});
  await market.watch();
  const order = await makeOrder(market, { slug, payer: payer.address });
  await stand('SUSPENDED');
  await payer.pay(order);
  await market.watch();
  await market.mine();
  await market.watch();
  expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n, exceptions: [] });
  expect(await toldOf(market, order)).toEqual(['created', 'confirming', 'paid']);
  const refused = await market.house.ask(CREATE_ORDER, { input: { slug, payer: payer.address } });
  expect(refused.errors.map(({ extensions }) => extensions.code)).toEqual(['LINK_NOT_FOUND']);
  await stand('ACTIVE');
  expect((await makeOrder(market, { slug, payer: payer.address })).reference).toBeDefined();
});
