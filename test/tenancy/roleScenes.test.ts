import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mutate } from '../identity/linker.ts';
import { openStream } from '../identity/stream.ts';
import { codeOf } from '../identity/visitor.ts';
import { seedTenants, type Tenant, type TenantRole, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { makeKey } from './keyHolder.ts';
import { adminSql, membershipOf, tokenOf, updateMembership } from './memberChanges.ts';
import { createRole, giveRole, makeRole, rowIdOf, runAs, updateRole } from './roleMaker.ts';

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
const run = (role: TenantRole, statement: string) => runAs(house, tenant, role, statement);

const OWNERS = ['organization:read', 'organization:write', 'events:read'];
const ADMINS = ['members:read', 'members:write', 'events:read'];

/** The tables of tenants that somebody sees a row of. */
async function tablesSeenBy(role: TenantRole): Promise<string[]> {
  const tables = await adminSql<{ name: string }>(
    house,
    `select c.relname as name
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id'
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
     order by 1`,
  );
  const seen: string[] = [];
  for (const { name } of tables) {
    const { code, count } = await run(role, `select from ${name} limit 1`);
    expect(['OK', '42501']).toContain(code);
    if (count > 0) seen.push(name);
  }
  return seen;
}

async function counts(role: TenantRole): Promise<unknown> {
  const page = (field: string): string => `${field}(first: 1) { edges { node { id } } }`;
  const { data, errors } = await house.ask<{ organization: Record<string, { edges: unknown[] }> }>(
    `{ organization { ${['paymentLinks', 'paymentOrders', 'memberships', 'domains', 'invitations'].map(page).join(' ')} } }`,
    {},
    { token: await tokenFor(role) },
  );
  expect(errors).toEqual([]);
  return Object.fromEntries(
    Object.entries(data?.organization ?? {}).map(([field, { edges }]) => [field, edges.length]),
  );
}

describe('a member whose custom role reads payment links', () => {
  it('reads them and what everybody has of their own, whatever the statement, and writes nothing', async () => {
    await giveRole(house, tenant, ['payment-links:read']);
    expect(await counts('MEMBER')).toEqual({
      paymentLinks: 1,
      paymentOrders: 0,
      // one's own
      memberships: 1,
      domains: 0,
      invitations: 0,
    });
    expect(await tablesSeenBy('MEMBER')).toEqual([
      'memberships',
      'organization_settings',
      'payment_link_accepts',
      'payment_links',
      'roles',
      'sessions',
    ]);
    expect((await run('MEMBER', 'select from memberships')).count).toBe(1);
    expect((await run('MEMBER', 'select from users')).count).toBe(1);
    expect(await run('MEMBER', `update roles set permissions = '{payments:read}'`)).toMatchObject({ count: 0 });
    expect(await run('MEMBER', 'update memberships set role_id = null')).toMatchObject({ count: 0 });
  });

  it('is seen to read all that members do once the role is taken away', async () => {
    await giveRole(house, tenant, ['payment-links:read']);
    expect(await tablesSeenBy('MEMBER')).not.toContain('payment_orders');
    await updateMembership(house, await tokenFor('OWNER'), { id: await idOf('MEMBER'), role: 'MEMBER' });
    expect(await tablesSeenBy('MEMBER')).toContain('payment_orders');
  });
});

describe('a member whose custom role writes payments', () => {
  const PAYMENTS = ['payment-links:read', 'payments:write', 'events:read'];

  async function makeLink(payee: TenantRole): Promise<string> {
    const accepts = [{ asset: world.coin.caip19, amount: '1', payTo: tenant.people[payee].address }];
    const input = { title: 'Tea', accepts };
    return (await mutate(house, await tokenFor('MEMBER'), 'createPaymentLink', input, 'paymentLink { id title }')).code;
  }

  it('makes a link that pays to their own wallet, and no member, role or key', async () => {
    expect(await makeLink('MEMBER')).toBe('FORBIDDEN');
    await giveRole(house, tenant, PAYMENTS);
    expect(await makeLink('MEMBER')).toBe('OK');
    const token = await tokenFor('MEMBER');
    const invited = { address: `0x${'7'.repeat(40)}`, role: 'MEMBER' };
    expect((await mutate(house, token, 'inviteMember', invited, 'replayed')).code).toBe('FORBIDDEN');
    expect((await createRole(house, token, { name: 'Till', permissions: ['events:read'] })).code).toBe('FORBIDDEN');
    const key = { kind: 'SERVICE', name: 'Till', scopes: ['events:read'] };
    expect((await mutate(house, token, 'createApiKey', key, 'key')).code).toBe('FORBIDDEN');
  });
});

describe('by raw statements in a scene of one’s own, nobody', () => {
  const insert = (permissions: string): string =>
    `insert into roles (organization_id, id, name, permissions)
     values (current_organization_id(), uuid_v7(), 'New', '{${permissions}}')`;

  it.each([
    ['ADMIN', 'payments:read', 'OK'],
    ['ADMIN', 'organization:write', '42501'],
    ['ADMIN', 'payments:read,organization:write', '42501'],
    ['OWNER', 'organization:write', 'OK'],
    ['OWNER', 'payments:steal', '42501'],
    ['MEMBER', 'payments:read', '42501'],
  ] as const)('makes a role above their own: %s of %s, %s', async (by, permissions, code) => {
    expect((await run(by, insert(permissions))).code).toBe(code);
  });

  it('changes, gives, takes or deletes one above their own', async () => {
    const [high, low] = [await makeRole(house, tenant, OWNERS), await makeRole(house, tenant, ['payments:read'])];
    const admin = (text: string) => run('ADMIN', text);
    const of = (id: string): string => `where id = '${rowIdOf(id)}'`;
    expect(await admin(`update roles set name = 'x' ${of(low)}`)).toMatchObject({ code: 'OK', count: 1 });
    expect(await admin(`update roles set name = 'x' ${of(high)}`)).toMatchObject({ code: 'OK', count: 0 });
    expect((await admin(`update roles set permissions = '{organization:write}' ${of(low)}`)).code).toBe('42501');
    expect(await admin(`delete from roles ${of(low)}`)).toMatchObject({ code: 'OK', count: 1 });
    expect(await admin(`delete from roles ${of(high)}`)).toMatchObject({ code: 'OK', count: 0 });
    const give = (id: string): string =>
      `update memberships set role_id = '${rowIdOf(id)}' where user_id = '${tenant.people.MEMBER.userId}'`;
    expect(await admin(give(low))).toMatchObject({ code: 'OK', count: 1 });
    expect((await admin(give(high))).code).toBe('42501');
    const invite = (id: string): string =>
      `insert into invitations (organization_id, id, role, role_id, address, invited_by_id, expires_at)
       values (current_organization_id(), uuid_v7(), 'MEMBER', '${rowIdOf(id)}', '0x${'7'.repeat(40)}',
         current_user_id(), now() + interval '1 day')`;
    expect((await admin(invite(low))).code).toBe('OK');
    expect((await admin(invite(high))).code).toBe('42501');
    await updateMembership(house, await tokenFor('OWNER'), { id: await idOf('MEMBER'), roleId: high });
    const take = `update memberships set role_id = null where user_id = '${tenant.people.MEMBER.userId}'`;
    expect(await admin(take)).toMatchObject({ code: 'OK', count: 0 });
    expect(await run('OWNER', take)).toMatchObject({ code: 'OK', count: 1 });
  });

  it('widens the role that they have, or rises by it', async () => {
    const own = await giveRole(house, tenant, ADMINS, 'ADMIN');
    const widen = `update roles set permissions = permissions || array['keys:write'] where id = '${rowIdOf(own)}'`;
    expect((await run('ADMIN', widen)).code).toBe('42501');
    const rise = `update memberships set role = 'ADMIN', role_id = null where user_id = current_user_id()`;
    expect((await run('ADMIN', rise)).code).toBe('42501');
    const narrow = `update roles set permissions = '{members:read}' where id = '${rowIdOf(own)}'`;
    expect(await run('ADMIN', narrow)).toMatchObject({ code: 'OK', count: 1 });
  });

  it('has a custom role beside a built-in one that is no MEMBER, or one of another organization', async () => {
    const [other] = (await seedTenants(house.database.adminUrl, { tenants: 1, world })).tenants as [Tenant];
    const [own, theirs] = [await makeRole(house, tenant, ['members:read']), await makeRole(house, other, OWNERS)];
    const give = (id: string, user: string): string =>
      `update memberships set role_id = '${rowIdOf(id)}' where user_id = '${user}'`;
    expect((await run('OWNER', give(own, tenant.people.ADMIN.userId))).code).toBe('23514');
    expect((await run('OWNER', give(theirs, tenant.people.MEMBER.userId))).code).toBe('42501');
    const forced = adminSql(house, `update memberships set role_id = $1 where user_id = $2`, [
      rowIdOf(theirs),
      tenant.people.MEMBER.userId,
    ]);
    await expect(forced).rejects.toMatchObject({ code: '23503' });
  });

  it('deletes a role that somebody has', async () => {
    const held = await giveRole(house, tenant, ['payments:read']);
    expect(await run('OWNER', `delete from roles where id = '${rowIdOf(held)}'`)).toMatchObject({ count: 0 });
  });

  it('changes a role with a proof that is old, where the organization asks for one', async () => {
    const id = await makeRole(house, tenant, ['payments:read']);
    const require = (on: boolean) =>
      adminSql(house, 'update organization_settings set require_step_up = $2 where organization_id = $1', [
        tenant.organizationId,
        on,
      ]);
    await adminSql(house, `update sessions set proved_at = now() - interval '1 hour' where organization_id = $1`, [
      tenant.organizationId,
    ]);
    for (const text of [
      insert('payments:read'),
      `update roles set name = 'x' where id = '${rowIdOf(id)}'`,
      `delete from roles where id = '${rowIdOf(id)}'`,
    ]) {
      await require(true);
      expect((await run('OWNER', text)).code).toBe('TH428');
      await require(false);
      expect(await run('OWNER', text)).toMatchObject({ code: 'OK', count: 1 });
    }
  });
});

describe('a change of a role counts from the next statement on', () => {
  it('of whoever has it', async () => {
    const roleId = await giveRole(house, tenant, ['payment-links:read']);
    expect(await counts('MEMBER')).toMatchObject({ paymentLinks: 1, paymentOrders: 0 });
    await updateRole(house, await tokenFor('OWNER'), { id: roleId, permissions: ['payments:read'] });
    expect(await counts('MEMBER')).toMatchObject({ paymentLinks: 0, paymentOrders: 1 });
  });

  it('of the API keys that they answer for', async () => {
    const KEYS = ['payment-links:read', 'payments:read', 'events:read', 'keys:read', 'keys:write'];
    const roleId = await giveRole(house, tenant, KEYS, 'ADMIN');
    const scopes = ['payment-links:read', 'payments:read'];
    const { text } = await makeKey(house, await tokenFor('ADMIN'), { scopes });
    const above = { kind: 'SERVICE', name: 'Till', scopes: ['audit:read'] };
    expect((await mutate(house, await tokenFor('ADMIN'), 'createApiKey', above, 'key')).code).toBe('FORBIDDEN');
    const seen = async (): Promise<number[]> => {
      const answer = await house.ask<{ organization: Record<string, { edges: unknown[] }> }>(
        '{ organization { paymentLinks { edges { node { id } } } paymentOrders { edges { node { id } } } } }',
        {},
        { headers: { authorization: `Bearer ${text}` } },
      );
      expect(codeOf(answer)).toBe('OK');
      return Object.values(answer.data?.organization ?? {}).map(({ edges }) => edges.length);
    };
    expect(await seen()).toEqual([3, 3]);
    await updateRole(house, await tokenFor('OWNER'), { id: roleId, permissions: ['payment-links:read'] });
    expect(await seen()).toEqual([3, 0]);
    await updateMembership(house, await tokenFor('OWNER'), { id: await idOf('ADMIN'), role: 'MEMBER' });
    expect(await seen()).toEqual([3, 3]);
  });

  it('and an open stream says so', async () => {
    type Changed = { readonly viewerChanged: { readonly permissions: readonly string[] } };
    const roleId = await giveRole(house, tenant, ['payment-links:read']);
    const watch = 'subscription { viewerChanged { permissions customRole { name } } }';
    const stream = await openStream<Changed>(house.url, watch, await tokenFor('MEMBER'));
    expect((await stream.next())?.data?.data?.viewerChanged.permissions).toEqual(['payment-links:read']);
    await updateRole(house, await tokenFor('OWNER'), { id: roleId, permissions: ['payments:read'] });
    expect((await stream.next())?.data?.data?.viewerChanged.permissions).toEqual(['payments:read']);
    stream.leave();
  });
});
