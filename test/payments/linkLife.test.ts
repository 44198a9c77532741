import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeGlobalId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { ask, cancelOrder, createLink, doToLink, madeLink, order, payerOf, updateLink } from './linkBench.ts';
import { ETH, type Market, openMarket, TUSD } from './market.ts';

let market: Market;
let stranger: Person;
beforeAll(async () => {
  market = await openMarket();
  stranger = await signIn(market.house);
});
afterAll(async () => {
  await expectBooksToBalance(market);
  await market.close();
});

const GONE = 'PAYMENT_LINK_NOT_FOUND';

/** What was told of a link, in order. */
async function told(id: string): Promise<unknown[]> {
  return market.sql(
    `select type, aggregate_version as version, data from events
     where aggregate_type = 'payment-link' and aggregate_id = $1 order by aggregate_version`,
    decodeGlobalId(id)?.id,
  );
}

describe('a link', () => {
  it('goes from draft to active, to a pause and back, and to the archive, and each is told once', async () => {
    const { id, slug } = await madeLink(market, { status: 'DRAFT' });
    expect((await order(market, slug)).code).toBe('LINK_NOT_FOUND');
    expect(await doToLink(market, 'pause', id)).toBe('LINK_STATUS_REFUSED');
    expect(await doToLink(market, 'activate', id)).toBe('ACTIVE');
    expect(await doToLink(market, 'activate', id)).toBe('LINK_STATUS_REFUSED');
    expect((await order(market, slug)).code).toBe('OK');
    expect(await doToLink(market, 'pause', id)).toBe('PAUSED');
    expect((await order(market, slug)).facts).toEqual({ status: 'PAUSED' });
    expect(await doToLink(market, 'activate', id)).toBe('ACTIVE');
    expect(await doToLink(market, 'archive', id)).toBe('ARCHIVED');
    expect(await doToLink(market, 'activate', id)).toBe('LINK_STATUS_REFUSED');
    expect((await order(market, slug)).code).toBe('LINK_INACTIVE');
    expect(await told(id)).toEqual([
      { type: 'payment-link.created', version: 1, data: { title: 'Lunch', status: 'DRAFT' } },
      { type: 'payment-link.activated', version: 2, data: { status: 'ACTIVE' } },
      { type: 'payment-link.paused', version: 3, data: { status: 'PAUSED' } },
      { type: 'payment-link.activated', version: 4, data: { status: 'ACTIVE' } },
      { type: 'payment-link.archived', version: 5, data: { status: 'ARCHIVED' } },
    ]);
  });

  it('is changed once by one key, which says something else with other words', async () => {
    const { id } = await madeLink(market);
    const idempotencyKey = 'one-key-for-this-change';
    const change = { title: 'Dinner', maxUses: 3, idempotencyKey };
    expect(await updateLink(market, id, change)).toMatchObject({ code: 'OK', data: { title: 'Dinner', maxUses: 3 } });
    expect(await updateLink(market, id, change)).toMatchObject({ code: 'OK' });
    expect(await told(id)).toMatchObject([{}, { type: 'payment-link.updated', data: { fields: 'maxUses title' } }]);
    expect(await updateLink(market, id, { ...change, maxUses: null })).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    expect(await doToLink(market, 'pause', id, { key: 'one-key-for-this-pause' })).toBe('PAUSED');
    expect(await doToLink(market, 'pause', id, { key: 'one-key-for-this-pause' })).toBe('PAUSED');
    expect(await told(id)).toHaveLength(3);
  });

  it('keeps what a change does not name, and what is null becomes what is usual', async () => {
    const { id } = await madeLink(market, {
      description: 'Soup.',
      maxUses: 5,
      orderLifetimeMinutes: 15,
      metadata: { a: 1 },
    });
    const kept = { description: 'Soup.', maxUses: 5, orderLifetimeMinutes: 15, metadata: { a: 1 } };
    expect((await updateLink(market, id, { title: 'Dinner' })).data).toMatchObject({ ...kept, title: 'Dinner' });
    const taken = { description: null, maxUses: null, orderLifetimeMinutes: null, metadata: null };
    expect((await updateLink(market, id, taken)).data).toMatchObject({
      description: null,
      maxUses: null,
      orderLifetimeMinutes: 60,
      metadata: {},
      title: 'Dinner',
    });
  });

  it.each<[what: string, code: string, change: Record<string, unknown>]>([
    ['nothing', 'BAD_USER_INPUT', {}],
    ['no title', 'BAD_USER_INPUT', { title: null }],
    ['a price without ways to pay it', 'BAD_USER_INPUT', { pricing: 'OPEN' }],
    ['an end before the beginning that it has', 'BAD_USER_INPUT', { expiresAt: '2026-01-01T00:00:00Z' }],
    [
      'a payee that nobody has proved',
      'PAYEE_NOT_PROVED',
      { accepts: [{ asset: TUSD, amount: '1', payTo: payerOf(9) }] },
    ],
  ])('is not changed to %s', async (_, code, change) => {
    const { id } = await madeLink(market, { startsAt: '2026-06-01T00:00:00Z' });
    expect((await updateLink(market, id, change)).code).toBe(code);
    expect(await told(id)).toHaveLength(1);
  });

  it('that is archived is not changed any more', async () => {
    const { id } = await madeLink(market);
    await doToLink(market, 'archive', id);
    expect((await updateLink(market, id, { title: 'Dinner' })).code).toBe('LINK_STATUS_REFUSED');
  });

  it('gets other prices, and the orders that are there keep theirs', async () => {
    const { id, slug } = await madeLink(market, { toleranceBasisPoints: 100, underPolicy: 'ACCEPT' });
    await order(market, slug);
    const payTo = market.merchant.account.address;
    const prices = { pricing: 'OPEN', accepts: [{ asset: ETH, minAmount: '1', maxAmount: '2', payTo }] };
    expect(
      (await updateLink(market, id, { ...prices, toleranceBasisPoints: 0, underPolicy: null })).data,
    ).toMatchObject({
      pricing: 'OPEN',
      accepts: [{ amount: null, minAmount: '1', maxAmount: '2' }],
    });
    const after = await order(market, slug, { amount: '1.5' });
    expect(after.data?.due).toEqual({ amount: '1.5', units: '1500000000000000000' });
    const orders = await market.sql(
      `select due_units, tolerance_units, under_policy from payment_orders where payment_link_id = $1 order by created_at`,
      decodeGlobalId(id)?.id,
    );
    expect(orders).toEqual([
      { due_units: '12500000', tolerance_units: '125000', under_policy: 'ACCEPT' },
      { due_units: '1500000000000000000', tolerance_units: '0', under_policy: 'HOLD' },
    ]);
  });

  it('is deleted once nobody is about to pay it; its orders stay, and payers find it no more', async () => {
    const { id, slug } = await madeLink(market);
    const { data } = await order(market, slug);
    expect(await doToLink(market, 'delete', id)).toBe('LINK_HAS_OPEN_ORDERS');
    expect(await cancelOrder(market, data?.token ?? '')).toBe('OK');
    expect(await doToLink(market, 'delete', id, { key: 'one-key-for-this-end' })).toBe('OK');
    expect(await doToLink(market, 'delete', id, { key: 'one-key-for-this-end' })).toBe('OK');
    expect(await doToLink(market, 'delete', id)).toBe(GONE);
    expect((await updateLink(market, id, { title: 'Dinner' })).code).toBe(GONE);
    expect((await order(market, slug)).code).toBe('LINK_NOT_FOUND');
    expect((await told(id)).at(-1)).toMatchObject({ type: 'payment-link.deleted', data: { status: 'DELETED' } });
    const seen = await ask<Record<string, unknown>>(
      market,
      `query ($id: ID!, $slug: String!) {
        node(id: $id) { id } checkout(slug: $slug) { slug }
        organization { paymentOrders(first: 100, filter: { paymentLink: $id }) { edges { node { status paymentLink { id } } } } }
      }`,
      { id, slug },
    );
    expect(seen.data).toEqual({
      node: null,
      checkout: null,
      organization: { paymentOrders: { edges: [{ node: { status: 'CANCELED', paymentLink: null } }] } },
    });
  });

  it('of another organization is one that there is not, and so is one of no type', async () => {
    const { id } = await madeLink(market);
    for (const deed of ['activate', 'pause', 'archive', 'delete'] as const) {
      expect(await doToLink(market, deed, id, { by: stranger })).toBe(GONE);
      expect(await doToLink(market, deed, 'nonsense')).toBe(GONE);
      expect(await doToLink(market, deed, id, { by: null })).toBe('UNAUTHENTICATED');
    }
    expect((await updateLink(market, id, { title: 'Mine' }, stranger)).code).toBe(GONE);
    expect((await updateLink(market, id, { title: 'Mine' }, null)).code).toBe('UNAUTHENTICATED');
    expect(await told(id)).toHaveLength(1);
  });

  it('is changed by nobody who may not write payments', async () => {
    const { id } = await madeLink(market);
    await market.sql(
      `update memberships set role = 'MEMBER' where organization_id = (
      select organization_id from payment_links where id = $1)`,
      decodeGlobalId(id)?.id,
    );
    try {
      for (const deed of ['activate', 'pause', 'archive', 'delete'] as const) {
        expect(await doToLink(market, deed, id)).toBe('FORBIDDEN');
      }
      expect((await updateLink(market, id, { title: 'Dinner' })).code).toBe('FORBIDDEN');
      expect((await createLink(market)).code).toBe('FORBIDDEN');
    } finally {
      await market.sql(
        `update memberships set role = 'OWNER' where organization_id = (
        select organization_id from payment_links where id = $1)`,
        decodeGlobalId(id)?.id,
      );
    }
    expect(await told(id)).toHaveLength(1);
  });

  it('is changed by people alone, and by no key', async () => {
    const { data } = await ask<{ createApiKey: { key: string } }>(
      market,
      `mutation { createApiKey(input: {
        kind: SERVICE, name: "x", scopes: ["payment-links:read", "payments:write"]
      }) { key } }`,
      {},
    );
    const by = { ...market.merchant, accessToken: data?.createApiKey.key ?? '' };
    const { id } = await madeLink(market);
    expect((await updateLink(market, id, { title: 'Dinner' }, by)).code).toBe('NEEDS_A_PERSON');
    for (const deed of ['activate', 'pause', 'archive', 'delete'] as const) {
      expect(await doToLink(market, deed, id, { by })).toBe('NEEDS_A_PERSON');
    }
    expect(await told(id)).toHaveLength(1);
  });

  it('asks for a fresh proof where the organization does', async () => {
    const { id } = await madeLink(market);
    const setting = (requireStepUp: boolean): Promise<unknown> =>
      market.sql(
        `update organization_settings set require_step_up = $2
         where organization_id = (select organization_id from payment_links where id = $1)`,
        decodeGlobalId(id)?.id,
        requireStepUp,
      );
    const age = (by: string): Promise<unknown> =>
      market.sql(`update sessions set proved_at = proved_at ${by} interval '11 minutes'`);
    await setting(true);
    await age('-');
    try {
      for (const deed of ['pause', 'archive', 'delete'] as const) {
        expect(await doToLink(market, deed, id)).toBe('STEP_UP_REQUIRED');
      }
      expect((await updateLink(market, id, { title: 'Dinner' })).code).toBe('STEP_UP_REQUIRED');
    } finally {
      await age('+');
    }
    expect(await doToLink(market, 'pause', id)).toBe('PAUSED');
    await setting(false);
  });
});
