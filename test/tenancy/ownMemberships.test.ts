import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../identity/visitor.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { tokenOf } from './memberChanges.ts';

let house: TestTollhouse;
let tenants: readonly Tenant[];
let token: string;

// The owner of the first organization is a member of the others: an admin, a member, and one who has left.
beforeAll(async () => {
  house = await startTollhouse();
  ({ tenants } = await seedTenants(house.database.adminUrl, { tenants: 5, links: 1 }));
  const [home, ...others] = tenants as [Tenant, ...Tenant[]];
  token = await tokenOf(house, home, 'OWNER');
  const names = ['Mill', 'Bakery', 'Zoo', 'Harbour', 'Castle'];
  for (const [index, { organizationId }] of tenants.entries()) {
    await sql(house, 'update organizations set name = $2, slug = $3 where id = $1', [
      organizationId,
      names[index],
      `place-${index}`,
    ]);
  }
  const places = [
    ['ADMIN', 'ACTIVE', '2021-01-01', null],
    ['MEMBER', 'ACTIVE', '2020-01-01', null],
    ['MEMBER', 'LEFT', '2020-01-01', '2020-02-01'],
    ['MEMBER', 'ACTIVE', '2019-01-01', null],
  ];
  for (const [index, { organizationId }] of others.entries()) {
    await sql(
      house,
      `insert into memberships (organization_id, user_id, role, status, joined_at, left_at) values ($1, $2, $3, $4, $5, $6)`,
      [organizationId, home.people.OWNER.userId, ...(places[index] ?? [])],
    );
  }
  await sql(house, `update memberships set joined_at = '2022-01-01' where user_id = $1 and role = 'OWNER'`, [
    home.people.OWNER.userId,
  ]);
  await sql(house, `update organizations set status = 'SUSPENDED' where id = $1`, [others[1]?.organizationId]);
  await sql(house, 'update organizations set deleted_at = now() where id = $1', [others[3]?.organizationId]);
});
afterAll(() => house.stop());

async function names(args = ''): Promise<string[]> {
  const { data, errors } = await house.ask<{ viewer: { memberships: { organization: { name: string } }[] } }>(
    `{ viewer { memberships${args} { organization { name } } } }`,
    {},
    { token },
  );
  if (!data) throw new Error(`No memberships: ${JSON.stringify(errors)}`);
  return data.viewer.memberships.map(({ organization }) => organization.name);
}

describe('one’s own memberships', () => {
  it('are those that have not ended, in organizations that are there', async () => {
    expect((await names()).sort()).toEqual(['Bakery', 'Mill', 'Zoo']);
  });

  it.each([
    ['role: OWNER', ['Mill']],
    ['role: MEMBER', ['Zoo']],
    ['organizationStatus: ACTIVE', ['Bakery', 'Mill']],
    ['organizationStatus: SUSPENDED', ['Zoo']],
    ['organizationStatus: DELETED', []],
    ['text: "BAKE"', ['Bakery']],
    ['text: "place-2"', ['Zoo']],
    ['text: "%"', []],
    ['text: "_"', []],
    ['role: OWNER, text: "bake"', []],
  ])('of { %s } are %j', async (filter, found) => {
    expect(await names(`(filter: { ${filter} }, orderBy: { field: NAME, direction: ASC })`)).toEqual(found);
  });

  it.each([
    ['NAME', ['Bakery', 'Mill', 'Zoo']],
    ['JOINED', ['Zoo', 'Bakery', 'Mill']],
  ])('come in the order of %s', async (field, order) => {
    expect(await names(`(orderBy: { field: ${field}, direction: ASC })`)).toEqual(order);
    expect(await names(`(orderBy: { field: ${field}, direction: DESC })`)).toEqual([...order].reverse());
  });

  it('come the first made first, and the other way round', async () => {
    const made = await names();
    expect(await names('(orderBy: { field: CREATED, direction: ASC })')).toEqual(made);
    expect(await names('(orderBy: { field: CREATED, direction: DESC })')).toEqual([...made].reverse());
  });

  it('can be asked for in two ways at once', async () => {
    const { data } = await house.ask<{ viewer: Record<string, { role: string }[]> }>(
      `{ viewer {
        owned: memberships(filter: { role: OWNER }) { role }
        joined: memberships(filter: { role: MEMBER }) { role }
      } }`,
      {},
      { token },
    );
    expect(data?.viewer).toEqual({ owned: [{ role: 'OWNER' }], joined: [{ role: 'MEMBER' }] });
  });
});
