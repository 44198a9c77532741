import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeGlobalId } from '../../src/kernel/ids.ts';
import { signIn } from '../support/person.ts';
import { createLink, doToLink, madeLink, updateLink } from './linkBench.ts';
import { ETH, type Market, openMarket, TUSD } from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(() => market.close());

const ALL = {
  title: 'Season ticket',
  status: 'DRAFT',
  slug: 'season-ticket',
  maxUses: 10,
  maxPerWallet: 2,
  startsAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2999-01-01T00:00:00.000Z',
  orderLifetimeMinutes: 30,
  toleranceBasisPoints: 50,
  underPolicy: 'ACCEPT',
  overPolicy: 'REFUND',
  latePolicy: 'ACCEPT',
  lateWindowMinutes: 10,
  finality: 'CONFIRMATIONS',
  finalityConfirmations: 7,
  customFields: [{ key: 'note', label: 'Note', type: 'TEXT', required: true, maxLength: 50 }],
  allowedPayers: [`0x${'1'.repeat(40)}`],
  inactiveMessage: 'Come back in spring.',
  metadata: { season: 2026, indoor: true, shelf: 'A' },
};

describe('a link', () => {
  it('has all the terms that it was made with', async () => {
    const link = await madeLink(market, { ...ALL, accepts: [{ amount: '12.5', maxTotal: '100' }] });
    const { customFields, ...terms } = ALL;
    expect(link).toMatchObject({ ...terms, effectiveStatus: 'DRAFT', pricing: 'FIXED', uses: 0, lineItems: [] });
    expect(link.customFields).toEqual([{ ...customFields[0], options: [], min: null, max: null }]);
    expect(link.totals).toEqual([{ asset: TUSD.toLowerCase(), total: '0', maxTotal: '100' }]);
  });

  it('has what is usual where nothing was said', async () => {
    const link = await madeLink(market);
    expect(link).toMatchObject({
      status: 'ACTIVE',
      effectiveStatus: 'ACTIVE',
      pricing: 'FIXED',
      orderLifetimeMinutes: 60,
      toleranceBasisPoints: 0,
      underPolicy: 'HOLD',
      overPolicy: 'KEEP',
      latePolicy: 'HOLD',
      lateWindowMinutes: 60,
      finality: null,
      maxUses: null,
      uses: null,
      allowedPayers: null,
      customFields: [],
      metadata: {},
      totals: [],
    });
    expect(link.slug).toMatch(/^[\w-]{22}$/);
  });

  it('lets the payer choose between a least and a most', async () => {
    const link = await madeLink(market, {
      pricing: 'OPEN',
      accepts: [
        { minAmount: '1', maxAmount: '99.5' },
        { asset: ETH, minAmount: '0.001', maxAmount: '0.001' },
      ],
    });
    expect(link.accepts).toMatchObject([
      { amount: null, minAmount: '1', maxAmount: '99.5' },
      { amount: null, minAmount: '0.001', maxAmount: '0.001' },
    ]);
  });

  it('comes to the sum of its line items in each asset', async () => {
    const prices = (tusd: string, eth: string): object[] => [
      { asset: TUSD, amount: tusd },
      { asset: ETH, amount: eth },
    ];
    const link = await madeLink(market, {
      pricing: 'LINE_ITEMS',
      lineItems: [
        { title: 'Tea', quantity: 3, prices: prices('2.5', '0.001') },
        { title: 'Cake', description: 'Whole', quantity: 1, prices: prices('20', '0.01') },
      ],
      accepts: [{ amount: '27.5' }, { asset: ETH }],
    });
    expect(link.accepts).toMatchObject([{ amount: '27.5' }, { amount: '0.013' }]);
    expect(link.lineItems).toMatchObject([
      {
        title: 'Tea',
        description: null,
        quantity: 3,
        prices: [{ amount: '2.5', units: '2500000' }, { amount: '0.001' }],
      },
      { title: 'Cake', description: 'Whole', quantity: 1 },
    ]);
  });

  it.each<[what: string, code: string, input: Record<string, unknown>]>([
    ['a status that it cannot begin with', 'BAD_USER_INPUT', { status: 'PAUSED' }],
    ['a slug of other letters', 'BAD_USER_INPUT', { slug: 'Season Ticket' }],
    ['a slug that is too short', 'BAD_USER_INPUT', { slug: 'ab' }],
    ['no use at all', 'BAD_USER_INPUT', { maxUses: 0 }],
    ['an end before its beginning', 'BAD_USER_INPUT', { startsAt: ALL.expiresAt, expiresAt: ALL.startsAt }],
    ['too much tolerance', 'BAD_USER_INPUT', { toleranceBasisPoints: 1001 }],
    ['confirmations of what is final', 'BAD_USER_INPUT', { finality: 'FINALIZED', finalityConfirmations: 3 }],
    ['confirmations without a number', 'BAD_USER_INPUT', { finality: 'CONFIRMATIONS' }],
    ['no payer at all', 'BAD_USER_INPUT', { allowedPayers: [] }],
    ['metadata of two levels', 'BAD_USER_INPUT', { metadata: { a: { b: 1 } } }],
    ['a field of no type', 'FIELDS_INVALID', { customFields: [{ key: 'a', label: 'A', type: 'SELECT' }] }],
    ['an address that is none', 'BAD_USER_INPUT', { successUrl: 'javascript:alert(1)' }],
    ['an address with a password', 'BAD_USER_INPUT', { successUrl: 'https://a:b@example.org/' }],
    ['an origin that is nobody’s', 'REDIRECT_ORIGIN_REFUSED', { successUrl: 'https://elsewhere.example/' }],
    ['an open price that is given', 'AMOUNT_INVALID', { pricing: 'OPEN', accepts: [{ amount: '1' }] }],
    ['a least above the most', 'AMOUNT_INVALID', { pricing: 'OPEN', accepts: [{ minAmount: '2', maxAmount: '1' }] }],
    ['a range of a fixed price', 'AMOUNT_INVALID', { accepts: [{ amount: '1', minAmount: '1' }] }],
    ['a fixed price without an amount', 'AMOUNT_INVALID', { accepts: [{}] }],
    ['a total that is less than the price', 'AMOUNT_INVALID', { accepts: [{ amount: '2', maxTotal: '1' }] }],
    ['line items of a fixed price', 'LINE_ITEMS_INVALID', { lineItems: [{ title: 'Tea', quantity: 1, prices: [] }] }],
    ['no line item', 'LINE_ITEMS_INVALID', { pricing: 'LINE_ITEMS', accepts: [{}] }],
    [
      'a line item without a price',
      'LINE_ITEMS_INVALID',
      { pricing: 'LINE_ITEMS', accepts: [{}], lineItems: [{ title: 'Tea', quantity: 1, prices: [] }] },
    ],
    [
      'a sum that is another',
      'AMOUNT_INVALID',
      {
        pricing: 'LINE_ITEMS',
        accepts: [{ amount: '2' }],
        lineItems: [{ title: 'Tea', quantity: 1, prices: [{ asset: TUSD, amount: '1' }] }],
      },
    ],
  ])('with %s is refused', async (_, code, input) => {
    const before = await market.sql('select count(*) from payment_links');
    expect((await createLink(market, input)).code).toBe(code);
    expect(await market.sql('select count(*) from payment_links')).toEqual(before);
  });
});

describe('a slug', () => {
  it('is nobody else’s, nor anybody’s again once its link is deleted', async () => {
    const { id } = await madeLink(market, { slug: 'only-once' });
    const other = await signIn(market.house);
    const taken = { code: 'LINK_SLUG_TAKEN', facts: { slug: 'only-once' } };
    expect(await createLink(market, { slug: 'only-once' })).toMatchObject(taken);
    expect(await createLink(market, { slug: 'only-once' }, other)).toMatchObject(taken);
    expect(await doToLink(market, 'delete', id)).toBe('OK');
    expect(await createLink(market, { slug: 'only-once' })).toMatchObject(taken);
    expect(await createLink(market, { slug: 'only-once' }, other)).toMatchObject(taken);
  });
});

describe('where payers are sent on to', () => {
  const allow = (redirectOrigins: readonly string[]): Promise<unknown> =>
    market.house.ask(
      `mutation ($input: UpdateOrganizationSettingsInput!) {
        updateOrganizationSettings(input: $input) { organization { settings { redirectOrigins } } }
      }`,
      { input: { redirectOrigins } },
      { token: market.merchant.accessToken },
    );

  it('is an origin that the organization has named, until it names it no more', async () => {
    expect(await allow(['https://shop.example.com', 'http://localhost:3000'])).toMatchObject({
      errors: [],
      data: {
        updateOrganizationSettings: {
          organization: { settings: { redirectOrigins: ['https://shop.example.com', 'http://localhost:3000'] } },
        },
      },
    });
    const urls = { successUrl: 'https://shop.example.com/thanks?a=1#b', cancelUrl: 'http://localhost:3000/' };
    const link = await madeLink(market, urls);
    expect(link).toMatchObject(urls);
    await allow([]);
    expect(await updateLink(market, link.id, { title: 'Dinner' })).toMatchObject({ code: 'OK' });
    expect(await updateLink(market, link.id, { cancelUrl: 'https://shop.example.com/' })).toMatchObject({
      code: 'REDIRECT_ORIGIN_REFUSED',
    });
    expect(await updateLink(market, link.id, { cancelUrl: null, successUrl: null })).toMatchObject({
      code: 'OK',
      data: { cancelUrl: null, successUrl: null },
    });
  });

  it.each(['https://shop.example.com/path', 'ftp://shop.example.com', 'https://a:b@shop.example.com', 'shop', ''])(
    'is never %j, which is no origin',
    async (origin) => {
      expect(await allow([origin])).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    },
  );

  it('is a domain of the organization’s once it is verified, and not before', async () => {
    const { id } = await madeLink(market);
    await market.sql(
      `insert into organization_domains (organization_id, kind, host, verification_token, is_primary)
       select organization_id, 'CUSTOM', 'tea.example.com', repeat('a', 32), false from payment_links where id = $1`,
      decodeGlobalId(id)?.id,
    );
    const successUrl = 'https://tea.example.com/thanks';
    expect((await createLink(market, { successUrl })).code).toBe('REDIRECT_ORIGIN_REFUSED');
    await market.sql(`update organization_domains set verified_at = now() where host = 'tea.example.com'`);
    expect((await createLink(market, { successUrl })).code).toBe('OK');
    expect((await createLink(market, { successUrl: 'http://tea.example.com/' })).code).toBe('REDIRECT_ORIGIN_REFUSED');
  });
});
