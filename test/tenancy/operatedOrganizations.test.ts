import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { sql } from '../identity/visitor.ts';
import type { Person } from '../support/person.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { codesOf } from './operatorHouse.ts';
import { enterOperator } from './subscriber.ts';

// Called so, and founded so many days ago, one after another; of the last two nothing but the id decides.
const NAMES = ['beta', 'Alpha', 'gamma', 'delta', 'delta'];

let house: TestTollhouse;
let operator: Person;
let tenants: readonly Tenant[];
beforeAll(async () => {
  house = await startTollhouse();
  operator = await enterOperator(house);
  ({ tenants } = await seedTenants(house.database.adminUrl, { tenants: NAMES.length, links: 1 }));
  for (const [index, { organizationId }] of tenants.entries()) {
    const days = Math.min(index, 3);
    await sql(
      house,
      `update organizations set name = $2, slug = 'house-' || $3, created_at = '2020-01-10'::date - $4::int where id = $1`,
      [organizationId, NAMES[index], index, days],
    );
  }
  const [beta, alpha, gamma] = tenants.map(({ organizationId }) => organizationId);
  await sql(house, `update organizations set status = 'SUSPENDED' where id = $1`, [beta]);
  await sql(house, `update organizations set subscription_tier = 'TEAM' where id = $1`, [alpha]);
  await sql(
    house,
    `update organizations set subscription_tier = 'TEAM', subscription_expires_at = now() - interval '1 day',
       status = 'SUSPENDED', deleted_at = now() where id = $1`,
    [gamma],
  );
});
afterAll(() => house.stop());

interface Listed {
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly id: string; readonly slug: string } }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean; readonly endCursor: string };
}

const LIST = `query ($filter: OperatedOrganizationFilter, $orderBy: OrganizationOrder, $first: Int, $after: String, $last: Int, $before: String) {
  operator { organizations(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { id slug status subscription { tier } } } pageInfo { hasNextPage hasPreviousPage endCursor }
  } }
}`;

const ask = (variables: object) =>
  house.ask<{ operator: { organizations: Listed } }>(LIST, { ...variables }, { token: operator.accessToken });

async function list(variables: object): Promise<Listed> {
  const { data, errors } = await ask({ ...variables, filter: { text: 'house-', ...Object(variables).filter } });
  if (!data) throw new Error(`Nothing listed: ${JSON.stringify(errors)}`);
  return data.operator.organizations;
}

/** Which of the seeded ones, by their place. */
const placesOf = ({ edges }: Listed): number[] => edges.map(({ node }) => Number(node.slug.split('-')[1]));
const filtered = async (filter: object): Promise<number[]> => placesOf(await list({ filter })).sort();
const orderOf = (field: 'NAME' | 'CREATED', direction: 'ASC' | 'DESC') => ({ orderBy: { field, direction } });
/** The last two in the order of their ids. */
const twins = (): [number, number] =>
  (tenants[3]?.organizationId ?? '') < (tenants[4]?.organizationId ?? '') ? [3, 4] : [4, 3];

describe('the organizations that an operator lists', () => {
  it('are found by how they stand, deleted ones apart', async () => {
    expect(await filtered({})).toEqual([0, 1, 2, 3, 4]);
    expect(await filtered({ status: 'ACTIVE' })).toEqual([1, 3, 4]);
    expect(await filtered({ status: 'SUSPENDED' })).toEqual([0]);
    expect(await filtered({ status: 'DELETED' })).toEqual([2]);
    const { edges } = await list({ filter: { status: 'DELETED' } });
    expect(edges.map(({ node }) => node)).toEqual([
      {
        id: encodeGlobalId('Organization', tenants[2]?.organizationId ?? ''),
        slug: 'house-2',
        status: 'DELETED',
        subscription: { tier: 'FREE' },
      },
    ]);
  });

  it('are found by the tier that they have now, by words and by time', async () => {
    expect(await filtered({ tier: 'TEAM' })).toEqual([1]);
    expect(await filtered({ tier: 'FREE' })).toEqual([0, 2, 3, 4]);
    expect(await filtered({ tier: 'GOLD' })).toEqual([]);
    expect(await filtered({ text: 'ALPH' })).toEqual([1]);
    expect(await filtered({ text: 'house-3' })).toEqual([3]);
    for (const text of ['%', '_', '\\']) expect(await filtered({ text })).toEqual([]);
    expect(await filtered({ createdFrom: '2020-01-09T00:00:00Z' })).toEqual([0, 1]);
    expect(await filtered({ createdFrom: '2020-01-08T00:00:00Z', createdBefore: '2020-01-09T00:00:00Z' })).toEqual([2]);
  });

  it('come in the order that is asked for, the newest first otherwise', async () => {
    const [low, high] = twins();
    expect(placesOf(await list({}))).toEqual([0, 1, 2, high, low]);
    expect(placesOf(await list(orderOf('CREATED', 'ASC')))).toEqual([low, high, 2, 1, 0]);
    expect(placesOf(await list(orderOf('NAME', 'ASC')))).toEqual([1, 0, low, high, 2]);
    expect(placesOf(await list(orderOf('NAME', 'DESC')))).toEqual([2, high, low, 0, 1]);
  });

  it.each([
    ['NAME', 'ASC'],
    ['NAME', 'DESC'],
    ['CREATED', 'ASC'],
    ['CREATED', 'DESC'],
  ] as const)('are paged by %s %s without a gap, forwards and back', async (field, direction) => {
    const order = orderOf(field, direction);
    const all = await list(order);
    const places: number[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const page: Listed = await list({ ...order, first: 2, after });
      places.push(...placesOf(page));
      after = page.pageInfo.endCursor;
      more = page.pageInfo.hasNextPage;
    }
    expect(places).toEqual(placesOf(all));
    const back = await list({ ...order, last: 2, before: all.edges[3]?.cursor });
    expect(placesOf(back)).toEqual(placesOf(all).slice(1, 3));
    expect(back.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
  });

  it('go on from a place whose organization has another name or is gone from the list', async () => {
    const order = orderOf('NAME', 'ASC');
    const first = await list({ ...order, first: 2 });
    await sql(house, `update organizations set name = 'zeta' where id = $1`, [tenants[0]?.organizationId]);
    const [low, high] = twins();
    expect(placesOf(await list({ ...order, after: first.pageInfo.endCursor }))).toEqual([low, high, 2, 0]);
    await sql(house, `update organizations set name = 'beta' where id = $1`, [tenants[0]?.organizationId]);
  });

  it('take a cursor in its own order alone', async () => {
    const { pageInfo } = await list({ ...orderOf('NAME', 'ASC'), first: 1 });
    for (const after of [pageInfo.endCursor, 'x', '']) {
      expect(codesOf(await ask({ ...orderOf('CREATED', 'ASC'), after }))).toEqual(['INVALID_CURSOR']);
    }
    expect(codesOf(await ask({ first: 101 }))).toEqual(['BAD_USER_INPUT']);
  });
});
