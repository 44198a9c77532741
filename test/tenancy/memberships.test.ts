import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { openStream } from '../identity/stream.ts';
import { enterHouse, refresh } from '../identity/visitor.ts';
import { seedTenants, type Tenant, type TenantRole, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { adminSql, leave, membershipOf, removeMember, tokenOf, toldOf, updateMembership } from './memberChanges.ts';

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

async function stored(role: TenantRole): Promise<Record<string, unknown> | undefined> {
  const [row] = await adminSql<Record<string, unknown>>(
    house,
    `select role, status, left_at is not null as "hasLeft" from memberships where organization_id = $1 and user_id = $2`,
    [tenant.organizationId, tenant.people[role].userId],
  );
  return row;
}

describe('updateMembership', () => {
  it.each([
    ['OWNER', 'ADMIN', 'OWNER', 'OK'],
    ['OWNER', 'ADMIN', 'MEMBER', 'OK'],
    ['OWNER', 'MEMBER', 'ADMIN', 'OK'],
    ['OWNER', 'OWNER', 'ADMIN', 'OWNER_REQUIRED'],
    ['ADMIN', 'MEMBER', 'ADMIN', 'OK'],
    ['ADMIN', 'ADMIN', 'MEMBER', 'OK'],
    ['ADMIN', 'MEMBER', 'OWNER', 'ROLE_ABOVE_YOURS'],
    ['ADMIN', 'ADMIN', 'OWNER', 'ROLE_ABOVE_YOURS'],
    ['ADMIN', 'OWNER', 'MEMBER', 'ROLE_ABOVE_YOURS'],
    ['MEMBER', 'MEMBER', 'ADMIN', 'FORBIDDEN'],
    ['MEMBER', 'ADMIN', 'MEMBER', 'FORBIDDEN'],
  ] as const)('by %s of %s to %s: %s', async (by, of, role, code) => {
    const id = await idOf(of);
    const outcome = await updateMembership(house, await tokenFor(by), { id, role });
    expect(outcome.code).toBe(code);
    expect(await stored(of)).toEqual({ role: code === 'OK' ? role : of, status: 'ACTIVE', hasLeft: false });
    expect(await toldOf(house, id)).toEqual(code === 'OK' ? ['membership.updated'] : []);
  });

  it('changes what is given, and takes away what is null', async () => {
    const [id, token] = [await idOf('MEMBER'), await tokenFor('ADMIN')];
    const first = await updateMembership(house, token, { id, jobTitle: 'Baker', department: 'Tea' });
    expect(first.data?.membership).toMatchObject({ role: 'MEMBER', jobTitle: 'Baker', department: 'Tea' });
    const second = await updateMembership(house, token, { id, jobTitle: null });
    expect(second.data?.membership).toMatchObject({ jobTitle: null, department: 'Tea' });
  });

  it.each([[{}], [{ role: null }], [{ jobTitle: '' }], [{ department: 'x'.repeat(101) }]])(
    'refuses %j',
    async (change) => {
      const token = await tokenFor('OWNER');
      const outcome = await updateMembership(house, token, { id: await idOf('MEMBER'), ...change });
      expect(outcome.code).toBe('BAD_USER_INPUT');
    },
  );

  it('knows another organization’s member no more than nobody’s, nor one who has left', async () => {
    const token = await tokenFor('OWNER');
    const theirs = await membershipOf(house, other, other.people.MEMBER.userId);
    const left = await idOf('ADMIN');
    expect(await leave(house, await tokenFor('ADMIN'))).toBe('OK');
    for (const id of [theirs, left, encodeGlobalId('Membership', newId()), encodeGlobalId('User', newId()), 'x']) {
      expect((await updateMembership(house, token, { id, role: 'MEMBER' })).code).toBe('MEMBER_UNKNOWN');
      expect((await removeMember(house, token, { id })).code).toBe('MEMBER_UNKNOWN');
    }
  });

  it('is done once under a key, and answered again', async () => {
    const [id, token] = [await idOf('MEMBER'), await tokenFor('OWNER')];
    const input = { id, role: 'ADMIN', idempotencyKey: randomBytes(16).toString('hex') };
    expect((await updateMembership(house, token, input)).data).toMatchObject({ replayed: false });
    expect((await updateMembership(house, token, input)).data).toMatchObject({
      replayed: true,
      membership: { role: 'ADMIN' },
    });
    expect(await toldOf(house, id)).toEqual(['membership.updated']);
    expect((await updateMembership(house, token, { ...input, role: 'MEMBER' })).code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('asks for a fresh proof where the organization does', async () => {
    await adminSql(house, 'update organization_settings set require_step_up = true where organization_id = $1', [
      tenant.organizationId,
    ]);
    await adminSql(house, `update sessions set proved_at = now() - interval '1 hour' where organization_id = $1`, [
      tenant.organizationId,
    ]);
    const [id, token] = [await idOf('MEMBER'), await tokenFor('OWNER')];
    expect((await updateMembership(house, token, { id, role: 'ADMIN' })).code).toBe('STEP_UP_REQUIRED');
    expect((await removeMember(house, token, { id })).code).toBe('STEP_UP_REQUIRED');
    expect(await stored('MEMBER')).toMatchObject({ role: 'MEMBER', status: 'ACTIVE' });
  });
});

describe('removeMember', () => {
  it.each([
    ['OWNER', 'ADMIN', 'OK'],
    ['OWNER', 'OWNER', 'BAD_USER_INPUT'],
    ['ADMIN', 'MEMBER', 'OK'],
    ['ADMIN', 'OWNER', 'ROLE_ABOVE_YOURS'],
    ['MEMBER', 'ADMIN', 'FORBIDDEN'],
  ] as const)('by %s of %s: %s', async (by, of, code) => {
    const id = await idOf(of);
    const outcome = await removeMember(house, await tokenFor(by), { id });
    expect(outcome.code).toBe(code);
    const removed = code === 'OK';
    expect(await stored(of)).toEqual({ role: of, status: removed ? 'REMOVED' : 'ACTIVE', hasLeft: removed });
    expect(await toldOf(house, id)).toEqual(removed ? ['membership.removed'] : []);
    if (removed) expect(outcome.data?.membership).toMatchObject({ status: 'REMOVED', leftAt: expect.any(String) });
  });

  it('is in the audit, with who did it', async () => {
    const id = await idOf('MEMBER');
    await removeMember(house, await tokenFor('ADMIN'), { id });
    const entries = await adminSql(
      house,
      `select user_id, before ->> 'status' as before, after ->> 'status' as after from audit_entries
       where table_name = 'memberships' and verb = 'UPDATE' and row_id = $1`,
      [Buffer.from(id, 'base64url').toString().split(':')[1]],
    );
    expect(entries).toEqual([{ user_id: tenant.people.ADMIN.userId, before: 'ACTIVE', after: 'REMOVED' }]);
  });

  it('ends the next query, refreshing, and an open stream', async () => {
    const [boss, member] = [await enterHouse(house), await enterHouse(house)];
    const organizationId = boss.viewer.organization.id;
    const rowOf = (id: string): string => Buffer.from(id, 'base64url').toString().split(':')[1] ?? '';
    const [joined] = await adminSql<{ id: string }>(
      house,
      `insert into memberships (organization_id, user_id, role) values ($1, $2, 'MEMBER') returning id`,
      [rowOf(organizationId), rowOf(member.viewer.user.id)],
    );
    const { data } = await house.ask<{ switchOrganization: { accessToken: string; refreshToken: string } }>(
      'mutation ($id: ID!) { switchOrganization(input: { organizationId: $id }) { accessToken refreshToken } }',
      { id: organizationId },
      { token: member.accessToken },
    );
    const { accessToken = '', refreshToken = '' } = data?.switchOrganization ?? {};
    const stream = await openStream<unknown>(house.url, 'subscription { viewerChanged { role } }', accessToken);
    expect((await stream.next())?.data?.errors).toBeUndefined();
    const id = encodeGlobalId('Membership', joined?.id ?? '');
    expect((await removeMember(house, boss.accessToken, { id })).code).toBe('OK');
    expect(JSON.stringify(await stream.next())).toContain('MEMBERSHIP_ENDED');
    const next = await house.ask('{ organization { name } }', {}, { token: accessToken });
    expect(next.errors[0]?.extensions.code).toBe('MEMBERSHIP_ENDED');
    expect((await refresh(house, refreshToken)).code).toBe('MEMBERSHIP_ENDED');
  });
});

describe('leaveOrganization', () => {
  it.each(['ADMIN', 'MEMBER'] as const)('ends the membership of who is %s there, once', async (role) => {
    const [token, id] = [await tokenFor(role), await idOf(role)];
    expect(await leave(house, token)).toBe('OK');
    expect(await stored(role)).toEqual({ role, status: 'LEFT', hasLeft: true });
    expect(await toldOf(house, id)).toEqual(['membership.left']);
    expect(await leave(house, token)).toBe('MEMBERSHIP_ENDED');
  });

  it('is refused to the last owner, and permitted once there is another', async () => {
    const token = await tokenFor('OWNER');
    expect(await leave(house, token)).toBe('OWNER_REQUIRED');
    expect(await stored('OWNER')).toEqual({ role: 'OWNER', status: 'ACTIVE', hasLeft: false });
    expect((await updateMembership(house, token, { id: await idOf('ADMIN'), role: 'OWNER' })).code).toBe('OK');
    expect(await leave(house, token)).toBe('OK');
  });

  it('counts no owner who is disabled', async () => {
    const token = await tokenFor('OWNER');
    expect((await updateMembership(house, token, { id: await idOf('ADMIN'), role: 'OWNER' })).code).toBe('OK');
    await adminSql(house, `update users set status = 'DISABLED' where id = $1`, [tenant.people.ADMIN.userId]);
    expect(await leave(house, token)).toBe('OWNER_REQUIRED');
  });

  it('is nobody’s without a session', async () => {
    const answer = await house.ask('mutation { leaveOrganization { organizationId } }');
    expect(answer.errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });
});
