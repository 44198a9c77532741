import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Person, signIn } from '../support/person.ts';
import { ask, doToLink, madeLink, order, payerOf } from './linkBench.ts';
import { ETH, type Market, openMarket, TUSD } from './market.ts';

let market: Market;
const links = new Map<string, string>();
const slugs = new Map<string, string>();
beforeAll(async () => {
  market = await openMarket();
  for (const [title, input] of [
    ['Draft', { status: 'DRAFT' }],
    ['Tea', { slug: 'green-tea' }],
    ['Later', { startsAt: '2999-01-01T00:00:00Z' }],
    ['Over', { expiresAt: '2026-01-01T00:00:00Z' }],
    ['Open 100%', { pricing: 'OPEN', accepts: [{ asset: ETH, minAmount: '1', maxAmount: '5' }] }],
    ['Once', { maxUses: 1 }],
    ['Paused', {}],
  ] as const) {
    const { id, slug } = await madeLink(market, { title, ...input });
    links.set(title, id);
    slugs.set(title, slug);
  }
  await doToLink(market, 'pause', links.get('Paused') ?? '');
  await order(market, slugs.get('Once') ?? '');
  await order(market, slugs.get('Tea') ?? '', { payer: payerOf(2) });
  await order(market, slugs.get('Open 100%') ?? '', { payer: payerOf(3), amount: '2' });
});
afterAll(() => market.close());

type Page<Node> = { edges: { cursor: string; node: Node }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };

async function titles(arguments_: string, by: Person = market.merchant): Promise<string[]> {
  const { data, code } = await ask<{ organization: { paymentLinks: Page<{ title: string }> } }>(
    market,
    `{ organization { paymentLinks(${arguments_}) { edges { node { title } } } } }`,
    {},
    by,
  );
  expect(code).toBe('OK');
  return data?.organization.paymentLinks.edges.map(({ node }) => node.title) ?? [];
}

async function pageBehind(after: string | null): Promise<Page<{ title: string }>> {
  const { data } = await ask<{ organization: { paymentLinks: Page<{ title: string }> } }>(
    market,
    `query ($after: String) { organization { paymentLinks(first: 3, after: $after, orderBy: OLDEST) {
      edges { cursor node { title } } pageInfo { hasNextPage endCursor }
    } } }`,
    { after },
  );
  if (!data) throw new Error('There is no page.');
  return data.organization.paymentLinks;
}

describe('the links of an organization', () => {
  it.each([
    ['states: [DRAFT]', ['Draft']],
    ['states: [SCHEDULED]', ['Later']],
    ['states: [EXPIRED]', ['Over']],
    ['states: [EXHAUSTED]', ['Once']],
    ['states: [PAUSED, DRAFT]', ['Paused', 'Draft']],
    ['states: [ACTIVE]', ['Open 100%', 'Tea']],
    ['states: []', []],
    ['pricing: [OPEN]', ['Open 100%']],
    ['text: "green"', ['Tea']],
    ['text: "PAUSED"', ['Paused']],
    ['text: "0%"', ['Open 100%']],
    ['text: "%"', ['Open 100%']],
    ['text: "a_a_a_a"', []],
    [`asset: "${ETH}"`, ['Open 100%']],
    [`asset: "${TUSD}", pricing: [OPEN]`, []],
    ['createdBy: "nonsense"', []],
    ['createdUntil: "2020-01-01T00:00:00Z"', []],
    ['createdFrom: "2020-01-01T00:00:00Z", states: [DRAFT]', ['Draft']],
  ])('of %s are those', async (filter, expected) => {
    expect(await titles(`filter: { ${filter} }`)).toEqual(expected);
  });

  it('are their maker’s', async () => {
    const { data } = await ask<{ viewer: { user: { id: string } } }>(market, '{ viewer { user { id } } }', {});
    expect(await titles(`filter: { createdBy: "${data?.viewer.user.id}" }`)).toHaveLength(7);
    const stranger = await signIn(market.house);
    expect(await titles(`filter: { createdBy: "${data?.viewer.user.id}" }`, stranger)).toEqual([]);
  });

  it('come in either order, page by page, whatever is made and deleted meanwhile', async () => {
    const all = await titles('orderBy: OLDEST');
    expect(all).toEqual((await titles('orderBy: NEWEST')).reverse());
    const seen: string[] = [];
    let after: string | null = null;
    for (let page = 0; page < 5; page += 1) {
      const { edges, pageInfo } = await pageBehind(after);
      seen.push(...edges.map(({ node }) => node.title));
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
      if (page === 0) await doToLink(market, 'delete', (await madeLink(market)).id);
    }
    expect(seen).toEqual(all);
  });
});

describe('the orders of an organization', () => {
  async function payers(filter: string): Promise<string[]> {
    const { data } = await ask<{ organization: { paymentOrders: Page<{ payer: string }> } }>(
      market,
      `{ organization { paymentOrders(filter: { ${filter} }) { edges { node { payer } } } } }`,
      {},
    );
    return data?.organization.paymentOrders.edges.map(({ node }) => node.payer.toLowerCase()) ?? [];
  }

  it.each<[string | (() => string), readonly number[]]>([
    ['statuses: [CREATED]', [3, 2, 1]],
    ['statuses: [PAID, FINAL]', []],
    ['exceptions: [OVERPAID]', []],
    ['refunds: [NONE]', [3, 2, 1]],
    ['refunds: [PENDING]', []],
    [() => `paymentLink: "${links.get('Tea')}"`, [2]],
    ['paymentLink: "nonsense"', []],
    [`payer: "${payerOf(1)}"`, [1]],
    [`asset: "${ETH}"`, [3]],
    ['minUnits: "12500001"', [3]],
    ['maxUnits: "12500000"', [2, 1]],
    ['createdUntil: "2020-01-01T00:00:00Z"', []],
  ])('of %s are those', async (filter, expected) => {
    expect(await payers(typeof filter === 'string' ? filter : filter())).toEqual(expected.map(payerOf));
  });
});
