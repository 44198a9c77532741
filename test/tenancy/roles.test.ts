import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { PERMISSIONS, type PermissionDefinition } from '../../src/kernel/permissions.ts';
import { mutate } from '../identity/linker.ts';
import { seedTenants, type Tenant, type TenantRole, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { adminSql, membershipOf, removeMember, tokenOf, updateMembership } from './memberChanges.ts';
import { createRole, deleteRole, giveRole, makeRole, ROLE, rowIdOf, updateRole } from './roleMaker.ts';

let house: TestTollhouse;
let world: World;
let tenant: Tenant;
let other: Tenant;

beforeAll(async () => {
  house = await startTollhouse();
  world = await seedTenants(house.database.adminUrl, { tenants: 1 });
  [other] = world.tenants as [Tenant];
});
afterAll(() => house.stop());
beforeEach(async () => {
  [tenant] = (await seedTenants(house.database.adminUrl, { tenants: 1, world })).tenants as [Tenant];
});

const tokenFor = (role: TenantRole): Promise<string> => tokenOf(house, tenant, role);
const idOf = (role: TenantRole): Promise<string> => membershipOf(house, tenant, tenant.people[role].userId);
const TILL = { name: 'Till', permissions: ['payments:read', 'payment-links:read'] };

/** What was told of a role, the first first. */
async function toldOf(roleId: string): Promise<unknown[]> {
  return adminSql(
    house,
    `select type, actor, data from events
     where aggregate_type = 'role' and aggregate_id = $1 order by aggregate_version`,
    [rowIdOf(roleId)],
  );
}

async function look<Data>(query: string, role: TenantRole): Promise<Data> {
  const { data, errors } = await house.ask<Data>(query, {}, { token: await tokenFor(role) });
  expect(errors).toEqual([]);
  return data as Data;
}

describe('createRole', () => {
  it('makes a role, tells of it, and leaves it in the audit', async () => {
    const { code, data } = await createRole(house, await tokenFor('ADMIN'), { ...TILL, description: 'At the till' });
    expect(code).toBe('OK');
    expect(data).toEqual({
      role: {
        id: expect.any(String),
        name: 'Till',
        description: 'At the till',
        permissions: ['payment-links:read', 'payments:read'],
      },
      replayed: false,
    });
    const id = data?.role.id ?? '';
    const actor = `user:${tenant.people.ADMIN.userId}`;
    expect(await toldOf(id)).toEqual([
      { type: 'role.created', actor, data: { name: 'Till', permissions: 'payment-links:read payments:read' } },
    ]);
    const entries = await adminSql(
      house,
      `select user_id, verb, after ->> 'name' as name from audit_entries where table_name = 'roles' and row_id = $1`,
      [rowIdOf(id)],
    );
    expect(entries).toEqual([{ user_id: tenant.people.ADMIN.userId, verb: 'INSERT', name: 'Till' }]);
  });

  it.each([
    ['OWNER', ['organization:read', 'organization:write', 'events:read'], 'OK'],
    ['ADMIN', ['members:read', 'members:write', 'events:read'], 'OK'],
    ['ADMIN', ['organization:read', 'organization:write', 'events:read'], 'ROLE_ABOVE_YOURS'],
    ['MEMBER', ['payments:read'], 'FORBIDDEN'],
  ] as const)('by %s of %j: %s', async (by, permissions, code) => {
    expect((await createRole(house, await tokenFor(by), { name: 'Some', permissions })).code).toBe(code);
  });

  it.each([
    [{ name: '' }],
    [{ name: 'x'.repeat(51) }],
    [{ name: 'Admin' }],
    [{ name: 'owner' }],
    [{ description: '' }],
    [{ description: 'x'.repeat(501) }],
    [{ permissions: [] }],
    [{ permissions: ['payments:steal'] }],
    [{ permissions: ['payments:write'] }],
    [{ permissions: ['payments:write', 'payment-links:read'] }],
    [{ permissions: ['members:write', 'events:read'] }],
  ])('refuses %j', async (change) => {
    expect((await createRole(house, await tokenFor('OWNER'), { ...TILL, ...change })).code).toBe('BAD_USER_INPUT');
  });

  it('asks for nothing beside a permission that is not there itself', () => {
    const all = Object.entries<PermissionDefinition>(PERMISSIONS);
    const needed = all.flatMap(([, { needs = [] }]) => needs);
    expect(needed.filter((permission) => !(permission in PERMISSIONS))).toEqual([]);
    for (const [permission, { needs = [] }] of all) {
      if (permission.endsWith(':write')) expect(needs).not.toEqual([]);
    }
  });

  it('takes no name twice, whatever its case, but in another organization', async () => {
    const token = await tokenFor('OWNER');
    expect((await createRole(house, token, TILL)).code).toBe('OK');
    expect((await createRole(house, token, { ...TILL, name: 'tILL' })).code).toBe('ROLE_NAME_TAKEN');
    const { data } = await createRole(house, token, { ...TILL, name: 'Door' });
    expect((await updateRole(house, token, { id: data?.role.id, name: 'TILL' })).code).toBe('ROLE_NAME_TAKEN');
    const elsewhere = await tokenOf(house, other, 'OWNER');
    expect((await createRole(house, elsewhere, TILL)).code).toBe('OK');
  });

  it('is done once under a key, and answered again', async () => {
    const token = await tokenFor('OWNER');
    const input = { ...TILL, idempotencyKey: randomBytes(16).toString('hex') };
    const first = await createRole(house, token, input);
    expect(await createRole(house, token, input)).toEqual({ code: 'OK', data: { ...first.data, replayed: true } });
    expect((await createRole(house, token, { ...input, name: 'Door' })).code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('makes fifty and no more', async () => {
    await adminSql(
      house,
      `insert into roles (organization_id, name, permissions)
       select $1, 'Role ' || n, '{payments:read}' from generate_series(1, 48) n`,
      [tenant.organizationId],
    );
    const token = await tokenFor('OWNER');
    const codes = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (name) => (await createRole(house, token, { ...TILL, name })).code),
    );
    expect(codes.sort()).toEqual(['OK', 'OK', 'TOO_MANY_ROLES', 'TOO_MANY_ROLES']);
  });
});

describe('updateRole', () => {
  it('changes what is given, takes the description away when it is null, and tells of it', async () => {
    const token = await tokenFor('OWNER');
    const id = await makeRole(house, tenant, ['payments:read']);
    const first = await updateRole(house, token, { id, name: 'Till', description: 'x', permissions: ['members:read'] });
    expect(first.data?.role).toEqual({ id, name: 'Till', description: 'x', permissions: ['members:read'] });
    const second = await updateRole(house, token, { id, description: null });
    expect(second.data?.role).toEqual({ id, name: 'Till', description: null, permissions: ['members:read'] });
    expect((await toldOf(id)).slice(1)).toMatchObject([
      {
        type: 'role.updated',
        data: { name: 'Till', fields: 'name description permissions', permissions: 'members:read' },
      },
      { type: 'role.updated', data: { name: 'Till', fields: 'description' } },
    ]);
  });

  it.each([[{}], [{ name: null }], [{ permissions: null }], [{ permissions: ['keys:write'] }]])(
    'refuses %j',
    async (change) => {
      const id = await makeRole(house, tenant, ['payments:read']);
      expect((await updateRole(house, await tokenFor('OWNER'), { id, ...change })).code).toBe('BAD_USER_INPUT');
    },
  );

  it.each([
    ['ADMIN', ['payments:read'], ['members:read'], 'OK'],
    ['ADMIN', ['payments:read'], ['organization:read', 'organization:write', 'events:read'], 'ROLE_ABOVE_YOURS'],
    ['ADMIN', ['organization:read', 'organization:write', 'events:read'], ['members:read'], 'ROLE_ABOVE_YOURS'],
    ['MEMBER', ['payments:read'], ['members:read'], 'FORBIDDEN'],
  ] as const)('by %s of %j to %j: %s', async (by, before, permissions, code) => {
    const id = await makeRole(house, tenant, before);
    expect((await updateRole(house, await tokenFor(by), { id, permissions })).code).toBe(code);
    const [row] = await adminSql<{ permissions: string[] }>(house, 'select permissions from roles where id = $1', [
      rowIdOf(id),
    ]);
    expect(row?.permissions).toEqual(code === 'OK' ? permissions : before);
  });
});

describe('deleteRole', () => {
  it('deletes a role that nobody has, and tells of it', async () => {
    const id = await makeRole(house, tenant, ['payments:read']);
    expect(await deleteRole(house, await tokenFor('ADMIN'), { id })).toMatchObject({
      code: 'OK',
      data: { roleId: id },
    });
    expect(await toldOf(id)).toMatchObject([{ type: 'role.created' }, { type: 'role.deleted' }]);
    expect((await deleteRole(house, await tokenFor('ADMIN'), { id })).code).toBe('ROLE_UNKNOWN');
  });

  it('refuses one that a member has, until it is taken away or the member is removed', async () => {
    const owner = await tokenFor('OWNER');
    const id = await giveRole(house, tenant, ['payments:read']);
    expect((await deleteRole(house, owner, { id })).code).toBe('ROLE_IN_USE');
    await updateMembership(house, owner, { id: await idOf('MEMBER'), role: 'MEMBER' });
    expect((await deleteRole(house, owner, { id })).code).toBe('OK');
    const second = await giveRole(house, tenant, ['payments:read']);
    expect((await removeMember(house, owner, { id: await idOf('MEMBER') })).code).toBe('OK');
    expect((await deleteRole(house, owner, { id: second })).code).toBe('OK');
  });

  it('is refused to who may not do what the role may', async () => {
    const id = await makeRole(house, tenant, ['organization:read', 'organization:write', 'events:read']);
    expect((await deleteRole(house, await tokenFor('ADMIN'), { id })).code).toBe('ROLE_ABOVE_YOURS');
    expect((await deleteRole(house, await tokenFor('MEMBER'), { id })).code).toBe('FORBIDDEN');
  });
});

it('another organization’s role is known no more than nobody’s', async () => {
  const token = await tokenFor('OWNER');
  const theirs = await makeRole(house, other, ['payments:read']);
  const member = await idOf('MEMBER');
  for (const id of [theirs, encodeGlobalId('Role', newId()), member, 'x']) {
    expect((await updateRole(house, token, { id, name: 'x' })).code).toBe('ROLE_UNKNOWN');
    expect((await deleteRole(house, token, { id })).code).toBe('ROLE_UNKNOWN');
    expect((await updateMembership(house, token, { id: member, roleId: id })).code).toBe('ROLE_UNKNOWN');
    const invited = { address: `0x${'7'.repeat(40)}`, roleId: id };
    expect((await mutate(house, token, 'inviteMember', invited, 'replayed')).code).toBe('ROLE_UNKNOWN');
  }
});

it('where the organization asks for a fresh proof, all three do', async () => {
  const id = await makeRole(house, tenant, ['payments:read']);
  await adminSql(house, 'update organization_settings set require_step_up = true where organization_id = $1', [
    tenant.organizationId,
  ]);
  const token = await tokenFor('OWNER');
  expect((await updateRole(house, token, { id, name: 'Fresh' })).code).toBe('OK');
  await adminSql(house, `update sessions set proved_at = now() - interval '1 hour' where organization_id = $1`, [
    tenant.organizationId,
  ]);
  expect((await createRole(house, token, TILL)).code).toBe('STEP_UP_REQUIRED');
  expect((await updateRole(house, token, { id, name: 'Stale' })).code).toBe('STEP_UP_REQUIRED');
  expect((await deleteRole(house, token, { id })).code).toBe('STEP_UP_REQUIRED');
});

describe('a member’s role', () => {
  it('is a custom one or a built-in one, and each takes the other away', async () => {
    const token = await tokenFor('OWNER');
    const id = await idOf('ADMIN');
    const roleId = await makeRole(house, tenant, ['payments:read']);
    const seen = async (): Promise<unknown> => {
      const { organization } = await look<{ organization: { memberships: { edges: { node: { id: string } }[] } } }>(
        '{ organization { memberships(first: 9) { edges { node { id role customRole { name } } } } } }',
        'OWNER',
      );
      return organization.memberships.edges.find(({ node }) => node.id === id)?.node;
    };
    expect((await updateMembership(house, token, { id, roleId })).code).toBe('OK');
    expect(await seen()).toEqual({ id, role: 'MEMBER', customRole: { name: expect.stringContaining('Role') } });
    expect((await updateMembership(house, token, { id, jobTitle: 'Baker' })).code).toBe('OK');
    expect(await seen()).toMatchObject({ customRole: expect.any(Object) });
    expect((await updateMembership(house, token, { id, roleId: null })).code).toBe('OK');
    expect(await seen()).toEqual({ id, role: 'MEMBER', customRole: null });
    await updateMembership(house, token, { id, roleId, role: 'MEMBER' });
    expect((await updateMembership(house, token, { id, role: 'ADMIN' })).code).toBe('OK');
    expect(await seen()).toEqual({ id, role: 'ADMIN', customRole: null });
    expect((await updateMembership(house, token, { id, roleId, role: 'ADMIN' })).code).toBe('BAD_USER_INPUT');
    const told = await adminSql<{ data: { fields: string; role?: string; roleId?: string } }>(
      house,
      `select data from events where type = 'membership.updated' and aggregate_id = $1 order by aggregate_version`,
      [rowIdOf(id)],
    );
    expect(told.map(({ data }) => data)).toEqual([
      { fields: 'roleId', role: 'MEMBER', roleId: rowIdOf(roleId) },
      { fields: 'jobTitle' },
      { fields: 'roleId' },
      { fields: 'role roleId', role: 'MEMBER', roleId: rowIdOf(roleId) },
      { fields: 'role', role: 'ADMIN' },
    ]);
  });

  it('is given and taken by nobody who may do less', async () => {
    const admin = await tokenFor('ADMIN');
    const high = await makeRole(house, tenant, ['organization:read', 'organization:write', 'events:read']);
    const member = await idOf('MEMBER');
    expect((await updateMembership(house, admin, { id: member, roleId: high })).code).toBe('ROLE_ABOVE_YOURS');
    expect((await updateMembership(house, await tokenFor('OWNER'), { id: member, roleId: high })).code).toBe('OK');
    expect((await updateMembership(house, admin, { id: member, role: 'MEMBER' })).code).toBe('ROLE_ABOVE_YOURS');
    expect((await updateMembership(house, admin, { id: member, roleId: null })).code).toBe('ROLE_ABOVE_YOURS');
    expect((await removeMember(house, admin, { id: member })).code).toBe('ROLE_ABOVE_YOURS');
  });

  it('keeps an organization from losing its last owner to a custom one', async () => {
    const roleId = await makeRole(house, tenant, ['payments:read']);
    const outcome = await updateMembership(house, await tokenFor('OWNER'), { id: await idOf('OWNER'), roleId });
    expect(outcome.code).toBe('OWNER_REQUIRED');
  });
});

describe('what the API shows of roles', () => {
  it('is the built-in ones, the custom ones page by page, and who has one', async () => {
    const roleId = await giveRole(house, tenant, ['members:read']);
    const second = await makeRole(house, tenant, ['payments:read']);
    const { organization } = await look<{
      organization: {
        builtInRoles: { role: string; permissions: string[] }[];
        roles: { edges: { cursor: string; node: { id: string } }[]; pageInfo: { hasNextPage: boolean } };
        memberships: { edges: { node: { user: { id: string } } }[] };
      };
    }>(
      `{ organization {
        builtInRoles { role permissions }
        roles(first: 1) { edges { cursor node { ${ROLE} createdAt updatedAt } } pageInfo { hasNextPage } }
        memberships(filter: { roleId: "${roleId}" }) { edges { node { user { id } customRole { id } } } }
      } }`,
      'MEMBER',
    );
    expect(organization.builtInRoles.map(({ role }) => role)).toEqual(['OWNER', 'ADMIN', 'MEMBER']);
    expect(organization.builtInRoles[0]?.permissions).toEqual(Object.keys(PERMISSIONS));
    expect(organization.roles).toMatchObject({ edges: [{ node: { id: second } }], pageInfo: { hasNextPage: true } });
    const { userId } = tenant.people.MEMBER;
    expect(organization.memberships.edges).toEqual([
      { node: { user: { id: encodeGlobalId('User', userId) }, customRole: { id: roleId } } },
    ]);
    const nobody = await look<{ organization: { memberships: { edges: unknown[] } } }>(
      `{ organization { memberships(filter: { roleId: "x" }) { edges { node { id } } } } }`,
      'OWNER',
    );
    expect(nobody.organization.memberships.edges).toEqual([]);
  });

  it('is one’s own permissions, whatever they come from', async () => {
    const query = '{ viewer { role permissions customRole { permissions } } }';
    const { viewer: before } = await look<{ viewer: { permissions: string[] } }>(query, 'ADMIN');
    const [row] = await adminSql<{ said: string }>(house, `select permissions_of('ADMIN') as said`);
    expect(before).toEqual({ role: 'ADMIN', permissions: row?.said.split(' '), customRole: null });
    await giveRole(house, tenant, ['payments:read'], 'ADMIN');
    expect(await look(query, 'ADMIN')).toEqual({
      viewer: { role: 'MEMBER', permissions: ['payments:read'], customRole: { permissions: ['payments:read'] } },
    });
  });

  it('is one’s own role alone, without the permission to read members', async () => {
    await makeRole(house, tenant, ['members:read']);
    const own = await giveRole(house, tenant, ['payment-links:read']);
    expect(await look('{ organization { roles { edges { node { id } } } } }', 'MEMBER')).toEqual({
      organization: { roles: { edges: [{ node: { id: own } }] } },
    });
  });
});
