import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { decide, entryOf, toldAbout } from './inbox.ts';
import {
  type Market,
  makeLink,
  makeOrder,
  newPayer,
  type Order,
  openMarket,
  type Payer,
  type Sent,
  stateOf,
} from './market.ts';
import { refunding } from './refunding.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const { settle } = refunding(() => market);

/** Two rounds: one finds that something is clear by now, the next one judges it. */
async function review(): Promise<void> {
  await settle();
  await market.watch();
}

interface Begun {
  readonly shop: Person;
  readonly slug: string;
  readonly payTo: string;
  readonly payer: Payer;
  readonly order: Order;
}

/** A shop of its own, with an order of a payer's. */
async function open(): Promise<Begun> {
  const shop = await signIn(market.house);
  const payer = await newPayer(market);
  const { slug, payTo } = await makeLink(market, { by: shop });
  await market.watch();
  return { shop, slug, payTo, payer, order: await makeOrder(market, { slug, payer: payer.address }) };
}

/** An order that names nobody and is to be claimed; anybody may make one. */
async function rival(slug: string): Promise<string> {
  const { data } = await market.house.ask<{ createPaymentOrder: { checkoutOrder: { token: string } } }>(
    `mutation ($slug: String!) {
      createPaymentOrder(input: { slug: $slug, matching: CLAIM }) { checkoutOrder { token } }
    }`,
    { slug },
  );
  return data?.createPaymentOrder.checkoutOrder.token ?? '';
}

const cancel = (token: string) =>
  market.house.ask(
    'mutation ($token: String!) { cancelCheckoutOrder(input: { token: $token }) { checkoutOrder { status } } }',
    { token },
  );

/** What stands in the inbox since somebody else may have been meant. */
async function ambiguous({ shop, payTo, payer }: Begun, units = 12_500_000n): Promise<Sent> {
  const sent = await payer.transfer(payTo, units);
  await settle();
  expect(await entryOf(market, shop, sent.hash)).toMatchObject({ status: 'OPEN', reason: 'AMBIGUOUS' });
  return sent;
}

async function expireClaims(slug: string, terms: string): Promise<void> {
  await market.sql(
    `update payment_orders o set expires_at = o.created_at + interval '1 millisecond', ${terms}
     from payment_links l
     where l.organization_id = o.organization_id and l.id = o.payment_link_id
       and l.slug = $1 and o.matching = 'CLAIM'`,
    slug,
  );
}

describe('what was ambiguous', () => {
  it('is credited when the other order is called off, and one alone takes it', async () => {
    const begun = await open();
    const token = await rival(begun.slug);
    const { hash } = await ambiguous(begun);
    await review();
    expect(await stateOf(market, begun.order)).toMatchObject({ status: 'CREATED' });
    await cancel(token);
    await review();
    expect(await stateOf(market, begun.order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    const entry = await entryOf(market, begun.shop, hash);
    expect(entry).toMatchObject({ status: 'ASSIGNED' });
    expect(await toldAbout(market, 'unmatched-payment', entry?.id ?? '')).toEqual(['received', 'assigned']);
  });

  it('is credited when the other order is over, and not while it may still be claimed', async () => {
    const begun = await open();
    await rival(begun.slug);
    await ambiguous(begun);
    await expireClaims(begun.slug, `late_policy = 'ACCEPT', late_until = now() + interval '1 hour'`);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await review();
    expect(await stateOf(market, begun.order)).toMatchObject({ status: 'CREATED' });
    await expireClaims(begun.slug, 'late_until = null');
    await review();
    expect(await stateOf(market, begun.order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
  });

  it('stays where it is while two may be meant, and where no order takes it any more', async () => {
    const begun = await open();
    const [one, two] = [await rival(begun.slug), await rival(begun.slug)];
    const { hash } = await ambiguous(begun);
    await cancel(one);
    await review();
    expect(await stateOf(market, begun.order)).toMatchObject({ status: 'CREATED' });
    await begun.payer.pay(begun.order);
    await settle();
    await cancel(two);
    await review();
    expect(await stateOf(market, begun.order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    expect(await entryOf(market, begun.shop, hash)).toMatchObject({ status: 'OPEN', reason: 'AMBIGUOUS' });
  });

  it('between two orders of one wallet is the one’s that is left', async () => {
    const begun = await open();
    const other = await makeOrder(market, { slug: begun.slug, payer: begun.payer.address });
    await ambiguous(begun);
    await begun.payer.pay(other);
    await settle();
    await review();
    expect(await stateOf(market, other)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    expect(await stateOf(market, begun.order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
  });

  it('that a member has decided about is left alone', async () => {
    const begun = await open();
    const token = await rival(begun.slug);
    const [aside, back] = [await ambiguous(begun), await ambiguous(begun)];
    const id = (await entryOf(market, begun.shop, aside.hash))?.id;
    expect((await decide(market, begun.shop, 'ignoreUnmatchedPayment', { id, note: 'not ours' })).code).toBe('OK');
    const other = (await entryOf(market, begun.shop, back.hash))?.id;
    expect((await decide(market, begun.shop, 'refundUnmatchedPayment', { id: other })).code).toBe('OK');
    await cancel(token);
    await review();
    expect(await stateOf(market, begun.order)).toMatchObject({ status: 'CREATED' });
    expect(await entryOf(market, begun.shop, aside.hash)).toMatchObject({ status: 'IGNORED' });
    expect(await entryOf(market, begun.shop, back.hash)).toMatchObject({ status: 'REFUNDED' });
  });

  it('is found however many others stand before it', async () => {
    const crowd = await open();
    const token = await rival(crowd.slug);
    for (let count = 0; count < 55; count += 1) await crowd.payer.transfer(crowd.payTo, 1n);
    const begun = await open();
    const own = await rival(begun.slug);
    await ambiguous(begun);
    await cancel(own);
    await review();
    await review();
    expect(await stateOf(market, begun.order)).toMatchObject({ status: 'PAID' });
    expect(await stateOf(market, crowd.order)).toMatchObject({ status: 'CREATED', credited: 0n });
    await cancel(token);
    await review();
    await review();
    await review();
    expect(await stateOf(market, crowd.order)).toMatchObject({ status: 'DETECTED', credited: 55n });
  });
});
