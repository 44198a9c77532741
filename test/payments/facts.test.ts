import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { entryOf } from './inbox.ts';
import { type Market, makeLink, makeOrder, newPayer, openMarket, stateOf } from './market.ts';
import { refunding } from './refunding.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const { sell, addressed, settle } = refunding(() => market);

/** The code and the facts of a refusal. */
async function refusal(token: string, deed: string, input: Record<string, unknown>): Promise<unknown> {
  const type = `${deed[0]?.toUpperCase()}${deed.slice(1)}Input`;
  const { errors } = await market.house.ask(
    `mutation ($input: ${type}!) { ${deed}(input: $input) { replayed } }`,
    { input },
    { token },
  );
  const { code, facts } = errors[0]?.extensions ?? {};
  return [code, facts];
}

describe('a refusal says', () => {
  it('how much can be refunded, and what a refund is that is closed', async () => {
    const { shop, orderId } = await sell();
    const refund = await addressed(shop, orderId, '12', `0x${'7'.repeat(40)}`);
    const token = shop.accessToken;
    expect(await refusal(token, 'requestRefund', { orderId, amount: '1' })).toEqual([
      'REFUND_EXCEEDS',
      { mostUnits: '500000' },
    ]);
    expect(await refusal(token, 'requestRefund', { orderId, amount: '0.5' })).toEqual([undefined, undefined]);
    expect(await refusal(token, 'requestRefund', { orderId })).toEqual(['REFUND_EXCEEDS', { mostUnits: '0' }]);
    const destination = { id: refund.id, destination: `0x${'8'.repeat(40)}`, reason: 'moved' };
    expect(await refusal(token, 'setRefundDestination', destination)).toEqual(['REFUND_CLOSED', { status: 'PENDING' }]);
  });

  it('what an entry of the inbox is that is closed, which its refund calls off, and of many which', async () => {
    const shop = await signIn(market.house);
    const token = shop.accessToken;
    const { payTo } = await makeLink(market, { by: shop });
    await market.watch();
    const stranger = await newPayer(market);
    const [one, two] = [await stranger.transfer(payTo, 5n), await stranger.transfer(payTo, 7n)];
    await settle();
    const ids = [await entryOf(market, shop, one.hash), await entryOf(market, shop, two.hash)].map(
      (entry) => entry?.id,
    );
    expect(await refusal(token, 'refundUnmatchedPayment', { id: ids[1] })).toEqual([undefined, undefined]);
    expect(await refusal(token, 'ignoreUnmatchedPayment', { id: ids[1], note: 'dust' })).toEqual([
      'UNMATCHED_PAYMENT_CLOSED',
      { status: 'REFUNDED' },
    ]);
    expect(await refusal(token, 'ignoreUnmatchedPayments', { ids, note: 'dust' })).toEqual([
      'UNMATCHED_PAYMENT_CLOSED',
      { status: 'REFUNDED', place: 2 },
    ]);
    const { data } = await market.house.ask<{ node: { refund: { id: string; status: string } | null } }>(
      'query ($id: ID!) { node(id: $id) { ... on UnmatchedPayment { refund { id status } } } }',
      { id: ids[1] },
      { token },
    );
    expect(data?.node.refund).toMatchObject({ status: 'REQUESTED' });
    expect(await refusal(token, 'cancelRefund', { id: data?.node.refund?.id })).toEqual([undefined, undefined]);
    const again = await market.house.ask<{ node: { refund: unknown } }>(
      'query ($id: ID!) { node(id: $id) { ... on UnmatchedPayment { refund { id } } } }',
      { id: ids[1] },
      { token },
    );
    expect(again.data?.node.refund).toBeNull();
    await settle();
  });

  it('that an order takes nothing since something of it goes back, and no status that there is not', async () => {
    const { shop, orderId, payTo } = await sell();
    const token = shop.accessToken;
    await addressed(shop, orderId, '1', `0x${'7'.repeat(40)}`);
    const { hash } = await (await newPayer(market)).transfer(payTo, 5n);
    await settle();
    const entry = await entryOf(market, shop, hash);
    expect(await refusal(token, 'assignUnmatchedPayment', { id: entry?.id, orderId })).toEqual([
      'ORDER_TAKES_NOTHING',
      expect.objectContaining({ reason: 'REFUND' }),
    ]);
    const { slug } = await makeLink(market, { by: shop });
    const order = await makeOrder(market, { slug, payer: (await newPayer(market)).address });
    await market.house.ask(
      'mutation ($token: String!) { cancelCheckoutOrder(input: { token: $token }) { checkoutOrder { status } } }',
      { token: order.token },
    );
    const canceled = encodeGlobalId('PaymentOrder', (await stateOf(market, order)).id);
    const manual = { orderId: canceled, amount: '1', reference: 'receipt' };
    expect(await refusal(token, 'recordManualPayment', manual)).toEqual([
      'ORDER_TAKES_NOTHING',
      { status: 'CANCELED' },
    ]);
  });
});
