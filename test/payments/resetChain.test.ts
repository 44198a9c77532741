import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { registerChain } from '../../src/chain/commands/registerChain.ts';
import { followChain } from '../../src/chain/jobs.ts';
import { createNodeReader } from '../../src/chain/providers/nodeReader.ts';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { reviewForsakenOrders, settleOrders } from '../../src/payments/jobs.ts';
import { type DevelopmentChain, openDevelopmentChain } from '../support/chain.ts';
import { expectBooksToBalance } from './books.ts';
import { decide } from './inbox.ts';
import { type Market, makeLink, makeOrder, newPayer, openMarket, stateOf } from './market.ts';
import { refunding } from './refunding.ts';

let market: Market;
let anew: DevelopmentChain | undefined;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(async () => {
  await market.close();
  await anew?.stop();
});

const { addressed, sell, sendBack, stateIn } = refunding(() => market);

it('what waits for a history that the chain has no more comes to an end', async () => {
  const { shop, orderId } = await sell();
  const other = await begin();
  const sent = await addressed(shop, orderId, '2', privateKeyToAccount(generatePrivateKey()).address);
  await sendBack(shop, sent);
  await market.watch();
  expect(await stateIn(shop, orderId, sent.id)).toMatchObject({ status: 'SENT' });
  // while the chain has it, what was sent is not called off
  expect((await decide(market, shop, 'cancelRefund', { id: sent.id })).code).toBe('REFUND_CLOSED');

  await recordManually(other);
  const genesis = await market.chain.public.getBlock({ blockNumber: 0n });
  while (Date.now() <= Number(genesis.timestamp + 1n) * 1_000);
  anew = await openDevelopmentChain();
  const reader = createNodeReader(anew.setting);
  const chain = await registerChain(market.worker, { setting: anew.setting, reader });
  expect(chain).toMatchObject({ reset: true });
  await reviewForsakenOrders(market.worker);
  await followChain(market.worker, chain, reader);
  await settleOrders(market.worker, chain);

  expect((await decide(market, shop, 'cancelRefund', { id: sent.id })).code).toBe('OK');
  expect(await stateIn(shop, orderId, sent.id)).toMatchObject({ status: 'CANCELED', transaction: null });
  const claims = `select status from provider_transactions where provider = 'manual' and payment_order_id = $1`;
  expect(await market.sql(claims, other)).toEqual([{ status: 'REVERSED' }]);
});

/** An open order of the merchant's; its UUID. */
async function begin(): Promise<string> {
  const payer = await newPayer(market);
  const { slug } = await makeLink(market);
  await market.watch();
  return (await stateOf(market, await makeOrder(market, { slug, payer: payer.address }))).id;
}

async function recordManually(order: string): Promise<void> {
  const { errors } = await market.house.ask(
    'mutation ($input: RecordManualPaymentInput!) { recordManualPayment(input: $input) { replayed } }',
    { input: { orderId: encodeGlobalId('PaymentOrder', order), amount: '12.5', reference: newId() } },
    { token: market.merchant.accessToken },
  );
  expect(errors).toEqual([]);
}
