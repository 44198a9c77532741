import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mutate } from '../identity/linker.ts';
import { FULL } from '../support/scale.ts';
import { seedTenants, type Tenant, type TenantRole, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { adminSql, membershipOf, tokenOf, updateMembership } from './memberChanges.ts';
import { deleteRole, giveRole, makeRole, rowIdOf, updateRole } from './roleMaker.ts';

// Each round makes a role, and an organization has fifty at most.
const ROUNDS = FULL ? 40 : 4;

let house: TestTollhouse;
let world: World;
let tenant: Tenant;

beforeAll(async () => {
  house = await startTollhouse();
  world = await seedTenants(house.database.adminUrl, { tenants: 1 });
});
afterAll(() => house.stop());
beforeEach(async () => {
  [tenant] = (await seedTenants(house.database.adminUrl, { tenants: 1, world })).tenants as [Tenant];
});

const tokenFor = (role: TenantRole): Promise<string> => tokenOf(house, tenant, role);
const idOf = (role: TenantRole): Promise<string> => membershipOf(house, tenant, tenant.people[role].userId);

const LOW = ['payments:read'];
const HIGH = ['organization:read', 'organization:write', 'events:read'];

/** The types of what was told of a role and a membership, in the order of the log. */
async function toldOf(...ids: readonly string[]): Promise<string[]> {
  const rows = await adminSql<{ type: string }>(
    house,
    'select type from events where aggregate_id = any ($1) order by position',
    [ids.map(rowIdOf)],
  );
  return rows.map(({ type }) => type);
}

async function heldBy(role: TenantRole): Promise<string | null> {
  const [row] = await adminSql<{ roleId: string | null }>(
    house,
    'select role_id as "roleId" from memberships where organization_id = $1 and user_id = $2',
    [tenant.organizationId, tenant.people[role].userId],
  );
  return row?.roleId ?? null;
}

describe('at one instant', () => {
  it('a role that is widened is given by who may not do all of it before that, or not at all', async () => {
    const [owner, admin, member] = [await tokenFor('OWNER'), await tokenFor('ADMIN'), await idOf('MEMBER')];
    const codes = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const id = await makeRole(house, tenant, LOW);
      const [given, widened] = await Promise.all([
        updateMembership(house, admin, { id: member, roleId: id }),
        updateRole(house, owner, { id, permissions: HIGH }),
      ]);
      expect(widened.code).toBe('OK');
      expect(['OK', 'ROLE_ABOVE_YOURS']).toContain(given.code);
      codes.add(given.code);
      expect(await heldBy('MEMBER')).toBe(given.code === 'OK' ? rowIdOf(id) : null);
      if (given.code === 'OK') {
        const told = (await toldOf(id, member)).slice(-3);
        expect(told.indexOf('membership.updated')).toBeLessThan(told.lastIndexOf('role.updated'));
      }
      expect((await updateMembership(house, owner, { id: member, role: 'MEMBER' })).code).toBe('OK');
    }
    console.info(`a role that is widened while it is given: ${[...codes].join(', ')}`);
  });

  it('a role is either given or deleted', async () => {
    const [owner, admin, member] = [await tokenFor('OWNER'), await tokenFor('ADMIN'), await idOf('MEMBER')];
    for (let round = 0; round < ROUNDS; round += 1) {
      const id = await makeRole(house, tenant, LOW);
      const [given, deleted] = await Promise.all([
        updateMembership(house, admin, { id: member, roleId: id }),
        deleteRole(house, owner, { id }),
      ]);
      expect([
        ['OK', 'ROLE_IN_USE'],
        ['ROLE_UNKNOWN', 'OK'],
      ]).toContainEqual([given.code, deleted.code]);
      expect(await heldBy('MEMBER')).toBe(given.code === 'OK' ? rowIdOf(id) : null);
      await updateMembership(house, owner, { id: member, role: 'MEMBER' });
    }
  });

  it('somebody is invited to a role, or it is deleted', async () => {
    const [owner, admin] = [await tokenFor('OWNER'), await tokenFor('ADMIN')];
    for (let round = 0; round < ROUNDS; round += 1) {
      const id = await makeRole(house, tenant, LOW);
      const address = `0x${round.toString(16).padStart(40, 'a')}`;
      const [invited, deleted] = await Promise.all([
        mutate(house, admin, 'inviteMember', { address, roleId: id }, 'replayed'),
        deleteRole(house, owner, { id }),
      ]);
      expect([
        ['OK', 'ROLE_IN_USE'],
        ['ROLE_UNKNOWN', 'OK'],
      ]).toContainEqual([invited.code, deleted.code]);
    }
  });

  it('whose own role is narrowed gives nothing beyond it afterwards', async () => {
    const [owner, admin, member] = [await tokenFor('OWNER'), await tokenFor('ADMIN'), await idOf('MEMBER')];
    const keeper = ['members:read', 'members:write', 'events:read'];
    const own = await giveRole(house, tenant, [...keeper, ...LOW], 'ADMIN');
    const id = await giveRole(house, tenant, keeper);
    const low = await makeRole(house, tenant, LOW);
    for (let round = 0; round < ROUNDS; round += 1) {
      const [given, narrowed] = await Promise.all([
        updateMembership(house, admin, { id: member, roleId: low }),
        updateRole(house, owner, { id: own, permissions: keeper }),
      ]);
      expect(narrowed.code).toBe('OK');
      expect(['OK', 'ROLE_ABOVE_YOURS', 'CONFLICT']).toContain(given.code);
      const told = (await toldOf(own, member)).slice(-2);
      if (given.code === 'OK') expect(told).toEqual(['membership.updated', 'role.updated']);
      expect(await heldBy('MEMBER')).toBe(rowIdOf(given.code === 'OK' ? low : id));
      await updateRole(house, owner, { id: own, permissions: [...keeper, ...LOW] });
      await updateMembership(house, owner, { id: member, roleId: id });
    }
  });

  it('of two that would be called the same, whatever their case, one comes to be', async () => {
    const owner = await tokenFor('OWNER');
    for (let round = 0; round < ROUNDS; round += 1) {
      const codes = await Promise.all(
        [`Till ${round}`, `TILL ${round}`].map(
          async (name) =>
            (await mutate(house, owner, 'createRole', { name, permissions: LOW }, 'role { id } replayed')).code,
        ),
      );
      expect(codes.sort()).toEqual(['OK', 'ROLE_NAME_TAKEN']);
    }
  });
});
