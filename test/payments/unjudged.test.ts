import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { followChain } from '../../src/chain/jobs.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { settleOrders } from '../../src/payments/jobs.ts';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { decide, entryOf, secondShop } from './inbox.ts';
import { type Market, makeLink, makeOrder, newPayer, type Order, openMarket, stateOf, toldOf } from './market.ts';
import { refunding } from './refunding.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const { sell, addressed, sendBack, stateIn, settle } = refunding(() => market);

/** Reads the chain to its head, and leaves what has come to be judged. */
const read = () => followChain(market.worker, market.registered(), market.reader);

/** An order that is known by whoever claims for it; its global id, and its payer's token. */
async function waiting(slug: string): Promise<{ orderId: string; token: string }> {
  const { data } = await market.house.ask<{ createPaymentOrder: { checkoutOrder: { token: string } } }>(
    'mutation ($slug: String!) { createPaymentOrder(input: { slug: $slug, matching: CLAIM }) { checkoutOrder { token } } }',
    { slug },
  );
  const [row] = await market.sql<{ id: string }>(
    `select o.id from payment_orders o join payment_links l on l.id = o.payment_link_id
     where l.slug = $1 order by o.created_at desc limit 1`,
    slug,
  );
  const token = data?.createPaymentOrder.checkoutOrder.token ?? '';
  return { orderId: encodeGlobalId('PaymentOrder', row?.id ?? ''), token };
}

async function claim(by: Person, orderId: string, transactionHash: string): Promise<string> {
  const { errors } = await market.house.ask(
    'mutation ($input: ClaimPaymentInput!) { claimPayment(input: $input) { replayed } }',
    { input: { orderId, transactionHash } },
    { token: by.accessToken },
  );
  return errors[0]?.extensions.code ?? 'OK';
}

async function cancel({ token }: Pick<Order, 'token'>, by?: { person: Person; id: string }): Promise<object> {
  const { errors } = await market.house.ask(
    by
      ? 'mutation ($id: ID!) { cancelPaymentOrder(input: { id: $id }) { replayed } }'
      : 'mutation ($id: String!) { cancelCheckoutOrder(input: { token: $id }) { checkoutOrder { status } } }',
    { id: by?.id ?? token },
    by ? { token: by.person.accessToken } : {},
  );
  return errors[0]?.extensions ?? { code: 'OK' };
}

/** Two organizations that are paid at one wallet, and a payer who is named by an order of the first. */
async function begin() {
  const shop = await signIn(market.house);
  const payer = await newPayer(market);
  const { slug, payTo } = await makeLink(market, { by: shop });
  const second = await secondShop(market, shop);
  const { slug: theirs } = await makeLink(market, { by: second });
  await market.watch();
  const order = await makeOrder(market, { slug, payer: payer.address });
  const { id } = await stateOf(market, order);
  return { shop, payer, slug, payTo, second, theirs, order, orderId: encodeGlobalId('PaymentOrder', id) };
}

describe('a transfer that was not judged yet', () => {
  it('is claimed by nobody, so that it pays the order that it names', async () => {
    const { payer, second, theirs, order } = await begin();
    const other = await waiting(theirs);
    const { hash } = await payer.pay(order);
    await read();
    expect(await claim(second, other.orderId, hash)).toBe('TRANSFER_NOT_SEEN');
    await settle();
    expect(await claim(second, other.orderId, hash)).toBe('TRANSFER_TAKEN');
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    // what names nothing is theirs as soon as that is known
    const { hash: unnamed } = await (await newPayer(market)).transfer(second.account.address, 12_500_000n);
    await read();
    expect(await claim(second, other.orderId, unnamed)).toBe('TRANSFER_NOT_SEEN');
    await settleOrders(market.worker, market.registered());
    expect(await claim(second, other.orderId, unnamed)).toBe('OK');
    await settle();
  });

  it('names an open order from whatever wallet it comes, until that is over', async () => {
    const { shop, second, slug, theirs, order, orderId } = await begin();
    const [mine, other] = [await waiting(slug), await waiting(theirs)];
    const { hash } = await (await newPayer(market)).pay(order);
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
    expect(await claim(second, other.orderId, hash)).toBe('TRANSFER_TAKEN');
    expect(await claim(shop, mine.orderId, hash)).toBe('TRANSFER_TAKEN');
    expect(await claim(shop, orderId, hash)).toBe('OK');
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });

    const again = await begin();
    const third = await waiting(again.theirs);
    const { hash: stray } = await (await newPayer(market)).pay(again.order);
    await settle();
    expect(await cancel(again.order)).toMatchObject({ code: 'OK' });
    expect(await claim(again.second, third.orderId, stray)).toBe('OK');
    await settle();
  });

  it('is the refund that waits for it, and no payment of whoever gets it back', async () => {
    const { shop, orderId } = await sell();
    const receiver = await signIn(market.house);
    const { slug } = await makeLink(market, { by: receiver });
    await market.watch();
    const other = await waiting(slug);
    const refund = await addressed(shop, orderId, '2', receiver.account.address);
    const { hash } = await sendBack(shop, refund);
    await read();
    expect(await claim(receiver, other.orderId, hash)).toBe('TRANSFER_NOT_SEEN');
    // nor one that was judged before anybody looked at the refund
    await market.sql('update chain_transfers set judged_at = now() where transaction_hash = $1', hash);
    expect(await claim(receiver, other.orderId, hash)).toBe('TRANSFER_TAKEN');
    await market.sql('update chain_transfers set judged_at = null where transaction_hash = $1', hash);
    await settle();
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({ status: 'COMPLETED', transaction: { hash } });
    expect(await claim(receiver, other.orderId, hash)).toBe('TRANSFER_TAKEN');
  });
});

describe('an order that may have been paid', () => {
  it('is not called off over a transfer that was not judged yet, and is paid by it', async () => {
    const { shop, payer, order, orderId } = await begin();
    await payer.pay(order);
    await read();
    const undecided = { code: 'ORDER_UNDECIDED', facts: { reason: 'TRANSFER_SEEN' }, retryable: true };
    expect(await cancel(order)).toMatchObject(undecided);
    expect(await cancel(order, { person: shop, id: orderId })).toMatchObject(undecided);
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    expect(await cancel(order)).toMatchObject({ code: 'ORDER_NOT_CANCELABLE' });
  });

  it('is not called off while nobody can say what its chain has brought, and is once somebody can', async () => {
    const { order } = await begin();
    const set = (words: string) => market.sql(`update chain_incarnations set ${words} where current`);
    await set(`halt_reason = 'deep', halted_at = now()`);
    expect(await cancel(order)).toMatchObject({ code: 'ORDER_UNDECIDED', facts: { reason: 'CHAIN_HALTED' } });
    await set(`halt_reason = null, halted_at = null, caught_up_at = now() - interval '61 seconds'`);
    expect(await cancel(order)).toMatchObject({ code: 'ORDER_UNDECIDED', facts: { reason: 'CHAIN_BEHIND' } });
    await settle();
    expect(await cancel(order)).toMatchObject({ code: 'OK' });
  });

  it('takes what came after it was called off, if the merchant gives it to the order, in parts and in full', async () => {
    const { shop, payer, order, orderId } = await begin();
    expect(await cancel(order)).toMatchObject({ code: 'OK' });
    const { hash } = await payer.pay(order, { units: 12_000_000n });
    const { hash: rest } = await payer.pay(order, { units: 500_000n });
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CANCELED', credited: 0n });
    const entry = await entryOf(market, shop, hash);
    expect(entry).toMatchObject({ status: 'OPEN', reason: 'LATE', candidates: [{ paymentOrder: { id: orderId } }] });
    expect(await decide(market, shop, 'assignUnmatchedPayment', { id: entry?.id, orderId })).toMatchObject({
      code: 'OK',
    });
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED', exceptions: ['UNDERPAID'] });
    const id = (await entryOf(market, shop, rest))?.id;
    expect(await decide(market, shop, 'assignUnmatchedPayment', { id, orderId })).toMatchObject({ code: 'OK' });
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n, exceptions: [] });
    expect(await toldOf(market, order)).toEqual(['created', 'canceled', 'expired', 'paid']);
  });
});
