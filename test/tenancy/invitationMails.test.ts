import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createContext } from '../../src/gateway/context.ts';
import { newId } from '../../src/kernel/ids.ts';
import { inviteMember } from '../../src/tenancy/commands/inviteMember.ts';
import { codeOf, enterHouse, newWallet, sql } from '../identity/visitor.ts';
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
      LIMIT_INVITATIONS_PER_ORGANIZATION_PER_HOUR: '8',
    },
  });
  world = await seedTenants(house.database.adminUrl, { tenants: 2 });
  [tenant] = world.tenants as [Tenant];
  owner = await tokenOf(house, tenant, 'OWNER');
});
afterAll(async () => {
  await house.stop();
  await server.stop();
});

const statusOf = async (): Promise<unknown[]> =>
  sql(
    house,
    `select i.revoked_at is not null as revoked, array_agg(e.type order by e.aggregate_version) as told
     from invitations i join events e on e.organization_id = i.organization_id and e.aggregate_id = i.id
     where i.email = 'grace@example.org' group by i.id, i.revoked_at`,
  );

describe('the mail of an invitation', () => {
  it('names who invites, to what and as what, and its token makes a member', async () => {
    await sql(house, `update users set display_name = 'Ada: https://evil.example' where id = $1`, [
      tenant.people.OWNER.userId,
    ]);
    expect((await invite(house, owner, { email: 'Ada@Example.org', role: 'ADMIN' })).code).toBe('OK');
    const mail = server.mails.at(-1);
    expect(mail?.to).toEqual(['ada@example.org']);
    const text = mail?.data.replace(/=\r?\n/g, '').replace(/=3D/g, '=') ?? '';
    expect(text).toContain(tenant.marker);
    expect(text).toContain('as admin');
    expect(text).not.toContain('https://evil');
    const [token] = /th_iv_[\w-]{43}/.exec(text) ?? [];
    const guest = await enterHouse(house, newWallet());
    expect((await accept(house, guest.accessToken, { token })).code).toBe('OK');
  });

  it('that cannot be handed over takes the invitation back, also for whoever repeats its key', async () => {
    server.mood = { refuse: { verb: 'RCPT', reply: '550 5.1.1 nobody here' } };
    const input = { email: 'grace@example.org', role: 'MEMBER', idempotencyKey: randomBytes(16).toString('hex') };
    expect((await invite(house, owner, input)).code).toBe('MAIL_UNAVAILABLE');
    server.mood = {};
    expect(await statusOf()).toEqual([{ revoked: true, told: ['invitation.created', 'invitation.revoked'] }]);
    const again = await invite(house, owner, input);
    expect(again).toMatchObject({ code: 'OK', data: { replayed: true, invitation: { status: 'REVOKED' } } });
    expect(server.mails.filter(({ to }) => to.includes('grace@example.org'))).toEqual([]);
  });

  it('is not to be had where there is nobody to hand it to, and a wallet is invited all the same', async () => {
    const viewer = { ...tenant.people.OWNER, organizationId: tenant.organizationId };
    const client = { address: '127.0.0.1', limitKey: '127.0.0.1', userAgent: null, origin: null };
    const context = createContext({ ...house.resources, mailSender: null }, { requestId: newId(), client, viewer });
    const ask = (invited: object) => inviteMember(context, { ...invited, role: 'MEMBER', idempotencyKey: null });
    await expect(ask({ email: 'ada@example.org' })).rejects.toMatchObject({ code: 'MAIL_NOT_CONFIGURED' });
    await expect(ask({ address: newWallet().address })).resolves.toMatchObject({ replayed: false });
  });
});

describe('invitations', () => {
  it('are limited for each organization and for whoever is invited, and not used up by who may not invite', async () => {
    const [, other] = world.tenants as [Tenant, Tenant];
    const [admin, member] = [await tokenOf(house, other, 'ADMIN'), await tokenOf(house, other, 'MEMBER')];
    for (let attempt = 0; attempt < 9; attempt += 1) {
      const refused = await invite(house, member, { address: newWallet().address, role: 'MEMBER' });
      expect(refused.code).toBe('FORBIDDEN');
    }
    const { address } = newWallet();
    const codes: string[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1) {
      codes.push((await invite(house, admin, { address, role: 'MEMBER' })).code);
    }
    expect(codes).toEqual(['OK', 'OK', 'OK', 'OK', 'OK', 'RATE_LIMITED']);
    codes.length = 0;
    // what was refused was not counted
    for (let attempt = 0; attempt < 4; attempt += 1) {
      codes.push((await invite(house, admin, { address: newWallet().address, role: 'MEMBER' })).code);
    }
    expect(codes).toEqual(['OK', 'OK', 'OK', 'RATE_LIMITED']);
    const answer = await house.ask(
      `mutation { inviteMember(input: { address: "${newWallet().address}", role: MEMBER }) { replayed } }`,
      {},
      { token: admin },
    );
    expect([codeOf(answer), answer.status, Number(answer.headers.get('retry-after')) > 0]).toEqual([
      'RATE_LIMITED',
      429,
      true,
    ]);
  });
});
