import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seedTenants, type Tenant } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { adminSql, tokenOf } from './memberChanges.ts';

let house: TestTollhouse;
let tenant: Tenant;
let other: Tenant;
let token: string;

/** Beside the three that are there; made an hour apart, the later ones joined earlier, and two are called alike. */
const PEOPLE = ['alice', 'Bob', 'CHARLIE', 'Dora', 'Dora', 'élodie', '50% off_'] as const;

beforeAll(async () => {
  house = await startTollhouse();
  [tenant, other] = (await seedTenants(house.database.adminUrl, { tenants: 2 })).tenants as [Tenant, Tenant];
  token = await tokenOf(house, tenant, 'MEMBER');
  for (const [index, name] of PEOPLE.entries()) {
    await adminSql(
      house,
      `with somebody as (insert into users (display_name) values ($1) returning id)
       insert into memberships (organization_id, user_id, role, status, joined_at, created_at)
       select $2, id, 'MEMBER', case when $3 % 2 = 0 then 'ACTIVE' else 'LEFT' end::membership_status,
         '2026-03-01'::timestamptz - make_interval(hours => $3), '2026-02-01'::timestamptz + make_interval(hours => $3)
       from somebody`,
      [name, tenant.organizationId, index],
    );
  }
});
afterAll(() => house.stop());

interface Members {
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly user: { displayName: string } } }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean; readonly endCursor: string };
}

async function list(args: string, as = token): Promise<{ names: string[]; code: string; members: Members }> {
  const { data, errors } = await house.ask<{ organization: { memberships: Members } | null }>(
    `{ organization { memberships(${args}) {
      edges { cursor node { id role status joinedAt user { displayName } } }
      pageInfo { hasNextPage hasPreviousPage endCursor }
    } } }`,
    {},
    { token: as },
  );
  const members = data?.organization?.memberships as Members;
  return {
    code: errors[0]?.extensions.code ?? 'OK',
    names: members?.edges.map(({ node }) => node.user.displayName) ?? [],
    members,
  };
}

const seeded = (role: string): string => `${tenant.marker} ${role}`;

describe('organization.memberships', () => {
  it('lists all, the newest first, to every member and to nobody else', async () => {
    const { names } = await list('first: 20');
    expect(names).toHaveLength(10);
    expect(names.slice(3)).toEqual(PEOPLE.toReversed());
    const theirs = await list('first: 20', await tokenOf(house, other, 'OWNER'));
    expect(theirs.names).toHaveLength(3);
    expect(JSON.stringify(theirs)).not.toContain(tenant.marker);
    expect((await house.ask('{ organization { memberships { edges { cursor } } } }')).data).toEqual({
      organization: null,
    });
  });

  it.each([
    ['NAME', 'ASC', ['50% off_', 'alice', 'Bob', 'CHARLIE', 'Dora', 'Dora', 'élodie']],
    ['NAME', 'DESC', ['élodie', 'Dora', 'Dora', 'CHARLIE', 'Bob', 'alice', '50% off_']],
    ['CREATED', 'ASC', PEOPLE],
    ['JOINED', 'ASC', PEOPLE.toReversed()],
    ['JOINED', 'DESC', PEOPLE],
  ] as const)('orders by %s %s, and pages through it both ways without a gap', async (field, direction, expected) => {
    const order = `orderBy: { field: ${field}, direction: ${direction} }`;
    const all = (await list(`first: 20, ${order}`)).names;
    expect(all.filter((name) => !name.startsWith(tenant.marker))).toEqual(expected);
    const paged: string[] = [];
    for (let after = '', more = true; more; ) {
      const { names, members } = await list(`first: 3, ${order}${after}`);
      paged.push(...names);
      more = members.pageInfo.hasNextPage;
      after = `, after: "${members.pageInfo.endCursor}"`;
    }
    expect(paged).toEqual(all);
    const backwards: string[] = [];
    for (let before = '', more = true; more; ) {
      const { names, members } = await list(`last: 4, ${order}${before}`);
      backwards.unshift(...names);
      more = members.pageInfo.hasPreviousPage;
      before = `, before: "${members.edges[0]?.cursor}"`;
    }
    expect(backwards).toEqual(all);
  });

  it.each([
    ['role: OWNER', () => [seeded('OWNER')]],
    ['status: LEFT', () => ['élodie', 'Dora', 'Bob']],
    ['name: "DOR"', () => ['Dora', 'Dora']],
    ['name: "% off_"', () => ['50% off_']],
    ['name: "%"', () => ['50% off_']],
    ['name: "dor", status: ACTIVE', () => ['Dora']],
    ['createdFrom: "2026-02-01T03:00:00.000Z", createdBefore: "2026-02-01T05:00:00.000Z"', () => ['Dora', 'Dora']],
    ['name: "nobody is called so"', () => []],
  ])('narrows down to %s', async (filter, expected) => {
    expect((await list(`first: 20, filter: { ${filter} }`)).names).toEqual(expected());
  });

  it('refuses a cursor of another order, one that is none, and a name that is no text', async () => {
    const { members } = await list('first: 1, orderBy: { field: NAME, direction: ASC }');
    const { endCursor } = members.pageInfo;
    expect((await list(`after: "${endCursor}"`)).code).toBe('INVALID_CURSOR');
    expect((await list(`after: "${endCursor}", orderBy: { field: NAME, direction: DESC }`)).code).toBe(
      'INVALID_CURSOR',
    );
    for (const text of ['null', '[]', '["CREATED","DESC","yesterday","x"]', '["CREATED","DESC",1,2]', 'x']) {
      expect((await list(`after: "${Buffer.from(text).toString('base64url')}"`)).code).toBe('INVALID_CURSOR');
    }
    expect((await list('filter: { name: "a\\u0000" }')).code).toBe('BAD_USER_INPUT');
    expect((await list('first: 101')).code).toBe('BAD_USER_INPUT');
  });
});
