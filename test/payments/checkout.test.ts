import { zeroAddress } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { CREATE_ORDER, ETH, type Market, makeLink, makeOrder, newPayer, openMarket, TUSD } from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(async () => {
  // What was changed behind the log's back is put back, for the log to say the truth again.
  for (const slug of touched) await market.sql(`update payment_links set ${AS_MADE} where slug = $1`, slug);
  await expectBooksToBalance(market);
  await market.close();
});

const PAYER = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045';

/** Asks without a session. */
const ask: Market['house']['ask'] = (query, variables) => market.house.ask(query, variables);

const checkout = (slug: string) =>
  ask<{ checkout: { status: string } | null }>(
    `query ($slug: String!) { checkout(slug: $slug) {
      slug title description status organizationName accepts { asset { symbol } amount units payTo }
    } }`,
    { slug },
  );

interface OrderInput {
  readonly slug: string;
  readonly asset?: string | null;
  readonly payer?: string | null;
  readonly matching?: string;
}

const ordersInAll = async (): Promise<unknown> =>
  (await market.sql('select count(*) from payment_orders union all select count(*) from handles')).map(Object.values);

/** The code of a refusal that wrote nothing, with its facts. */
async function refused(input: OrderInput, house = market.house): Promise<[code: string | undefined, facts?: unknown]> {
  const before = await ordersInAll();
  const { data, errors } = await house.ask(CREATE_ORDER, { input });
  expect(Object.values(data ?? {}).filter(Boolean)).toEqual([]);
  expect(await ordersInAll()).toEqual(before);
  return [errors[0]?.extensions.code, errors[0]?.extensions.facts];
}

const AS_MADE = `status = 'ACTIVE', deleted_at = null`;
const touched: string[] = [];

/** Changes a link by the hand of a superuser, until the end. */
async function setLink(slug: string, change: string): Promise<void> {
  touched.push(slug);
  await market.sql(`update payment_links set ${change} where slug = $1`, slug);
}

describe('a checkout', () => {
  it('shows a payer the link’s terms without a session, and who is paid', async () => {
    const { slug } = await makeLink(market, {
      accepts: [
        { asset: TUSD, amount: '1' },
        { asset: ETH, amount: '2' },
      ],
    });
    const { data, errors } = await checkout(slug);
    const [organization] = await market.sql<{ name: string }>(
      'select o.name from organizations o join payment_links l on l.organization_id = o.id where l.slug = $1',
      slug,
    );
    const payTo = market.merchant.account.address;
    expect(errors).toEqual([]);
    expect(data).toEqual({
      checkout: {
        slug,
        title: 'Lunch',
        description: null,
        status: 'ACTIVE',
        organizationName: organization?.name,
        accepts: [
          { asset: { symbol: 'TUSD' }, amount: '1', units: '1000000', payTo },
          { asset: { symbol: 'ETH' }, amount: '2', units: '2000000000000000000', payTo },
        ],
      },
    });
  });

  it.each(['', 'x', 'A'.repeat(22), '../etc', 'ф', 'x'.repeat(10_000)])(
    'of the unknown slug %j is null',
    async (slug) => {
      expect(await checkout(slug)).toMatchObject({ data: { checkout: null }, errors: [] });
      expect(await refused({ slug, payer: PAYER })).toEqual(['LINK_NOT_FOUND', undefined]);
    },
  );

  it('of a deleted link is null as if it had never been', async () => {
    const { slug } = await makeLink(market);
    await setLink(slug, 'deleted_at = now()');
    expect(await checkout(slug)).toMatchObject({ data: { checkout: null }, errors: [] });
    expect(await refused({ slug, payer: PAYER })).toEqual(['LINK_NOT_FOUND', undefined]);
  });

  it('of an order’s token is null, and an order of a link’s slug too', async () => {
    const { slug } = await makeLink(market);
    const { token } = await makeOrder(market, { slug, payer: PAYER });
    expect((await checkout(token)).data).toEqual({ checkout: null });
    const order = await ask('query ($token: String!) { checkoutOrder(token: $token) { status } }', { token: slug });
    expect(order).toMatchObject({ data: { checkoutOrder: null }, errors: [] });
  });

  it('of a suspended organization is null; its orders can still be seen by who holds them', async () => {
    const other = await signIn(market.house);
    const { slug } = await makeLink(market, { by: other });
    const { token } = await makeOrder(market, { slug, payer: PAYER });
    await market.sql(
      `update organizations o set status = 'SUSPENDED' from payment_links l where l.organization_id = o.id and l.slug = $1`,
      slug,
    );
    expect((await checkout(slug)).data).toEqual({ checkout: null });
    expect(await refused({ slug, payer: PAYER })).toEqual(['LINK_NOT_FOUND', undefined]);
    const seen = await ask('query ($token: String!) { checkoutOrder(token: $token) { status } }', { token });
    expect(seen.data).toEqual({ checkoutOrder: { status: 'CREATED' } });
  });

  it('has only what a payer needs', async () => {
    const fields = async (name: string): Promise<string[]> => {
      const { data } = await ask<{ __type: { fields: { name: string }[] } }>(
        'query ($name: String!) { __type(name: $name) { fields { name } } }',
        { name },
      );
      return (data?.__type.fields ?? []).map((field) => field.name).sort();
    };
    expect(await fields('Checkout')).toEqual([
      'accepts',
      'cancelUrl',
      'description',
      'effectiveStatus',
      'expiresAt',
      'fields',
      'lineItems',
      'message',
      'orderLifetimeMinutes',
      'organizationName',
      'pricing',
      'slug',
      'startsAt',
      'status',
      'successUrl',
      'theme',
      'title',
    ]);
    expect((await fields('CheckoutOrder')).join(' ')).toBe(
      'cancelUrl chainWatched claimMessage confirmations due exceptions expiresAt fieldValues finality lateUntil lineItems matching ' +
        'payTo payer paymentRequest receivedUnits refunds slug status successUrl surchargeUnits token transactions',
    );
    expect(await fields('AmountDue')).toEqual(['amount', 'asset', 'units']);
    expect(await fields('CheckoutTransaction')).toEqual(['hash', 'status']);
    expect(await fields('PaymentLinkAccept')).toEqual([
      'amount',
      'asset',
      'chainWatched',
      'exhausted',
      'maxAmount',
      'minAmount',
      'payTo',
      'payeeProved',
      'units',
    ]);
  });
});

describe('an order', () => {
  it('is made without a session, and holds the terms of its link as they were', async () => {
    const link = await makeLink(market);
    const { data } = await ask<{ createPaymentOrder: { checkoutOrder: Record<string, unknown> } }>(
      `mutation ($input: CreatePaymentOrderInput!) { createPaymentOrder(input: $input) { checkoutOrder {
        token status due { asset { symbol caip19 } amount units } expiresAt transactions { hash }
        paymentRequest { chainId to value data eip681 }
      } } }`,
      { input: { slug: link.slug, payer: PAYER } },
    );
    const order = data?.createPaymentOrder.checkoutOrder;
    expect(order).toMatchObject({
      status: 'CREATED',
      due: { asset: { symbol: 'TUSD', caip19: TUSD }, amount: '12.5', units: '12500000' },
      transactions: [],
      paymentRequest: { chainId: 31_337, value: '0' },
    });
    await market.sql(
      `update payment_link_accepts a set units = 1 from payment_links l
      where l.id = a.payment_link_id and l.slug = $1`,
      link.slug,
    );
    const seen = await ask('query ($token: String!) { checkoutOrder(token: $token) { due { units } expiresAt } }', {
      token: order?.token,
    });
    expect(seen.data).toEqual({ checkoutOrder: { due: { units: '12500000' }, expiresAt: order?.expiresAt } });
  });

  it('lasts as long as its link says', async () => {
    const { slug } = await makeLink(market);
    const { token } = await makeOrder(market, { slug, payer: PAYER });
    await setLink(slug, 'order_lifetime_minutes = 5');
    const later = await makeOrder(market, { slug, payer: PAYER });
    expect(later.token).not.toBe(token);
    const lifetimes = await market.sql<{ minutes: string }>(
      `select extract(epoch from o.expires_at - o.created_at) / 60 as minutes
       from payment_orders o join payment_links l on l.id = o.payment_link_id
       where l.slug = $1 order by o.created_at`,
      slug,
    );
    expect(lifetimes.map(({ minutes }) => Number(minutes))).toEqual([60, 5]);
  });

  it('is seen by its token alone, each payer its own', async () => {
    const { slug } = await makeLink(market);
    const [one, two] = [
      await makeOrder(market, { slug, payer: PAYER }),
      await makeOrder(market, { slug, payer: (await newPayer(market)).address }),
    ];
    expect(one.reference).not.toBe(two.reference);
    const query = 'query ($token: String!) { checkoutOrder(token: $token) { token paymentRequest { data } } }';
    for (const { token, paymentRequest } of [one, two]) {
      const { data } = await ask(query, { token });
      expect(data).toEqual({ checkoutOrder: { token, paymentRequest: { data: paymentRequest.data } } });
    }
    for (const token of ['', one.token.slice(1), `${one.token}A`, one.reference, slug]) {
      expect(await ask(query, { token })).toMatchObject({ data: { checkoutOrder: null }, errors: [] });
    }
  });

  it('keeps its token nowhere: the database has only its hash', async () => {
    const { slug } = await makeLink(market);
    const { token } = await makeOrder(market, { slug, payer: PAYER });
    for (const table of ['payment_orders', 'handles', 'events', 'audit_entries']) {
      expect(await market.sql(`select from ${table} t where t::text like '%' || $1 || '%'`, token)).toEqual([]);
    }
  });

  it('is audited as the public’s, with the request that made it', async () => {
    const { slug } = await makeLink(market);
    await makeOrder(market, { slug, payer: PAYER });
    const entries = await market.sql(
      `select a.role, a.verb, a.user_id, a.request_id is not null as request
       from payment_orders o join payment_links l on l.id = o.payment_link_id join audit_entries a on a.row_id = o.id
       where l.slug = $1`,
      slug,
    );
    expect(entries).toEqual([{ role: 'tollhouse_public', verb: 'INSERT', user_id: null, request: true }]);
  });

  it('needs the asset to be named when there are several, and one that the link accepts', async () => {
    const { slug } = await makeLink(market, {
      accepts: [
        { asset: TUSD, amount: '1' },
        { asset: ETH, amount: '2' },
      ],
    });
    const assets = [TUSD, ETH];
    expect(await refused({ slug, payer: PAYER })).toEqual(['ASSET_REQUIRED', { assets }]);
    for (const asset of ['TUSD', '', 'eip155:1/slip44:60']) {
      expect(await refused({ slug, payer: PAYER, asset })).toEqual(['ASSET_NOT_ACCEPTED', { asset, assets }]);
    }
    for (const [asset, units] of [
      [TUSD, '1000000'],
      [TUSD.toLowerCase(), '1000000'],
      [ETH, '2000000000000000000'],
    ] as const) {
      expect((await makeOrder(market, { slug, payer: PAYER, asset })).due.units).toBe(units);
    }
  });

  it('of a link with one asset may name it, or not', async () => {
    const { slug } = await makeLink(market);
    expect((await makeOrder(market, { slug, payer: PAYER, asset: TUSD })).due.units).toBe('12500000');
    expect((await makeOrder(market, { slug, payer: PAYER })).due.units).toBe('12500000');
    expect((await refused({ slug, payer: PAYER, asset: ETH }))[0]).toBe('ASSET_NOT_ACCEPTED');
  });

  it('needs the wallet that will pay, where its payment is to be known by that', async () => {
    const { slug } = await makeLink(market);
    expect(await refused({ slug, matching: 'WALLET' })).toEqual(['PAYER_REQUIRED', undefined]);
    expect(await refused({ slug, payer: null, matching: 'WALLET' })).toEqual(['PAYER_REQUIRED', undefined]);
    expect((await refused({ slug, payer: 'vitalik.eth' }))[0]).toBe('BAD_USER_INPUT');
  });

  it('cannot be of a payer in whose name others send, nor of the payee', async () => {
    const { slug, payTo } = await makeLink(market);
    for (const payer of [zeroAddress, payTo, TEST_TOKEN_ADDRESS.toLowerCase()]) {
      expect(await refused({ slug, payer })).toEqual(['PAYER_REFUSED', { payer }]);
    }
    await makeOrder(market, { slug, payer: PAYER });
    for (const payer of [`'${zeroAddress}'`, 'pay_to']) {
      await expect(market.sql(`update payment_orders set payer = ${payer}`)).rejects.toThrow(
        'payment_orders_payer_check',
      );
    }
  });

  it('of a draft cannot be made, as of a link that there is not', async () => {
    const { slug } = await makeLink(market);
    await setLink(slug, `status = 'DRAFT'`);
    expect(await refused({ slug, payer: PAYER })).toEqual(['LINK_NOT_FOUND', undefined]);
    expect((await checkout(slug)).data?.checkout).toBeNull();
  });

  it.each(['PAUSED', 'ARCHIVED'])('of a link that is %s cannot be made', async (status) => {
    const { slug } = await makeLink(market);
    await setLink(slug, `status = '${status}'`);
    expect(await refused({ slug, payer: PAYER })).toEqual(['LINK_INACTIVE', { status }]);
    expect((await checkout(slug)).data?.checkout?.status).toBe(status);
  });
});

describe('a chain that is not read', () => {
  it.each([
    ['for more than a minute', `caught_up_at = clock_timestamp() - interval '61 seconds'`],
    ['ever', 'caught_up_at = null'],
    ['since it was halted', `halt_reason = 'The chain was reorganized too deep.'`],
    ['any more, because it is another one now', 'current = false'],
  ])('%s takes no orders, until it is read again', async (_, change) => {
    const { slug } = await makeLink(market);
    await market.sql(`update chain_incarnations set ${change}`);
    expect(await refused({ slug, payer: PAYER })).toEqual(['CHAIN_UNAVAILABLE', { chainId: 31_337 }]);
    await market.register();
    await market.watch();
    expect((await makeOrder(market, { slug, payer: PAYER })).due.units).toBe('12500000');
  });

  it('for less than a minute takes orders', async () => {
    const { slug } = await makeLink(market);
    await market.sql(`update chain_incarnations set caught_up_at = clock_timestamp() - interval '50 seconds'`);
    expect((await makeOrder(market, { slug, payer: PAYER })).due.units).toBe('12500000');
  });
});

describe('the limit of open orders', () => {
  let limited: Market;
  beforeAll(async () => {
    limited = await openMarket({ TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0', TRUSTED_PROXIES: '1' });
  });
  afterAll(() => limited.close());

  const order = (slug: string, client = '192.0.2.1') =>
    limited.house.ask(CREATE_ORDER, { input: { slug, payer: PAYER } }, { headers: { 'x-forwarded-for': client } });

  it('lets one client have twenty of a link at a time, however many ask at once', async () => {
    const { slug } = await makeLink(limited);
    const answers = await Promise.all(Array.from({ length: 30 }, () => order(slug)));
    const codes = answers.map(({ errors }) => errors[0]?.extensions.code ?? 'made').sort();
    expect(codes).toEqual([
      ...Array.from({ length: 10 }, () => 'RATE_LIMITED'),
      ...Array.from({ length: 20 }, () => 'made'),
    ]);
    expect(await limited.sql('select count(*)::int from payment_orders')).toEqual([{ count: 20 }]);
  });

  it('says what it is, that trying again helps, and when', async () => {
    const [link] = await limited.sql<{ slug: string }>('select slug from payment_links');
    const { headers, errors } = await order(link?.slug ?? '');
    expect(errors[0]?.extensions).toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      facts: { open: 20, limit: 20 },
    });
    expect(headers.get('retry-after')).toBe('60');
  });

  it('is another client’s own, and another link’s', async () => {
    const [link] = await limited.sql<{ slug: string }>('select slug from payment_links');
    expect((await order(link?.slug ?? '', '192.0.2.2')).errors).toEqual([]);
    expect((await order((await makeLink(limited)).slug)).errors).toEqual([]);
  });

  it('counts no order that has ended', async () => {
    const [link] = await limited.sql<{ slug: string }>('select slug from payment_links order by created_at limit 1');
    await limited.sql(`update payment_orders set status = 'EXPIRED' where id in (
      select id from payment_orders o where status = 'CREATED' order by created_at limit 1)`);
    expect((await order(link?.slug ?? '')).errors).toEqual([]);
    expect((await order(link?.slug ?? '')).errors[0]?.extensions.code).toBe('RATE_LIMITED');
  });
});
