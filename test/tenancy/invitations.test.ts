import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/kernel/digest.ts';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { purgeOrganizations } from '../../src/tenancy/jobs.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sql, type Wallet } from '../identity/visitor.ts';
import { seedTenants, type Tenant, type TenantRole, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { accept, invitationsOf, invite, revoke, tokenFor } from './inviter.ts';
import { tokenOf, updateMembership } from './memberChanges.ts';

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

let readers = 0;
const newEmail = (): string => `guest${++readers}@example.org`;
const asRole = (role: TenantRole): Promise<string> => tokenOf(house, tenant, role);

async function guest(): Promise<SignedIn & { readonly wallet: Wallet }> {
  const wallet = newWallet();
  return { ...(await enterHouse(house, wallet)), wallet };
}

/** Invites by mail, and reads the token there. */
async function mailed(role: TenantRole = 'MEMBER', by: TenantRole = 'OWNER'): Promise<{ token: string; id: string }> {
  const email = newEmail();
  const { code, data } = await invite(house, await asRole(by), { email, role });
  if (!data) throw new Error(`Not invited: ${code}`);
  return { token: tokenFor(house, email), id: data.invitation.id };
}

async function membership({ viewer }: SignedIn): Promise<unknown[]> {
  return sql(
    house,
    'select role, status, invited_by_id as by from memberships where organization_id = $1 and user_id = $2',
    [tenant.organizationId, rowId(viewer.user.id)],
  );
}

describe('inviteMember', () => {
  it.each([
    ['OWNER', 'OWNER', 'OK'],
    ['OWNER', 'MEMBER', 'OK'],
    ['ADMIN', 'OWNER', 'ROLE_ABOVE_YOURS'],
    ['ADMIN', 'ADMIN', 'OK'],
    ['ADMIN', 'MEMBER', 'OK'],
    ['MEMBER', 'MEMBER', 'FORBIDDEN'],
    [null, 'MEMBER', 'UNAUTHENTICATED'],
  ] as const)('by %s to be %s: %s', async (by, role, code) => {
    const { address } = newWallet();
    const outcome = await invite(house, by === null ? undefined : await asRole(by), { address, role });
    expect(outcome.code).toBe(code);
    const rows = await sql(house, 'select role from invitations where organization_id = $1', [tenant.organizationId]);
    expect(rows).toEqual(code === 'OK' ? [{ role }] : []);
    if (code === 'OK')
      expect(outcome.data?.invitation).toMatchObject({ role, status: 'PENDING', address, email: null });
  });

  it.each([
    [{}],
    [{ email: 'a@example.org', address: `0x${'1'.repeat(40)}` }],
    [{ email: 'a@example.org', chainId: 1 }],
    [{ email: 'alice' }],
    [{ address: `0x${'1'.repeat(40)}`, chainId: 0 }],
  ])('refuses %j', async (input) => {
    const outcome = await invite(house, await asRole('OWNER'), { ...input, role: 'MEMBER' });
    expect(outcome.code).toBe('BAD_USER_INPUT');
  });

  it('is not for API keys', async () => {
    const { data } = await house.ask<{ createApiKey: { key: string } }>(
      'mutation { createApiKey(input: { kind: SERVICE, name: "x", scopes: ["members:read"] }) { key } }',
      {},
      { token: await asRole('OWNER') },
    );
    const key = data?.createApiKey.key;
    expect((await invite(house, key, { address: newWallet().address, role: 'MEMBER' })).code).toBe('NEEDS_A_PERSON');
    expect((await accept(house, key, { token: 'x' })).code).toBe('NEEDS_A_PERSON');
  });

  it('keeps no token: not in the rows, the events or the audit, nor its hash but where it is found by', async () => {
    const { token } = await mailed();
    const hash = sha256(token).toString('hex');
    const kept = await sql(
      house,
      `select e::text as text from events e where organization_id = $1
       union all select a::text from audit_entries a where organization_id = $1`,
      [tenant.organizationId],
    );
    expect(kept.length).toBeGreaterThan(1);
    const text = JSON.stringify(kept);
    expect(text).toContain('invitation.created');
    expect(text).not.toContain(token);
    expect(text).not.toContain(hash);
  });

  it('is done once under a key, and sends one mail', async () => {
    const input = { email: newEmail(), role: 'MEMBER', idempotencyKey: randomBytes(16).toString('hex') };
    const first = await invite(house, await asRole('OWNER'), input);
    const second = await invite(house, await asRole('OWNER'), input);
    expect([first.data?.replayed, second.data?.replayed]).toEqual([false, true]);
    expect(second.data?.invitation.id).toBe(first.data?.invitation.id);
    const { mails } = house.resources.mailSender as unknown as { mails: { to: string }[] };
    expect(mails.filter(({ to }) => to === input.email)).toHaveLength(1);
    const other = await invite(house, await asRole('OWNER'), { ...input, role: 'ADMIN' });
    expect(other.code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('asks for a fresh proof where the organization does', async () => {
    await sql(house, 'update organization_settings set require_step_up = true where organization_id = $1', [
      tenant.organizationId,
    ]);
    await sql(house, `update sessions set proved_at = now() - interval '1 hour' where organization_id = $1`, [
      tenant.organizationId,
    ]);
    const outcome = await invite(house, await asRole('OWNER'), { address: newWallet().address, role: 'MEMBER' });
    expect(outcome.code).toBe('STEP_UP_REQUIRED');
  });
});

describe('an invitation by mail', () => {
  it('makes whoever has the token a member, once, and tells of it', async () => {
    const [person, other] = [await guest(), await guest()];
    const { token, id } = await mailed('ADMIN');
    const { code, data } = await accept(house, person.accessToken, { token: ` ${token} ` });
    expect(code).toBe('OK');
    expect(data?.membership).toMatchObject({
      role: 'ADMIN',
      status: 'ACTIVE',
      invitedBy: null,
      organization: { id: encodeGlobalId('Organization', tenant.organizationId), name: tenant.marker },
    });
    const by = tenant.people.OWNER.userId;
    expect(await membership(person)).toEqual([{ role: 'ADMIN', status: 'ACTIVE', by }]);
    for (const again of [person, other]) {
      expect((await accept(house, again.accessToken, { token })).code).toBe('INVITATION_USED');
    }
    expect(await membership(other)).toEqual([]);
    const told = await sql(
      house,
      `select type, actor, data, aggregate_version as version from events
       where organization_id = $1 and type ~ '^(invitation|membership)' order by position`,
      [tenant.organizationId],
    );
    const actor = `user:${rowId(person.viewer.user.id)}`;
    expect(told).toEqual([
      { type: 'invitation.created', actor: `user:${by}`, data: { role: 'ADMIN', kind: 'EMAIL' }, version: 1 },
      { type: 'invitation.accepted', actor, data: { role: 'ADMIN' }, version: 2 },
      { type: 'membership.added', actor, data: { role: 'ADMIN' }, version: 1 },
    ]);
    const { data: seen } = await house.ask(
      `{ organization { invitations { edges { node { id status acceptedBy { id } invitedBy { id } } } }
        memberships(filter: { role: ADMIN }, first: 1) { edges { node { invitedBy { id } } } } } }`,
      {},
      { token: await asRole('OWNER') },
    );
    const invitedBy = { id: encodeGlobalId('User', by) };
    expect(seen).toEqual({
      organization: {
        invitations: { edges: [{ node: { id, status: 'ACCEPTED', acceptedBy: person.viewer.user, invitedBy } }] },
        memberships: { edges: [{ node: { invitedBy } }] },
      },
    });
  });

  it('of many at one instant makes one a member', async () => {
    const people = await Promise.all([guest(), guest(), guest(), guest()]);
    const { token } = await mailed();
    const outcomes = await Promise.all(people.map(({ accessToken }) => accept(house, accessToken, { token })));
    expect(outcomes.map(({ code }) => code).sort()).toEqual([
      'INVITATION_USED',
      'INVITATION_USED',
      'INVITATION_USED',
      'OK',
    ]);
    expect((await Promise.all(people.map(membership))).flat()).toHaveLength(1);
  });

  it('is nobody’s by its id, and nothing is by a token that was not given', async () => {
    const person = await guest();
    const { id } = await mailed();
    const unknown = `th_iv_${randomBytes(32).toString('base64url')}`;
    for (const input of [{ id }, { id: encodeGlobalId('Invitation', newId()) }, { id: 'x' }, { token: unknown }]) {
      expect((await accept(house, person.accessToken, input)).code).toBe('INVITATION_UNKNOWN');
    }
    for (const input of [{}, { id, token: unknown }]) {
      expect((await accept(house, person.accessToken, input)).code).toBe('BAD_USER_INPUT');
    }
    expect((await accept(house, undefined, { token: unknown })).code).toBe('UNAUTHENTICATED');
  });

  it.each([
    [
      'INVITATION_EXPIRED',
      `update invitations set expires_at = now() - interval '1 second' where organization_id = $1`,
    ],
    ['INVITATION_REVOKED', 'update invitations set revoked_at = now() where organization_id = $1'],
    ['ORGANIZATION_SUSPENDED', `update organizations set status = 'SUSPENDED' where id = $1`],
    ['INVITATION_VOID', 'update organizations set deleted_at = now() where id = $1'],
    ['INVITATION_VOID', `update memberships set role = 'MEMBER' where organization_id = $1 and role = 'ADMIN'`],
    ['INVITATION_VOID', `update memberships set status = 'LEFT' where organization_id = $1 and role = 'ADMIN'`],
    ['INVITATION_VOID', 'update organizations set deleted_at = now(), purge_began_at = now() where id = $1'],
  ])('is refused with %s after: %s', async (code, change) => {
    const person = await guest();
    const { token } = await mailed('ADMIN', 'ADMIN');
    await sql(house, change, [tenant.organizationId]);
    expect((await accept(house, person.accessToken, { token })).code).toBe(code);
    expect(await membership(person)).toEqual([]);
  });

  it('is refused with INVITATION_UNKNOWN after the organization was purged', async () => {
    const person = await guest();
    const { token } = await mailed('ADMIN', 'ADMIN');
    await sql(house, `update organizations set deleted_at = now() - interval '31 days' where id = $1`, [
      tenant.organizationId,
    ]);
    const worker = { database: house.resources.database, log: pino({ level: 'silent' }), requestId: 'test-worker' };
    await purgeOrganizations(worker, { retentionDays: 30 });
    expect((await accept(house, person.accessToken, { token })).code).toBe('INVITATION_UNKNOWN');
  });

  it('is capped by what the inviter may do at that moment, not less', async () => {
    const person = await guest();
    const { token } = await mailed('MEMBER', 'OWNER');
    await sql(house, `update memberships set role = 'ADMIN' where organization_id = $1 and user_id = $2`, [
      tenant.organizationId,
      tenant.people.OWNER.userId,
    ]);
    expect((await accept(house, person.accessToken, { token })).code).toBe('OK');
    const owner = await mailed('ADMIN', 'ADMIN');
    await sql(house, `update invitations set role = 'OWNER' where id = $1`, [rowId(owner.id)]);
    expect((await accept(house, (await guest()).accessToken, { token: owner.token })).code).toBe('INVITATION_VOID');
  });

  it('is refused to who is a member, and brings back who was one', async () => {
    const person = await guest();
    const first = await mailed('ADMIN');
    const { data } = await accept(house, person.accessToken, { token: first.token });
    const second = await mailed('MEMBER');
    expect((await accept(house, person.accessToken, { token: second.token })).code).toBe('ALREADY_A_MEMBER');
    await sql(house, `update memberships set status = 'REMOVED' where id = $1`, [rowId(data?.membership.id ?? '')]);
    const back = await accept(house, person.accessToken, { token: second.token });
    expect(back).toMatchObject({ code: 'OK', data: { membership: { id: data?.membership.id, role: 'MEMBER' } } });
  });

  it('is refused in a session that is bound to a domain', async () => {
    const person = await guest();
    const { token } = await mailed();
    const [{ id = '' } = {}] = await sql(
      house,
      `insert into organization_domains (organization_id, kind, host, verification_token, verified_at, is_primary)
       values ($1, 'CUSTOM', $2, repeat('a', 32), now(), true) returning id`,
      [rowId(person.viewer.organization.id), `x${randomBytes(6).toString('hex')}.com`],
    );
    await sql(house, 'update sessions set domain_id = $1 where user_id = $2', [id, rowId(person.viewer.user.id)]);
    expect((await accept(house, person.accessToken, { token })).code).toBe('SESSION_BOUND');
  });
});

describe('an invitation of a wallet', () => {
  it('is listed to who has it linked, and accepted by nobody else', async () => {
    const [person, other] = [await guest(), await guest()];
    const { data } = await invite(house, await asRole('ADMIN'), { address: person.wallet.address, role: 'MEMBER' });
    const id = data?.invitation.id ?? '';
    expect(await invitationsOf(house, other.accessToken)).toEqual([]);
    expect((await accept(house, other.accessToken, { id })).code).toBe('INVITATION_UNKNOWN');
    expect((await accept(house, await asRole('OWNER'), { id })).code).toBe('INVITATION_UNKNOWN');
    expect(await invitationsOf(house, person.accessToken)).toEqual([
      { id, organizationName: tenant.marker, role: 'MEMBER', inviterName: `${tenant.marker} ADMIN` },
    ]);
    expect((await accept(house, person.accessToken, { id })).code).toBe('OK');
    expect(await invitationsOf(house, person.accessToken)).toEqual([]);
    expect((await accept(house, person.accessToken, { id })).code).toBe('INVITATION_USED');
    expect(await membership(person)).toMatchObject([{ role: 'MEMBER', status: 'ACTIVE' }]);
  });

  it('that is a contract on a chain is for that account alone, not for a key of the same address', async () => {
    const person = await guest();
    const { address } = person.wallet;
    const { data } = await invite(house, await asRole('OWNER'), { address, chainId: 31_337, role: 'MEMBER' });
    expect(data?.invitation).toMatchObject({ address, chainId: 31_337 });
    expect(await invitationsOf(house, person.accessToken)).toEqual([]);
    expect((await accept(house, person.accessToken, { id: data?.invitation.id })).code).toBe('INVITATION_UNKNOWN');
  });

  it.each([
    [`update invitations set expires_at = now() - interval '1 second' where organization_id = $1`],
    ['update invitations set revoked_at = now() where organization_id = $1'],
    [`update organizations set status = 'SUSPENDED' where id = $1`],
    ['update organizations set deleted_at = now() where id = $1'],
    [`update memberships set status = 'LEFT' where organization_id = $1 and role = 'OWNER'`],
  ])('is not listed after: %s', async (change) => {
    const person = await guest();
    await invite(house, await asRole('OWNER'), { address: person.wallet.address, role: 'MEMBER' });
    expect(await invitationsOf(house, person.accessToken)).toHaveLength(1);
    await sql(house, change, [tenant.organizationId]);
    expect(await invitationsOf(house, person.accessToken)).toEqual([]);
  });
});

describe('revokeInvitation', () => {
  it('ends what waits, by who may, once', async () => {
    const { token, id } = await mailed();
    expect((await revoke(house, await asRole('MEMBER'), { id })).code).toBe('FORBIDDEN');
    const admin = await asRole('ADMIN');
    expect(await revoke(house, admin, { id })).toMatchObject({
      code: 'OK',
      data: { invitation: { status: 'REVOKED' } },
    });
    expect(await revoke(house, admin, { id })).toMatchObject({
      code: 'OK',
      data: { invitation: { status: 'REVOKED' } },
    });
    expect((await accept(house, (await guest()).accessToken, { token })).code).toBe('INVITATION_REVOKED');
    const told = await sql(house, `select type from events where aggregate_id = $1 order by aggregate_version`, [
      rowId(id),
    ]);
    expect(told).toEqual([{ type: 'invitation.created' }, { type: 'invitation.revoked' }]);
  });

  it('ends nothing that may do more than whoever asks', async () => {
    const { token, id } = await mailed('OWNER');
    expect((await revoke(house, await asRole('ADMIN'), { id })).code).toBe('ROLE_ABOVE_YOURS');
    expect((await accept(house, (await guest()).accessToken, { token })).code).toBe('OK');
    const waiting = await mailed('OWNER');
    expect((await revoke(house, await asRole('OWNER'), { id: waiting.id })).code).toBe('OK');
    expect((await revoke(house, await asRole('ADMIN'), { id: waiting.id })).code).toBe('OK');
  });

  it('knows what was accepted, and another organization’s no more than nobody’s', async () => {
    const { token, id } = await mailed();
    await accept(house, (await guest()).accessToken, { token });
    expect((await revoke(house, await asRole('OWNER'), { id })).code).toBe('INVITATION_USED');
    const stranger = await guest();
    for (const theirs of [id, encodeGlobalId('Invitation', newId()), encodeGlobalId('User', newId()), 'x']) {
      expect((await revoke(house, stranger.accessToken, { id: theirs })).code).toBe('INVITATION_UNKNOWN');
    }
  });

  it('leaves nothing for whoever lowers the inviter at the same instant', async () => {
    for (let round = 0; round < 4; round += 1) {
      [tenant] = (await seedTenants(house.database.adminUrl, { tenants: 1, world })).tenants as [Tenant];
      const person = await guest();
      const { token } = await mailed('ADMIN', 'ADMIN');
      const [{ id = '' } = {}] = await sql(
        house,
        'select id from memberships where organization_id = $1 and user_id = $2',
        [tenant.organizationId, tenant.people.ADMIN.userId],
      );
      const [accepted, lowered] = await Promise.all([
        accept(house, person.accessToken, { token }),
        updateMembership(house, await asRole('OWNER'), {
          id: encodeGlobalId('Membership', String(id)),
          role: 'MEMBER',
        }),
      ]);
      expect(lowered.code).toBe('OK');
      const [added] = await sql(
        house,
        `select added.position < lowered.position as first
         from events lowered left join events added
           on added.organization_id = lowered.organization_id and added.type = 'membership.added'
         where lowered.organization_id = $1 and lowered.type = 'membership.updated'`,
        [tenant.organizationId],
      );
      expect([accepted.code, added?.first]).toEqual(accepted.code === 'OK' ? ['OK', true] : ['INVITATION_VOID', null]);
    }
  });
});
