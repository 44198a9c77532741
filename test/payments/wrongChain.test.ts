import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type RegisteredChain, registerChain } from '../../src/chain/commands/registerChain.ts';
import { followChain } from '../../src/chain/jobs.ts';
import { createNodeReader } from '../../src/chain/providers/nodeReader.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { settleOrders } from '../../src/payments/jobs.ts';
import { type DevelopmentChain, openDevelopmentChain } from '../support/chain.ts';
import { signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { decide, entryOf } from './inbox.ts';
import { type Market, makeLink, makeOrder, newPayer, openMarket, sendFrom, stateOf, transferCall } from './market.ts';

let market: Market;
let elsewhere: DevelopmentChain;
let registered: RegisteredChain;
beforeAll(async () => {
  [market, elsewhere] = await Promise.all([openMarket(), openDevelopmentChain({ chainId: 31_338 })]);
  registered = await registerChain(market.worker, { setting: elsewhere.setting, reader: reader() });
  await watchElsewhere();
});
afterEach(() => expectBooksToBalance(market));
afterAll(async () => {
  await market.close();
  await elsewhere.stop();
});

const reader = () => createNodeReader(elsewhere.setting);

async function watchElsewhere(): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    await followChain(market.worker, registered, reader());
    await settleOrders(market.worker, registered);
  }
}

it('money that was sent on the wrong chain stands in the inbox, is no order’s, and goes back there', async () => {
  const shop = await signIn(market.house);
  const { slug, payTo } = await makeLink(market, { by: shop });
  await market.watch();
  await watchElsewhere();
  const payer = await newPayer({ chain: elsewhere });
  const order = await makeOrder(market, { slug, payer: payer.address });
  const { to, data } = order.paymentRequest;
  const { hash } = await payer.send({ to, data });
  await elsewhere.node.mine({ blocks: 2 });
  await watchElsewhere();
  const entry = await entryOf(market, shop, hash);
  const { id: orderId } = await stateOf(market, order);
  expect(entry).toMatchObject({
    reason: 'WRONG_CHAIN',
    status: 'OPEN',
    candidates: [{ reason: 'REFERENCE', paymentOrder: { id: encodeGlobalId('PaymentOrder', orderId) } }],
    transaction: { units: '12500000' },
  });
  const input = { id: entry?.id, orderId: encodeGlobalId('PaymentOrder', orderId) };
  expect((await decide(market, shop, 'assignUnmatchedPayment', input)).code).toBe('ASSET_MISMATCH');

  const { answer } = await decide(market, shop, 'refundUnmatchedPayment', { id: entry?.id });
  const words = { id: answer?.refund.id, destination: payer.address, reason: 'the payer asked by mail' };
  const addressed = await decide(market, shop, 'setRefundDestination', words);
  expect(addressed.answer?.refund.paymentRequest).toMatchObject({ data: transferCall(payer.address, 12_500_000n) });
  await elsewhere.node.setBalance({ address: shop.account.address, value: 10n ** 18n });
  await sendFrom(elsewhere, shop.account, { to, data: transferCall(payer.address, 12_500_000n) });
  await elsewhere.node.mine({ blocks: 2 });
  await watchElsewhere();
  expect(await market.sql('select status::text, pay_from from payment_refunds')).toEqual([
    { status: 'COMPLETED', pay_from: payTo },
  ]);
  expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n, exceptions: [] });
});
