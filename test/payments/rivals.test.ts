import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { followChain } from '../../src/chain/jobs.ts';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { findFittingOrders } from '../../src/payments/commands/findFittingOrders.ts';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { inboxOf } from './inbox.ts';
import {
  type Market,
  makeLink,
  makeOrder,
  newPayer,
  type Order,
  openMarket,
  type Payer,
  sendFrom,
  setDeadline,
  stateOf,
  TUSD,
  transferCall,
} from './market.ts';
import { refunding } from './refunding.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const { sell, addressed, stateIn, settle } = refunding(() => market);

interface Begun {
  readonly token: string;
  readonly due: { readonly units: string };
}

/** An order that names no wallet: it is known by its amount, or is to be claimed. */
async function begin(slug: string, matching: 'UNIQUE_AMOUNT' | 'CLAIM'): Promise<Begun> {
  const { data } = await market.house.ask<{ createPaymentOrder: { checkoutOrder: Begun } }>(
    `mutation ($input: CreatePaymentOrderInput!) {
      createPaymentOrder(input: $input) { checkoutOrder { token due { units } } }
    }`,
    { input: { slug, matching } },
  );
  if (!data) throw new Error('No order was made.');
  return data.createPaymentOrder.checkoutOrder;
}

async function seen(token: string) {
  const { data } = await market.house.ask<{ checkoutOrder: { status: string; paymentRequest: unknown } }>(
    'query ($token: String!) { checkoutOrder(token: $token) { status paymentRequest { data } } }',
    { token },
  );
  return data?.checkoutOrder;
}

async function cancel(token: string): Promise<void> {
  const { errors } = await market.house.ask(
    'mutation ($token: String!) { cancelCheckoutOrder(input: { token: $token }) { checkoutOrder { status } } }',
    { token },
  );
  expect(errors).toEqual([]);
}

/** A shop of its own, and an exchange that a stranger has named as the payer of an order there. */
async function open(): Promise<{ shop: Person; slug: string; payTo: string; exchange: Payer; named: Order }> {
  const shop = await signIn(market.house);
  const exchange = await newPayer(market);
  const { slug, payTo } = await makeLink(market, { by: shop });
  await market.watch();
  return { shop, slug, payTo, exchange, named: await makeOrder(market, { slug, payer: exchange.address }) };
}

const credited = async (order: Order): Promise<bigint> => (await stateOf(market, order)).credited;

describe('an order that names an exchange', () => {
  it('gets nothing that a claim may be made for, and its payer claims it', async () => {
    const { shop, slug, payTo, exchange, named } = await open();
    const { token } = await begin(slug, 'CLAIM');
    const { hash } = await exchange.transfer(payTo, 12_500_000n);
    await settle();
    expect(await credited(named)).toBe(0n);
    expect(await inboxOf(market, shop)).toMatchObject([{ status: 'OPEN', reason: 'AMBIGUOUS' }]);
    const shown = await market.house.ask<{ checkoutOrder: { claimMessage: string } }>(
      'query ($token: String!, $hash: Hex!) { checkoutOrder(token: $token) { claimMessage(transactionHash: $hash) } }',
      { token, hash },
    );
    const message = shown.data?.checkoutOrder.claimMessage ?? '';
    const signature = await exchange.account.signMessage({ message });
    const claimed = await market.house.ask(
      'mutation ($input: ClaimPaymentInput!) { claimPayment(input: $input) { replayed } }',
      { input: { token, transactionHash: hash, signature } },
    );
    expect(claimed.errors).toEqual([]);
    await settle();
    expect(await seen(token)).toMatchObject({ status: 'PAID' });
    expect(await credited(named)).toBe(0n);
  });

  it('gets nothing that was meant for an order by its amount, nor a part, but what its reference names', async () => {
    const { slug, payTo, exchange, named } = await open();
    const { token, due } = await begin(slug, 'UNIQUE_AMOUNT');
    for (const units of [BigInt(due.units) - 3n, BigInt(due.units) + 1n, 1_000_000n])
      await exchange.transfer(payTo, units);
    await settle();
    expect(await credited(named)).toBe(0n);
    expect(await seen(token)).toMatchObject({ status: 'CREATED' });
    await exchange.transfer(payTo, BigInt(due.units));
    await exchange.pay(named);
    await settle();
    expect(await seen(token)).toMatchObject({ status: 'PAID' });
    expect(await stateOf(market, named)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
  });

  it('gets just so much as it asks for, whoever waits by another amount or for a claim of another', async () => {
    const { shop, slug, payTo, exchange, named } = await open();
    const { token } = await begin(slug, 'UNIQUE_AMOUNT');
    const { slug: dearer } = await makeLink(market, { by: shop, accepts: [{ asset: TUSD, amount: '12.6' }] });
    const claiming = await begin(dearer, 'CLAIM');
    await exchange.transfer(payTo, 12_500_000n);
    await settle();
    expect(await stateOf(market, named)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    for (const other of [token, claiming.token]) expect(await seen(other)).toMatchObject({ status: 'CREATED' });
    expect(await inboxOf(market, shop)).toEqual([]);
  });

  it('waits for no claim of an order that has expired, unless that takes what is late', async () => {
    const { shop, slug, payTo, exchange, named } = await open();
    await market.sql(`update payment_links set late_window_minutes = 600 where slug = $1`, slug);
    for (const policy of ['HOLD', 'ACCEPT']) {
      await market.sql(`update payment_links set late_policy = $2::payment_late_policy where slug = $1`, slug, policy);
      const { token } = await begin(slug, 'CLAIM');
      await market.sql(
        `update payment_orders o
         set expires_at = clock_timestamp() - interval '1 minute', created_at = clock_timestamp() - interval '1 hour'
         from handles h
         where h.value_hash = sha256(convert_to($1, 'UTF8')) and o.id = h.target_id`,
        token,
      );
      await settle();
      expect(await seen(token)).toMatchObject({ status: 'EXPIRED' });
    }
    await exchange.transfer(payTo, 12_500_000n);
    await settle();
    expect(await credited(named)).toBe(0n);
    expect(await inboxOf(market, shop)).toMatchObject([{ reason: 'AMBIGUOUS' }]);
    await market.sql(`update payment_orders set late_policy = 'HOLD' where pay_to = $1`, payTo);
    await settle();
    expect(await stateOf(market, named)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
  });

  it('gets it where nobody else waits: once the others are paid, called off, over, or made behind it', async () => {
    const { slug, payTo, exchange, named } = await open();
    const [paid, canceled] = [await begin(slug, 'UNIQUE_AMOUNT'), await begin(slug, 'CLAIM')];
    await exchange.transfer(payTo, BigInt(paid.due.units));
    await cancel(canceled.token);
    await settle();
    expect(await seen(paid.token)).toMatchObject({ status: 'PAID' });
    await exchange.transfer(payTo, 12_500_000n);
    await followChain(market.worker, market.registered(), market.reader);
    await begin(slug, 'CLAIM');
    await settle();
    expect(await stateOf(market, named)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
  });

  it('is all that is read of those that name it, however many were called off', async () => {
    const { slug, payTo, exchange, named } = await open();
    for (let made = 0; made < 25; made += 1) {
      const { token } = await makeOrder(market, { slug, payer: exchange.address });
      await cancel(token);
    }
    const { hash } = await exchange.transfer(payTo, 12_500_000n);
    await followChain(market.worker, market.registered(), market.reader);
    const [transfer] = await market.sql<Parameters<typeof findFittingOrders>[1] & { number: string }>(
      `select id, incarnation_id as "incarnationId", asset_id as "assetId", sender, recipient, units::text, input,
         block_number as number, block_time as "blockTime"
       from chain_transfers where transaction_hash = $1`,
      hash,
    );
    if (!transfer) throw new Error('The transfer was not read.');
    const found = await findFittingOrders(market.worker, { ...transfer, blockNumber: BigInt(transfer.number) });
    expect(found.map(({ id }) => id)).toEqual([(await stateOf(market, named)).id]);
    await settle();
    expect(await stateOf(market, named)).toMatchObject({ status: 'PAID' });
  });
});

describe('a refund', () => {
  it('pays no order of whoever gets it back, who has named the merchant’s wallet; a further transfer does', async () => {
    const { shop, orderId } = await sell();
    const thief = await signIn(market.house);
    const { slug } = await makeLink(market, { by: thief, accepts: [{ asset: TUSD, amount: '2' }] });
    await market.watch();
    const order = await makeOrder(market, { slug, payer: shop.account.address });
    const refund = await addressed(shop, orderId, '2', thief.account.address);
    const data = transferCall(thief.account.address, 2_000_000n);
    await sendFrom(market.chain, shop.account, { to: TEST_TOKEN_ADDRESS, data });
    await settle();
    expect(await credited(order)).toBe(0n);
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({ status: 'COMPLETED' });
    expect(await inboxOf(market, thief)).toEqual([]);
    await sendFrom(market.chain, shop.account, { to: TEST_TOKEN_ADDRESS, data });
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 2_000_000n });
  });

  it('that waits leaves to an order what names that order, and what is not just so much', async () => {
    const { shop, orderId } = await sell();
    const other = await signIn(market.house);
    const { slug } = await makeLink(market, { by: other, accepts: [{ asset: TUSD, amount: '2' }] });
    await market.watch();
    const order = await makeOrder(market, { slug, payer: shop.account.address });
    const refund = await addressed(shop, orderId, '1', other.account.address);
    const send = (units: bigint, suffix = '') =>
      sendFrom(market.chain, shop.account, {
        to: TEST_TOKEN_ADDRESS,
        data: `${transferCall(other.account.address, units)}${suffix}`,
      });
    await send(1_000_000n, order.reference.slice(2));
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED', credited: 1_000_000n });
    await send(999_999n);
    await settle();
    expect(await credited(order)).toBe(1_999_999n);
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({ status: 'PENDING' });
  });
});

describe('what an order asks to be sent', () => {
  it('is there while it takes payments, and nothing once it has all or is over', async () => {
    const { slug, exchange, named } = await open();
    expect((await seen(named.token))?.paymentRequest).not.toBeNull();
    await exchange.pay(named, { units: 5_000_000n });
    await settle();
    expect(await seen(named.token)).toMatchObject({ status: 'DETECTED', paymentRequest: { data: expect.any(String) } });
    await exchange.pay(named, { units: 7_500_000n });
    await market.watch();
    expect(await seen(named.token)).toEqual({ status: 'CONFIRMING', paymentRequest: null });
    await settle();
    expect(await seen(named.token)).toEqual({ status: 'PAID', paymentRequest: null });
    const over = await makeOrder(market, { slug, payer: exchange.address });
    await setDeadline(market, over, new Date(Date.UTC(2020, 0, 1)));
    await settle();
    expect(await seen(over.token)).toEqual({ status: 'EXPIRED', paymentRequest: null });
  });
});
