import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createContext } from '../../src/gateway/context.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { MailSender } from '../../src/ports.ts';
import { inviteMember } from '../../src/tenancy/commands/inviteMember.ts';
import { enterHouse, newWallet, sql } from '../identity/visitor.ts';
import { type MailServer, startMailServer } from '../support/mailServer.ts';
import { seedTenants, type Tenant, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { accept, invite } from './inviter.ts';
import { tokenOf } from './memberChanges.ts';

let house: TestTollhouse;
let server: MailServer;
let world: World;
let tenant: Tenant;
let owner: string;

beforeAll(async () => {
  server = await startMailServer();
  house = await startTollhouse({
    settings: {
      SMTP_URL: `smtp://127.0.0.1:${server.port}`,
      MAIL_FROM: 'Tollhouse <no-reply@pay.example>',
      TOLLHOUSE_UNSAFE_SMTP_WITHOUT_TLS: '1',
      TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0',
      LIMIT_INVITATIONS_PER_ORGANIZATION_PER_HOUR: '4',
    },
  });
  world = await seedTenants(house.database.adminUrl, { tenants: 3 });
  [tenant] = world.tenants as [Tenant];
  owner = await tokenOf(house, tenant, 'OWNER');
});
afterAll(async () => {
  await house.stop();
  await server.stop();
});

const newKey = (): string => randomBytes(16).toString('hex');
const inputTo = (email: string): { email: string; role: 'MEMBER'; idempotencyKey: string } => ({
  email,
  role: 'MEMBER',
  idempotencyKey: newKey(),
});

/** The tokens that were sent to the address, the first first. */
const tokensTo = (email: string): string[] =>
  server.mails
    .filter(({ to }) => to.includes(email))
    .map(({ data }) => /th_iv_[\w-]{43}/.exec(data.replace(/=\r?\n/g, ''))?.[0] ?? '');

/** Hands over no mail, and tells the token of the one that it was given. */
function dying(tell: (token: string) => void): MailSender {
  return {
    send({ text }) {
      tell(/th_iv_[\w-]{43}/.exec(text)?.[0] ?? '');
      return new Promise(() => undefined);
    },
  };
}

/** Invites as the owner in a process that ends between storing the invitation and handing the mail over. */
function inviteAndDie(input: ReturnType<typeof inputTo>): Promise<string> {
  const viewer = { ...tenant.people.OWNER, organizationId: tenant.organizationId };
  const client = { address: '127.0.0.1', limitKey: '127.0.0.1', userAgent: null, origin: null };
  return new Promise((resolve, reject) => {
    const resources = { ...house.resources, mailSender: dying(resolve) };
    const context = createContext(resources, { requestId: newId(), client, viewer });
    inviteMember(context, { ...input, idempotencyKey: { key: input.idempotencyKey, path: '' } }).catch(reject);
  });
}

/** Lets the time pass in which somebody may still be sending. */
async function wait(email: string): Promise<void> {
  await sql(house, 'alter table invitations disable trigger invitations_touch');
  await sql(house, `update invitations set updated_at = now() - interval '61 seconds' where email = $1`, [email]);
  await sql(house, 'alter table invitations enable trigger invitations_touch');
}

const sentTo = async (email: string): Promise<unknown[]> =>
  (await sql(house, 'select sent_at is not null as sent from invitations where email = $1', [email])).map(
    ({ sent }) => sent,
  );

describe('an invitation whose mail never went', () => {
  it('is sent when its key is repeated, with a token that is good, and the first is nobody’s', async () => {
    const input = inputTo('lost@example.org');
    const lost = await inviteAndDie(input);
    expect(await sentTo('lost@example.org')).toEqual([false]);
    await wait('lost@example.org');
    const again = await invite(house, owner, input);
    expect(again).toMatchObject({ code: 'OK', data: { replayed: true, invitation: { status: 'PENDING' } } });
    expect(await sentTo('lost@example.org')).toEqual([true]);
    const [token = '', ...more] = tokensTo('lost@example.org');
    expect(more).toEqual([]);
    const guest = await enterHouse(house, newWallet());
    expect((await accept(house, guest.accessToken, { token: lost })).code).toBe('INVITATION_UNKNOWN');
    expect((await accept(house, guest.accessToken, { token })).code).toBe('OK');
  });

  it('is waited for while it may still be on its way, and sent once by many who repeat the key', async () => {
    const input = inputTo('many@example.org');
    await inviteAndDie(input);
    expect((await invite(house, owner, input)).code).toBe('IDEMPOTENCY_IN_PROGRESS');
    expect(tokensTo('many@example.org')).toEqual([]);
    await wait('many@example.org');
    const codes = (await Promise.all([1, 2, 3, 4].map(() => invite(house, owner, input)))).map(({ code }) => code);
    expect(codes.filter((code) => code !== 'OK' && code !== 'IDEMPOTENCY_IN_PROGRESS')).toEqual([]);
    expect(codes).toContain('OK');
    expect(tokensTo('many@example.org')).toHaveLength(1);
  });

  it('is not sent for who may not invite any more, and not when it was taken back', async () => {
    const input = inputTo('lowered@example.org');
    await inviteAndDie(input);
    await wait('lowered@example.org');
    const place = [tenant.organizationId, tenant.people.OWNER.userId];
    await sql(house, `update memberships set role = 'MEMBER' where organization_id = $1 and user_id = $2`, place);
    expect((await invite(house, owner, input)).code).toBe('FORBIDDEN');
    await sql(house, `update memberships set role = 'OWNER' where organization_id = $1 and user_id = $2`, place);
    await sql(house, `update invitations set revoked_at = now() where email = 'lowered@example.org'`);
    const again = await invite(house, owner, input);
    expect(again).toMatchObject({ code: 'OK', data: { replayed: true, invitation: { status: 'REVOKED' } } });
    expect(tokensTo('lowered@example.org')).toEqual([]);
  });
});

describe('an invitation that was sent', () => {
  it('is not sent again', async () => {
    const input = inputTo('sent@example.org');
    expect((await invite(house, owner, input)).code).toBe('OK');
    await wait('sent@example.org');
    expect(await invite(house, owner, input)).toMatchObject({ code: 'OK', data: { replayed: true } });
    expect(tokensTo('sent@example.org')).toHaveLength(1);
  });

  it('says when to who may read members, and of a wallet’s there is nothing to say', async () => {
    const [, other] = world.tenants as [Tenant, Tenant];
    const [admin, member] = [await tokenOf(house, other, 'ADMIN'), await tokenOf(house, other, 'MEMBER')];
    expect((await invite(house, admin, inputTo('when@example.org'))).code).toBe('OK');
    expect((await invite(house, admin, { address: newWallet().address, role: 'MEMBER' })).code).toBe('OK');
    const { data } = await house.ask<{
      organization: { invitations: { edges: { node: { email: string | null; sentAt: string | null } }[] } };
    }>('{ organization { invitations(first: 2) { edges { node { email sentAt } } } } }', {}, { token: member });
    expect(data?.organization.invitations.edges.map(({ node }) => node)).toEqual([
      { email: null, sentAt: null },
      { email: 'when@example.org', sentAt: expect.any(String) },
    ]);
  });
});

describe('repeating a key', () => {
  it('counts for no limit, and neither does what was refused', async () => {
    const [, , last] = world.tenants as [Tenant, Tenant, Tenant];
    const admin = await tokenOf(house, last, 'ADMIN');
    const input = { address: newWallet().address, role: 'MEMBER', idempotencyKey: newKey() };
    for (let attempt = 0; attempt < 8; attempt += 1) expect((await invite(house, admin, input)).code).toBe('OK');
    const codes: string[] = [];
    for (let attempt = 0; attempt < 5; attempt += 1) {
      codes.push((await invite(house, admin, { address: newWallet().address, role: 'MEMBER' })).code);
    }
    expect(codes).toEqual(['OK', 'OK', 'OK', 'RATE_LIMITED', 'RATE_LIMITED']);
    expect((await invite(house, admin, input)).code).toBe('OK');
  });
});
