import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { type Market, makeLink, makeOrder, newPayer, openMarket } from './market.ts';
import { beginOn } from './orderTerms.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

interface Seen {
  readonly slug: string;
  readonly status: string;
  readonly finality: string;
  readonly confirmations: number | null;
  readonly lateUntil: string | null;
  readonly expiresAt: string;
  readonly surchargeUnits: string;
  readonly successUrl: string | null;
  readonly cancelUrl: string | null;
  readonly paymentRequest: { readonly eip681: string } | null;
}

async function seen(token: string): Promise<Seen | null | undefined> {
  const { data, errors } = await market.house.ask<{ checkoutOrder: Seen | null }>(
    `query ($token: String!) { checkoutOrder(token: $token) {
      slug status finality confirmations lateUntil expiresAt surchargeUnits successUrl cancelUrl paymentRequest { eip681 }
    } }`,
    { token },
  );
  expect(errors).toEqual([]);
  return data?.checkoutOrder;
}

/** Moves the end of an order and of its late window, by the hand of a superuser; minutes from now. */
const endIn = (token: string, minutes: number, lateMinutes: number | null = null): Promise<unknown> =>
  market.sql(
    `update payment_orders o
     set expires_at = clock_timestamp() + make_interval(mins => $2),
         late_until = clock_timestamp() + make_interval(mins => $3::integer),
         created_at = clock_timestamp() - interval '1 day'
     from handles h
     where h.value_hash = sha256(convert_to($1, 'UTF8')) and o.id = h.target_id`,
    token,
    minutes,
    lateMinutes,
  );

describe('a payer sees', () => {
  it('what its order waits for, and how far that is', async () => {
    const { payer, order } = await beginOn(market, { finality: 'CONFIRMATIONS', finality_confirmations: 3 });
    expect(await seen(order.token)).toMatchObject({ finality: 'CONFIRMATIONS(3)', confirmations: null });
    await payer.pay(order);
    await market.watch();
    expect(await seen(order.token)).toMatchObject({ status: 'CONFIRMING', confirmations: 1, paymentRequest: null });
    await market.mine();
    await market.watch();
    expect(await seen(order.token)).toMatchObject({ status: 'CONFIRMING', confirmations: 2 });
    await market.mine();
    await market.watch();
    expect(await seen(order.token)).toMatchObject({ status: 'PAID', confirmations: 3 });
    const { order: slow } = await beginOn(market, { finality: 'FINALIZED' });
    expect(await seen(slow.token)).toMatchObject({ finality: 'FINALIZED' });
  });

  it('where its link sends on to, though it is gone, and nothing where it names nothing', async () => {
    const shop = await signIn(market.house);
    const { slug } = await makeLink(market, { by: shop });
    await market.watch();
    const order = await makeOrder(market, { slug, payer: (await newPayer(market)).address });
    expect(await seen(order.token)).toMatchObject({ successUrl: null, cancelUrl: null });
    await market.sql('begin');
    await market.sql(`set local session_replication_role = replica`);
    await market.sql(
      `update payment_links
       set success_url = 'https://shop.example/thanks', cancel_url = 'https://shop.example/back',
           deleted_at = clock_timestamp()
       where slug = $1`,
      slug,
    );
    await market.sql('commit');
    expect(await seen(order.token)).toMatchObject({
      successUrl: 'https://shop.example/thanks',
      cancelUrl: 'https://shop.example/back',
    });
    await market.sql('begin');
    await market.sql(`set local session_replication_role = replica`);
    await market.sql(
      `update payment_links set success_url = null, cancel_url = null, deleted_at = null where slug = $1`,
      slug,
    );
    await market.sql('commit');
    expect(await seen('nobody has this token')).toBeNull();
  });

  it('which link it is of, and nothing of any other one', async () => {
    const stranger = await makeLink(market, { by: await signIn(market.house) });
    const { slug } = await makeLink(market);
    await market.watch();
    const orders = [];
    for (const one of [slug, stranger.slug]) {
      orders.push(await makeOrder(market, { slug: one, payer: (await newPayer(market)).address }));
    }
    const slugs = await Promise.all(orders.map(async ({ token }) => (await seen(token))?.slug));
    expect(slugs).toEqual([slug, stranger.slug]);
  });

  it('what was added to its price', async () => {
    const { slug } = await makeLink(market);
    await market.watch();
    const { data } = await market.house.ask<{
      createPaymentOrder: { checkoutOrder: { surchargeUnits: string; due: { units: string } } };
    }>(
      `mutation ($slug: String!) {
        createPaymentOrder(input: { slug: $slug }) { checkoutOrder { surchargeUnits due { units } } }
      }`,
      { slug },
    );
    const { surchargeUnits, due } = data?.createPaymentOrder.checkoutOrder ?? {
      surchargeUnits: '0',
      due: { units: '0' },
    };
    expect(BigInt(due.units) - BigInt(surchargeUnits)).toBe(12_500_000n);
    expect(BigInt(surchargeUnits)).toBeGreaterThan(0n);
  });

  it('no payment request behind the deadline, before anybody has found that it is over', async () => {
    const { order } = await beginOn(market, {});
    expect((await seen(order.token))?.paymentRequest).not.toBeNull();
    await endIn(order.token, -1);
    expect(await seen(order.token)).toMatchObject({ status: 'CREATED', paymentRequest: null, lateUntil: null });
  });

  it.each([
    ['ACCEPT', 5, true],
    ['ACCEPT', -1, false],
    ['HOLD', 5, false],
    ['REFUND', 5, false],
  ])('one in the late window where the terms are %s, which ends in %d minutes: %s', async (policy, late, is) => {
    const { order } = await beginOn(market, { late_policy: policy });
    await endIn(order.token, -2, late);
    const found = await seen(order.token);
    expect(found?.lateUntil).not.toBeNull();
    expect(found?.paymentRequest !== null).toBe(is);
  });
});
