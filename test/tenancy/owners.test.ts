import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { mutate } from '../identity/linker.ts';
import { FULL } from '../support/scale.ts';
import { seedTenants, type Tenant, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { adminSql, leave, membershipOf, removeMember, tokenOf, updateMembership } from './memberChanges.ts';

const ROUNDS = FULL ? 200 : 10;

let house: TestTollhouse;
let world: World;
let tenant: Tenant;

beforeAll(async () => {
  house = await startTollhouse();
  world = await seedTenants(house.database.adminUrl, { tenants: 1 });
  [tenant] = world.tenants as [Tenant];
});
afterAll(() => house.stop());

/** Makes both own the organization, whatever became of them. */
async function bothOwn(): Promise<void> {
  const { OWNER, ADMIN } = tenant.people;
  await adminSql(
    house,
    `update memberships set role = 'OWNER', status = 'ACTIVE' where organization_id = $1 and user_id = any ($2)`,
    [tenant.organizationId, [OWNER.userId, ADMIN.userId]],
  );
}

async function owners(): Promise<number> {
  const rows = await adminSql(
    house,
    `select from memberships where organization_id = $1 and role = 'OWNER' and status = 'ACTIVE'`,
    [tenant.organizationId],
  );
  return rows.length;
}

type Deed = (token: string, other: string) => Promise<string>;

const DEEDS: readonly (readonly [what: string, one: Deed, two: Deed])[] = [
  ['leave', (token) => leave(house, token), (token) => leave(house, token)],
  [
    'make each other members',
    async (token, id) => (await updateMembership(house, token, { id, role: 'MEMBER' })).code,
    async (token, id) => (await updateMembership(house, token, { id, role: 'MEMBER' })).code,
  ],
  [
    'remove each other',
    async (token, id) => (await removeMember(house, token, { id })).code,
    async (token, id) => (await removeMember(house, token, { id })).code,
  ],
  [
    'leave and make the other a member',
    (token) => leave(house, token),
    async (token, id) => (await updateMembership(house, token, { id, role: 'MEMBER' })).code,
  ],
];

/** What whoever comes second is told: by then one is no member, may no longer, has just been changed, or owns alone. */
const REFUSED = /^(OWNER_REQUIRED|MEMBERSHIP_ENDED|MEMBER_UNKNOWN|FORBIDDEN|ROLE_ABOVE_YOURS|CONFLICT)$/;

describe('two owners who, at one instant,', () => {
  it.each(DEEDS)('%s, leave one', { timeout: 300_000 }, async (_, one, two) => {
    const { OWNER, ADMIN } = tenant.people;
    const [first, second] = [await tokenOf(house, tenant, 'OWNER'), await tokenOf(house, tenant, 'ADMIN')];
    const [firstId, secondId] = [
      await membershipOf(house, tenant, OWNER.userId),
      await membershipOf(house, tenant, ADMIN.userId),
    ];
    for (let round = 0; round < ROUNDS; round += 1) {
      await bothOwn();
      const codes = await Promise.all([one(first, secondId), two(second, firstId)]);
      expect(await owners()).toBe(1);
      // who was made a member first may then leave
      expect(codes.filter((code) => code === 'OK').length).toBeGreaterThanOrEqual(1);
      for (const code of codes.filter((each) => each !== 'OK')) expect(code).toMatch(REFUSED);
    }
  });

  it('leave, and delete themselves, leave one', { timeout: 300_000 }, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      [tenant] = (await seedTenants(house.database.adminUrl, { tenants: 1, links: 0, world })).tenants as [Tenant];
      await bothOwn();
      const [first, second] = [await tokenOf(house, tenant, 'OWNER'), await tokenOf(house, tenant, 'ADMIN')];
      const input = { userId: encodeGlobalId('User', tenant.people.ADMIN.userId) };
      const codes = await Promise.all([
        leave(house, first),
        mutate(house, second, 'deleteUser', input, 'userId').then(({ code }) => code),
      ]);
      expect(await owners()).toBe(1);
      expect(['OWNER_REQUIRED OK', 'OK LAST_OWNER']).toContain([codes[0], codes[1]].join(' '));
    }
  });
});
