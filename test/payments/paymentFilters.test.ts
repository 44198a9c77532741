import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { decide, entryOf, secondShop } from './inbox.ts';
import {
  ETH,
  type Market,
  makeLink,
  makeOrder,
  newPayer,
  type Order,
  openMarket,
  type Payer,
  stateOf,
  TUSD,
} from './market.ts';

let market: Market;
let shop: Person;
let payer: Payer;
let payTo: string;
let paid: Order;
let hash: string;
let orderId: string;
let strange: { hash: `0x${string}`; sender: string };
beforeAll(async () => {
  market = await openMarket();
  shop = await signIn(market.house);
  payer = await newPayer(market);
  const link = await makeLink(market, { by: shop });
  payTo = link.payTo;
  await market.watch();
  paid = await makeOrder(market, { slug: link.slug, payer: payer.address });
  await market.house.ask(
    'mutation ($slug: String!) { createPaymentOrder(input: { slug: $slug, matching: CLAIM }) { replayed } }',
    {
      slug: link.slug,
    },
  );
  ({ hash } = await payer.pay(paid));
  const stranger = await newPayer(market);
  strange = { hash: (await stranger.transfer(payTo, 7n)).hash, sender: stranger.address };
  await market.mine(3);
  await market.watch();
  orderId = encodeGlobalId('PaymentOrder', (await stateOf(market, paid)).id);
  await decide(market, shop, 'requestRefund', { orderId, amount: '1' });
  const entry = await entryOf(market, shop, strange.hash);
  const { answer } = await decide(market, shop, 'refundUnmatchedPayment', { id: entry?.id });
  await decide(market, shop, 'cancelRefund', { id: answer?.refund.id });
  await market.watch();
});
afterAll(() => market.close());

/** As many rows as a list has, and what one field of them says. */
async function list(field: string, filter: string, node: string, by = shop): Promise<readonly unknown[]> {
  const { data, errors } = await market.house.ask<{
    organization: Record<string, { edges: { node: Record<string, unknown> }[] }>;
  }>(
    `{ organization { ${field}(filter: { ${filter} }) { edges { node { ${node} } } } } }`,
    {},
    { token: by.accessToken },
  );
  expect(errors).toEqual([]);
  return data?.organization[field]?.edges.map((edge) => edge.node[node]) ?? [];
}

type Words = string | (() => string);
const said = (words: Words): string => (typeof words === 'string' ? words : words());
const LONG_AGO = '"2020-01-01T00:00:00Z"';

describe('orders', () => {
  it.each<[Words, number]>([
    [() => `payTo: "${payTo}"`, 2],
    [() => `payTo: "${payer.address}"`, 0],
    ['matching: [CLAIM]', 1],
    ['matching: [WALLET, CLAIM]', 2],
    ['matching: []', 0],
    [() => `reference: "${paid.reference}"`, 1],
    [() => `reference: "${paid.reference.slice(0, -2)}"`, 0],
    ['reference: "0x"', 0],
  ])('of %s are so many', async (filter, count) => {
    expect(await list('paymentOrders', said(filter), 'status')).toHaveLength(count);
  });
});

describe('transfers', () => {
  it.each<[Words, readonly string[]]>([
    [() => `hash: "${hash}"`, ['12500000']],
    [() => `hash: "${hash.toUpperCase().replace('0X', '0x')}"`, ['12500000']],
    [`hash: "0x${'1'.repeat(64)}"`, []],
    [() => `sender: "${strange.sender}"`, ['7']],
    [() => `recipient: "${payTo}"`, ['7', '12500000']],
    [() => `recipient: "${payer.address}"`, []],
    [`asset: "${TUSD}"`, ['7', '12500000']],
    [`asset: "${ETH}"`, []],
    [() => `paymentOrder: "${orderId}"`, ['12500000']],
    ['paymentOrder: "nonsense"', []],
    [`createdUntil: ${LONG_AGO}`, []],
    [`createdFrom: ${LONG_AGO}`, ['7', '12500000']],
  ])('of %s are those', async (filter, expected) => {
    const found = await list('blockchainTransactions', said(filter), 'units');
    expect([...found].sort()).toEqual([...expected].sort());
  });

  it('say what they have come to', async () => {
    const usesOf = async (transaction: string) => {
      const { data, errors } = await market.house.ask<{
        organization: { blockchainTransactions: { edges: { node: object }[] } };
      }>(
        `{ organization { blockchainTransactions(filter: { hash: "${transaction}" }) {
          edges { node { paymentOrder { id } refund { id } unmatchedPayment { reason } } }
        } } }`,
        {},
        { token: shop.accessToken },
      );
      expect(errors).toEqual([]);
      return data?.organization.blockchainTransactions.edges.map(({ node }) => node);
    };
    expect(await usesOf(hash)).toEqual([{ paymentOrder: { id: orderId }, refund: null, unmatchedPayment: null }]);
    expect(await usesOf(strange.hash)).toEqual([
      { paymentOrder: null, refund: null, unmatchedPayment: { reason: 'UNKNOWN_SENDER' } },
    ]);
  });

  it('of another organization are not found by their hash', async () => {
    const other = await secondShop(market, shop);
    expect(await list('blockchainTransactions', `hash: "${hash}"`, 'units', other)).toEqual([]);
    expect(await list('blockchainTransactions', `paymentOrder: "${orderId}"`, 'units', other)).toEqual([]);
  });
});

describe('entries of the inbox', () => {
  it.each<[Words, number]>([
    [() => `sender: "${strange.sender}"`, 1],
    [() => `sender: "${payer.address}"`, 0],
    [() => `transactionHash: "${strange.hash}"`, 1],
    [() => `transactionHash: "${hash}"`, 0],
    [`asset: "${TUSD}"`, 1],
    [`asset: "${ETH}"`, 0],
    [`createdFrom: ${LONG_AGO}, status: [OPEN]`, 1],
    [`createdUntil: ${LONG_AGO}`, 0],
    ['reason: [UNKNOWN_SENDER]', 1],
    ['reason: [LATE]', 0],
  ])('of %s are so many', async (filter, count) => {
    expect(await list('unmatchedPayments', said(filter), 'status')).toHaveLength(count);
  });
});

describe('refunds', () => {
  it.each<[Words, readonly string[]]>([
    ['statuses: [REQUESTED, PENDING]', ['1000000']],
    ['statuses: [CANCELED]', ['7']],
    ['statuses: []', []],
    ['causes: [MEMBER]', ['1000000', '7']],
    ['causes: [SURPLUS]', []],
    [() => `destination: "${payer.address}"`, []],
    [`asset: "${TUSD}"`, ['1000000', '7']],
    [`createdUntil: ${LONG_AGO}`, []],
  ])('of %s are those', async (filter, expected) => {
    expect([...(await list('paymentRefunds', said(filter), 'units'))].sort()).toEqual([...expected].sort());
  });
});

describe('words of providers', () => {
  it.each<[Words, number]>([
    ['provider: "onchain"', 1],
    ['provider: "manual"', 0],
    [() => `reference: "${hash}:0"`, 1],
    ['reference: "receipt"', 0],
    ['statuses: [CONFIRMED], kinds: [PAYMENT]', 1],
    ['statuses: [CLAIMED]', 0],
    ['kinds: [REFUND]', 0],
    [`createdFrom: ${LONG_AGO}`, 1],
  ])('of %s are so many', async (filter, count) => {
    expect(await list('providerTransactions', said(filter), 'reference')).toHaveLength(count);
  });
});
