import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectBooksToBalance } from './books.ts';
import { ask, madeLink, order, payerOf } from './linkBench.ts';
import { ETH, type Market, openMarket, TUSD } from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(async () => {
  await expectBooksToBalance(market);
  await market.close();
});

describe('an order of an open price', () => {
  it('is for what the payer chooses, within the range, its ends included', async () => {
    const { slug } = await madeLink(market, { pricing: 'OPEN', accepts: [{ minAmount: '1', maxAmount: '10' }] });
    for (const amount of ['1', '5.000001', '10']) {
      expect((await order(market, slug, { amount })).data?.due.amount).toBe(amount);
    }
    for (const amount of ['0.999999', '10.000001', '0']) {
      expect(await order(market, slug, { amount })).toMatchObject({ code: 'AMOUNT_REFUSED' });
    }
    expect(await order(market, slug, { amount: '1.0000001' })).toMatchObject({ code: 'AMOUNT_INVALID' });
    expect(await order(market, slug)).toMatchObject({ code: 'AMOUNT_REQUIRED' });
  });

  it('of a given price is for that, and for nothing else', async () => {
    const { slug } = await madeLink(market);
    expect((await order(market, slug, { amount: '12.50' })).data?.due.amount).toBe('12.5');
    expect(await order(market, slug, { amount: '12.4' })).toMatchObject({ code: 'AMOUNT_REFUSED' });
  });
});

describe('an order of line items', () => {
  it('is for their sum, and shows them as they were', async () => {
    const prices = (tusd: string, eth: string): object[] => [
      { asset: TUSD, amount: tusd },
      { asset: ETH, amount: eth },
    ];
    const { slug } = await madeLink(market, {
      pricing: 'LINE_ITEMS',
      lineItems: [
        { title: 'Tea', quantity: 3, prices: prices('2.5', '0.001') },
        { title: 'Cake', quantity: 1, prices: prices('20', '0.01') },
      ],
      accepts: [{}, { asset: ETH }],
    });
    const { data } = await order(market, slug, { asset: ETH });
    expect(data).toMatchObject({
      due: { amount: '0.013' },
      lineItems: [
        { title: 'Tea', quantity: 3, prices: [{ asset: ETH, amount: '0.001' }] },
        { title: 'Cake', quantity: 1, prices: [{ asset: ETH, amount: '0.01' }] },
      ],
    });
    const { data: seen } = await ask<{ checkout: { lineItems: unknown[] } }>(
      market,
      '{ checkout(slug: "SLUG") { pricing lineItems { title prices { amount } } } }'.replace('SLUG', slug),
      {},
      null,
    );
    expect(seen?.checkout.lineItems).toEqual([
      { title: 'Tea', prices: [{ amount: '2.5' }, { amount: '0.001' }] },
      { title: 'Cake', prices: [{ amount: '20' }, { amount: '0.01' }] },
    ]);
  });
});

describe('what a link asks its payers for', () => {
  it('is shown at checkout, kept with the order, and refused by its key', async () => {
    const { slug } = await madeLink(market, {
      customFields: [
        { key: 'mail', label: 'Mail', type: 'EMAIL', required: true },
        { key: 'size', label: 'Size', type: 'SELECT', options: ['S', 'M'] },
      ],
    });
    expect(await order(market, slug)).toMatchObject({ code: 'FIELD_INVALID', facts: { key: 'mail' } });
    const fields = { mail: 'dave@example.org', size: 'M' };
    expect(await order(market, slug, { fields: { ...fields, size: 'L' } })).toMatchObject({
      code: 'FIELD_INVALID',
      facts: { key: 'size' },
    });
    expect((await order(market, slug, { fields })).data?.fieldValues).toEqual(fields);
    const seen = await ask<{ organization: { paymentOrders: { edges: { node: object }[] } } }>(
      market,
      '{ organization { paymentOrders(first: 1) { edges { node { fieldValues lineItems { title } } } } } }',
      {},
    );
    expect(seen.data?.organization.paymentOrders.edges).toEqual([{ node: { fieldValues: fields, lineItems: [] } }]);
    const checkout = await ask<{ checkout: object }>(
      market,
      `{ checkout(slug: "${slug}") { fields { key type required options } } }`,
      {},
      null,
    );
    expect(checkout.data?.checkout).toEqual({
      fields: [
        { key: 'mail', type: 'EMAIL', required: true, options: [] },
        { key: 'size', type: 'SELECT', required: false, options: ['S', 'M'] },
      ],
    });
  });
});

describe('who may pay', () => {
  it('is whoever the link allows, by a named wallet', async () => {
    const { slug } = await madeLink(market, { allowedPayers: [payerOf(1), payerOf(2)] });
    expect((await order(market, slug, { payer: payerOf(2) })).code).toBe('OK');
    expect((await order(market, slug, { payer: payerOf(3) })).code).toBe('PAYER_NOT_ALLOWED');
    expect((await order(market, slug, { payer: null })).code).toBe('PAYER_REQUIRED');
  });
});

describe('the time of a link', () => {
  const CHECKOUT = (slug: string): string => `{ checkout(slug: "${slug}") { effectiveStatus message } }`;

  it.each([
    ['SCHEDULED', { startsAt: '2999-01-01T00:00:00Z' }, `starts_at = '2026-01-01', expires_at = null`],
    ['EXPIRED', { expiresAt: '2026-01-01T00:00:00Z' }, `starts_at = null, expires_at = '2999-01-01'`],
  ])('makes it %s by the clock of the database, with the merchant’s words', async (status, time, moved) => {
    const { slug } = await madeLink(market, { ...time, inactiveMessage: 'Not now.' });
    expect(await order(market, slug)).toMatchObject({
      code: 'LINK_INACTIVE',
      facts: { status, message: 'Not now.' },
    });
    expect((await ask(market, CHECKOUT(slug), {}, null)).data).toEqual({
      checkout: { effectiveStatus: status, message: 'Not now.' },
    });
    await market.sql(`update payment_links set ${moved} where slug = $1`, slug);
    expect((await order(market, slug)).code).toBe('OK');
    expect((await ask(market, CHECKOUT(slug), {}, null)).data).toEqual({
      checkout: { effectiveStatus: 'ACTIVE', message: null },
    });
  });
});

describe('the terms of an order', () => {
  it('are the link’s, to the last of them', async () => {
    const { slug } = await madeLink(market, {
      orderLifetimeMinutes: 30,
      toleranceBasisPoints: 33,
      underPolicy: 'REFUND',
      overPolicy: 'REFUND',
      latePolicy: 'ACCEPT',
      lateWindowMinutes: 10,
      finality: 'SAFE',
    });
    const { data } = await order(market, slug);
    const [terms] = await market.sql(
      `select tolerance_units, under_policy, over_policy, late_policy, finality, required_confirmations, surcharge_units,
         expires_at = created_at + interval '30 minutes' as lives, late_until = expires_at + interval '10 minutes' as late
       from payment_orders where id = (select target_id from handles where value_hash = sha256(convert_to($1, 'utf8')))`,
      data?.token,
    );
    expect(terms).toEqual({
      tolerance_units: '41250',
      under_policy: 'REFUND',
      over_policy: 'REFUND',
      late_policy: 'ACCEPT',
      finality: 'SAFE',
      required_confirmations: 1,
      surcharge_units: '0',
      lives: true,
      late: true,
    });
  });

  it('are the chain’s where the link leaves them to it, by the amount', async () => {
    const { slug } = await madeLink(market, {
      pricing: 'OPEN',
      lateWindowMinutes: 0,
      accepts: [{ minAmount: '1', maxAmount: '100' }],
    });
    await market.sql(
      `insert into chain_finality_rules (asset_id, from_units, finality, confirmations)
       select id, from_units, finality::chain_finality, confirmations
       from assets, (values (50000000, 'CONFIRMATIONS', 9), (90000000, 'FINALIZED', null)) as rules (from_units, finality, confirmations)
       where symbol = 'TUSD'`,
    );
    for (const [amount, finality, confirmations] of [
      ['49', 'CONFIRMATIONS', 2],
      ['50', 'CONFIRMATIONS', 9],
      ['90', 'FINALIZED', 1],
    ]) {
      await order(market, slug, { amount });
      const [terms] = await market.sql(
        'select finality, required_confirmations, late_until from payment_orders order by created_at desc, id desc limit 1',
      );
      expect(terms).toEqual({ finality, required_confirmations: confirmations, late_until: null });
    }
    await market.sql('delete from chain_finality_rules');
  });
});
