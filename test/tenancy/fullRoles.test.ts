import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PERMISSIONS } from '../../src/kernel/permissions.ts';
import { join } from '../identity/merger.ts';
import { enterHouse, newWallet } from '../identity/visitor.ts';
import { FULL } from '../support/scale.ts';
import { seedTenants, type Tenant, type TenantRole, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { accept, invitationsOf, invite, revoke } from './inviter.ts';
import { changeKey, createKey, makeKey } from './keyHolder.ts';
import { adminSql, membershipOf, removeMember, tokenOf, updateMembership } from './memberChanges.ts';
import { giveRole, makeRole, rowIdOf, runAs } from './roleMaker.ts';

const ROUNDS = FULL ? 100 : 6;

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

const ALL = Object.keys(PERMISSIONS);
const tokenFor = (role: TenantRole): Promise<string> => tokenOf(house, tenant, role);
const idOf = (role: TenantRole): Promise<string> => membershipOf(house, tenant, tenant.people[role].userId);
const run = (role: TenantRole, ...statements: string[]) => runAs(house, tenant, role, ...statements);
const of = (role: TenantRole): string => `where user_id = '${tenant.people[role].userId}'`;
const wallet = (digit: string): string => `0x${digit.repeat(40)}`;

/** Says past the law what somebody is. */
function make(role: TenantRole, is: TenantRole): Promise<unknown> {
  return adminSql(
    house,
    'update memberships set role = $3, role_id = null where organization_id = $1 and user_id = $2',
    [tenant.organizationId, tenant.people[role].userId, is],
  );
}

describe('a custom role that lists all that owners may', () => {
  it('makes, lowers, changes and removes no owner', async () => {
    await giveRole(house, tenant, ALL);
    const [full, owner, admin] = [await tokenFor('MEMBER'), await idOf('OWNER'), await idOf('ADMIN')];
    const above = [
      await updateMembership(house, full, { id: owner, role: 'MEMBER' }),
      await updateMembership(house, full, { id: owner, jobTitle: 'Guest' }),
      await updateMembership(house, full, { id: admin, role: 'OWNER' }),
      await updateMembership(house, full, { id: await idOf('MEMBER'), role: 'OWNER' }),
      await removeMember(house, full, { id: owner }),
      await invite(house, full, { address: wallet('7'), role: 'OWNER' }),
    ];
    expect(above.map(({ code }) => code)).toEqual(above.map(() => 'ROLE_ABOVE_YOURS'));
    expect((await updateMembership(house, full, { id: admin, jobTitle: 'Deputy' })).code).toBe('OK');
    expect((await updateMembership(house, full, { id: admin, role: 'MEMBER' })).code).toBe('OK');
    expect((await invite(house, full, { address: wallet('7'), role: 'ADMIN' })).code).toBe('OK');
    const owners = await tokenFor('OWNER');
    const made = await invite(house, owners, { address: wallet('8'), role: 'OWNER' });
    const { id } = made.data?.invitation ?? {};
    expect((await revoke(house, full, { id })).code).toBe('ROLE_ABOVE_YOURS');
    expect((await revoke(house, owners, { id })).code).toBe('OK');
    expect((await updateMembership(house, owners, { id: admin, role: 'OWNER' })).code).toBe('OK');
  });

  it('does so by raw statements neither', async () => {
    await giveRole(house, tenant, ALL);
    const owner = of('OWNER');
    for (const deed of [`role = 'MEMBER'`, `job_title = 'Guest'`, `status = 'REMOVED'`]) {
      expect(await run('MEMBER', `update memberships set ${deed} ${owner}`)).toMatchObject({ code: 'OK', count: 0 });
    }
    for (const who of ['ADMIN', 'MEMBER'] as const) {
      const rise = `update memberships set role = 'OWNER', role_id = null ${of(who)}`;
      expect((await run('MEMBER', rise)).code).toBe('42501');
      expect(await run('OWNER', rise)).toMatchObject({ code: 'OK', count: 1 });
    }
    const inviteOwner = `
      insert into invitations (organization_id, id, role, address, invited_by_id, expires_at)
      values (current_organization_id(), uuid_v7(), 'OWNER', '${wallet('7')}', current_user_id(),
        now() + interval '1 day')`;
    expect((await run('MEMBER', inviteOwner)).code).toBe('42501');
    expect((await run('OWNER', inviteOwner)).code).toBe('OK');
    expect(await run('MEMBER', `update memberships set role = 'MEMBER' ${of('ADMIN')}`)).toMatchObject({ count: 1 });
  });

  it('leaves an owner who is lowered to it nothing to give that owners alone give, in an open scene neither', async () => {
    await make('ADMIN', 'OWNER');
    const full = rowIdOf(await makeRole(house, tenant, ALL));
    const lower = `update memberships set role = 'MEMBER', role_id = '${full}' ${of('OWNER')}`;
    const rise = `update memberships set role = 'OWNER', role_id = null ${of('OWNER')}`;
    expect((await run('OWNER', lower, rise)).code).toBe('42501');
    const demote = `update memberships set role = 'MEMBER' ${of('ADMIN')}`;
    expect(await run('OWNER', lower, demote)).toMatchObject({ code: 'OK', count: 0 });
    expect(await run('OWNER', demote)).toMatchObject({ code: 'OK', count: 1 });
  });

  it('is all that is left to one of two owners who lower each other to it at one instant', async () => {
    for (const role of ['ADMIN', 'MEMBER'] as const) await make(role, 'OWNER');
    const roleId = await makeRole(house, tenant, ALL);
    const [one, other] = [await idOf('OWNER'), await idOf('ADMIN')];
    for (let round = 0; round < ROUNDS; round += 1) {
      const outcomes = await Promise.all([
        tokenFor('OWNER').then((token) => updateMembership(house, token, { id: other, roleId })),
        tokenFor('ADMIN').then((token) => updateMembership(house, token, { id: one, roleId })),
      ]);
      expect(outcomes.map(({ code }) => code).sort()).toEqual(['OK', 'ROLE_ABOVE_YOURS']);
      for (const role of ['OWNER', 'ADMIN'] as const) await make(role, 'OWNER');
    }
  });

  it('makes an invitation to OWNER void that its holder sent as an owner', async () => {
    await make('ADMIN', 'OWNER');
    const guestWallet = newWallet();
    const guest = await enterHouse(house, guestWallet);
    const made = await invite(house, await tokenFor('ADMIN'), { address: guestWallet.address, role: 'OWNER' });
    expect(made.code).toBe('OK');
    const { id } = made.data?.invitation ?? {};
    const roleId = await makeRole(house, tenant, ALL);
    const owners = await tokenFor('OWNER');
    expect((await updateMembership(house, owners, { id: await idOf('ADMIN'), roleId })).code).toBe('OK');
    expect(await invitationsOf(house, guest.accessToken)).toEqual([]);
    expect((await accept(house, guest.accessToken, { id })).code).toBe('INVITATION_VOID');
    expect((await updateMembership(house, owners, { id: await idOf('ADMIN'), role: 'OWNER' })).code).toBe('OK');
    expect((await accept(house, guest.accessToken, { id })).code).toBe('OK');
  });
});

describe('whoever may write members by a custom role', () => {
  const KEEPER = ['members:read', 'members:write', 'events:read', 'payments:read'];

  it('removes who may do no more than they, and nobody else', async () => {
    await giveRole(house, tenant, KEEPER, 'ADMIN');
    await giveRole(house, tenant, ['payments:read']);
    const keeper = await tokenFor('ADMIN');
    const other = await enterHouse(house);
    await join(house, other, Buffer.from(`Organization:${tenant.organizationId}`).toString('base64url'), 'MEMBER');
    const above = await membershipOf(house, tenant, rowIdOf(other.viewer.user.id));
    expect((await removeMember(house, keeper, { id: above })).code).toBe('ROLE_ABOVE_YOURS');
    expect((await removeMember(house, keeper, { id: await idOf('OWNER') })).code).toBe('ROLE_ABOVE_YOURS');
    expect((await removeMember(house, keeper, { id: await idOf('MEMBER') })).code).toBe('OK');
    const raw = `update memberships set status = 'REMOVED' where user_id = '${rowIdOf(other.viewer.user.id)}'`;
    expect(await run('ADMIN', raw)).toMatchObject({ code: 'OK', count: 0 });
  });

  it('leaves nobody behind as more than a member by removing them', async () => {
    await giveRole(house, tenant, KEEPER, 'ADMIN');
    await giveRole(house, tenant, ['payments:read']);
    const remove = (also: string): string => `update memberships set status = 'REMOVED'${also} ${of('MEMBER')}`;
    expect((await run('ADMIN', remove(`, role = 'ADMIN', role_id = null`))).code).toBe('42501');
    expect(await run('ADMIN', remove(''))).toMatchObject({ code: 'OK', count: 1 });
  });

  it('gives by taking a custom role away no more than they have', async () => {
    await giveRole(house, tenant, KEEPER, 'ADMIN');
    await giveRole(house, tenant, ['payments:read']);
    const free = `update memberships set role_id = null ${of('MEMBER')}`;
    expect((await run('ADMIN', free)).code).toBe('42501');
    expect(await run('OWNER', free)).toMatchObject({ code: 'OK', count: 1 });
  });
});

describe('whoever may write API keys by a custom role', () => {
  const CLERK = ['keys:read', 'keys:write', 'events:read'];
  const WIDER = [
    { expiresAt: null },
    { allowedAddresses: [] },
    { allowedOrigins: null },
    { monthlyLimit: null },
    { name: 'Mine', monthlyLimit: 9 },
  ];

  it('lets none reach further that may do more than they, but names and ends it', async () => {
    await giveRole(house, tenant, CLERK, 'ADMIN');
    const [clerk, owner] = [await tokenFor('ADMIN'), await tokenFor('OWNER')];
    const high = await makeKey(house, owner, { scopes: ['payments:read'], monthlyLimit: 5 });
    const low = await createKey(house, owner, { scopes: ['events:read'], monthlyLimit: 5 });
    for (const words of WIDER) {
      const given = { id: high.id, ...words };
      expect((await changeKey(house, clerk, 'updateApiKey', given)).code).toBe('FORBIDDEN');
      expect((await changeKey(house, clerk, 'updateApiKey', { ...given, id: low.data?.apiKey.id })).code).toBe('OK');
      expect((await changeKey(house, owner, 'updateApiKey', given)).code).toBe('OK');
    }
    expect((await changeKey(house, clerk, 'updateApiKey', { id: high.id, name: 'Ours' })).code).toBe('OK');
    expect((await changeKey(house, clerk, 'revokeApiKey', { id: high.id })).code).toBe('OK');
  });

  it('does so by raw statements neither', async () => {
    await giveRole(house, tenant, CLERK, 'ADMIN');
    const { id } = await makeKey(house, await tokenFor('OWNER'), {
      scopes: ['payments:read'],
      monthlyLimit: 5,
      expiresAt: '2040-01-01T00:00:00Z',
      allowedAddresses: ['10.0.0.0/8'],
      allowedOrigins: ['https://shop.example.com'],
    });
    const change = (words: string): string => `update api_keys set ${words} where id = '${rowIdOf(id)}'`;
    for (const words of [
      'expires_at = null',
      `allowed_addresses = '{}'`,
      `allowed_origins = '{}'`,
      'monthly_limit = null',
      'revoked_at = now(), monthly_limit = 6',
    ]) {
      expect([words, (await run('ADMIN', change(words))).code]).toEqual([words, '42501']);
      expect([words, await run('OWNER', change(words))]).toMatchObject([words, { code: 'OK', count: 1 }]);
    }
    expect(await run('ADMIN', change(`name = 'Ours', monthly_limit = 5`))).toMatchObject({ code: 'OK', count: 1 });
    expect(await run('ADMIN', change('revoked_at = now()'))).toMatchObject({ code: 'OK', count: 1 });
  });
});
