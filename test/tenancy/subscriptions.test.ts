import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { keepSubscriptionDefaults } from '../../src/tenancy/commands/keepSubscriptionDefaults.ts';
import { purgeOrganizations } from '../../src/tenancy/jobs.ts';
import { mutate } from '../identity/linker.ts';
import { rowId, sql } from '../identity/visitor.ts';
import { type Person, signIn } from '../support/person.ts';
import { seedTenants, type Tenant, type TenantRole, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { tokenOf } from './memberChanges.ts';
import { codesOf, eventsOf, recordsOf } from './operatorHouse.ts';
import { enterOperator, makeLink, SUBSCRIPTION, subscribe, subscriptionOf } from './subscriber.ts';

const SETTINGS = {
  SUBSCRIPTION_DEFAULT_TIER: 'STARTER',
  SUBSCRIPTION_DEFAULT_MAX_MEMBERS: '4',
  SUBSCRIPTION_DEFAULT_MAX_LINKS: '5',
};
const GIVEN = { tier: 'STARTER', expiresAt: null, isExpired: false, maxMembers: 4, maxLinks: 5 };

let house: TestTollhouse;
let world: World;
let tenant: Tenant;
let operator: Person;
beforeAll(async () => {
  house = await startTollhouse({ settings: SETTINGS });
  world = await seedTenants(house.database.adminUrl, { tenants: 1 });
  operator = await enterOperator(house);
});
afterAll(() => house.stop());
beforeEach(async () => {
  [tenant] = (await seedTenants(house.database.adminUrl, { tenants: 1, world })).tenants as [Tenant];
});

const asRole = (role: TenantRole = 'OWNER'): Promise<string> => tokenOf(house, tenant, role);
const setTo = (input: object) => subscribe(house, operator.accessToken, tenant, input);
const userIdOf = ({ userId }: Person): string => rowId(userId);
const idOf = ({ organizationId }: Tenant): string => encodeGlobalId('Organization', organizationId);
/** Moves the end of the organization's subscription into the past. */
const endIt = () =>
  sql(house, `update organizations set subscription_expires_at = now() - interval '1 second' where id = $1`, [
    tenant.organizationId,
  ]);

describe('an organization without a subscription', () => {
  it('has what the installation gives, and each of its members sees it', async () => {
    for (const role of ['OWNER', 'ADMIN', 'MEMBER'] as const) {
      expect(await subscriptionOf(house, await asRole(role))).toEqual({ ...GIVEN, members: 3, links: 3 });
    }
    const founder = await signIn(house);
    expect(await subscriptionOf(house, founder.accessToken)).toEqual({ ...GIVEN, members: 1, links: 0 });
  });

  it('has at once what a process with other settings gives, and the same settings write nothing', async () => {
    const context = { database: house.resources.database, requestId: 'test' };
    const written = () => sql(house, 'select xmin::text from subscription_defaults');
    const before = await written();
    await keepSubscriptionDefaults(context, house.resources.environment);
    expect(await written()).toEqual(before);
    await keepSubscriptionDefaults(context, { SUBSCRIPTION_DEFAULT_TIER: 'open' });
    const open = { tier: 'open', maxMembers: null, maxLinks: null };
    expect(await subscriptionOf(house, await asRole())).toMatchObject(open);
    await keepSubscriptionDefaults(context, house.resources.environment);
    expect(await subscriptionOf(house, await asRole())).toMatchObject(GIVEN);
  });
});

describe('setSubscription', () => {
  it('is seen by members and operators at once', async () => {
    const given = { tier: 'Business-2', expiresAt: '2100-01-01T00:00:00.000Z', maxMembers: 50, maxLinks: 0 };
    const { code, data } = await setTo(given);
    const seen = { ...given, isExpired: false, members: 3, links: 3 };
    expect([code, data]).toEqual(['OK', { changed: true, organization: { subscription: seen } }]);
    expect(await subscriptionOf(house, await asRole('MEMBER'))).toEqual(seen);
  });

  it('is on record before it is done, told to the organization with what it has now, and audited', async () => {
    await setTo({ tier: 'TEAM', maxMembers: 9 });
    expect((await setTo({ tier: 'TEAM', maxMembers: 9, reason: 'again' })).data).toMatchObject({ changed: false });
    const { organizationId } = tenant;
    expect(await recordsOf(house, idOf(tenant))).toEqual(['SUBSCRIBE as agreed', 'SUBSCRIBE again']);
    expect(await eventsOf(house, idOf(tenant))).toEqual(['organization.subscription-changed']);
    const [{ data } = { data: {} }] = await sql(
      house,
      `select data - 'actionId' as data from events
       where organization_id = $1 and type = 'organization.subscription-changed'`,
      [organizationId],
    );
    expect(data).toEqual({ reason: 'as agreed', tier: 'TEAM', expiresAt: null, maxMembers: 9, maxLinks: null });
    const { data: told } = await house.ask<{ organization: { operatorActions: { edges: { node: object }[] } } }>(
      '{ organization { operatorActions { edges { node { deed reason } } } } }',
      {},
      { token: await asRole('ADMIN') },
    );
    expect(told?.organization.operatorActions.edges.map(({ node }) => node)).toEqual([
      { deed: 'SUBSCRIBE', reason: 'again' },
      { deed: 'SUBSCRIBE', reason: 'as agreed' },
    ]);
    const audited = await sql(
      house,
      `select after ->> 'subscription_tier' as tier from audit_entries
       where table_name = 'organizations' and row_id = $1 and verb = 'UPDATE'`,
      [organizationId],
    );
    expect(audited).toEqual([{ tier: 'TEAM' }]);
  });

  it('is given as a whole, and taken away again without a tier', async () => {
    await setTo({ tier: 'TEAM', maxMembers: 9, maxLinks: 9 });
    expect((await setTo({ tier: 'TEAM', maxLinks: 8 })).data?.organization.subscription).toMatchObject({
      maxMembers: null,
      maxLinks: 8,
    });
    expect((await setTo({})).data).toMatchObject({ changed: true, organization: { subscription: GIVEN } });
  });

  it.each([
    [{ tier: '' }, 'tier'],
    [{ tier: 'two words' }, 'tier'],
    [{ tier: 'x'.repeat(41) }, 'tier'],
    [{ tier: null, maxLinks: 3 }, 'tier'],
    [{ expiresAt: '2100-01-01T00:00:00Z' }, 'tier'],
    [{ tier: 'TEAM', maxMembers: 0 }, 'maxMembers'],
    [{ tier: 'TEAM', maxMembers: 1_000_001 }, 'maxMembers'],
    [{ tier: 'TEAM', maxLinks: -1 }, 'maxLinks'],
    [{ tier: 'TEAM', reason: ' ' }, 'reason'],
  ])('refuses %j for its %s, and leaves nothing', async (input, field) => {
    const { organizationId } = tenant;
    const { errors } = await house.ask(
      'mutation ($input: SetSubscriptionInput!) { setSubscription(input: $input) { changed } }',
      { input: { organizationId: idOf(tenant), reason: 'as agreed', ...input } },
      { token: operator.accessToken },
    );
    expect(errors.map(({ extensions }) => [extensions.code, extensions.facts?.field])).toEqual([
      ['BAD_USER_INPUT', field],
    ]);
    expect(await recordsOf(house, idOf(tenant))).toEqual([]);
    expect(
      await sql(house, 'select subscription_tier as tier from organizations where id = $1', [organizationId]),
    ).toEqual([{ tier: null }]);
  });

  it('is on record also where an operator asks the database by itself', async () => {
    const [session] = await sql(house, 'select id from sessions where user_id = $1', [userIdOf(operator)]);
    const scene = { kind: 'operator', sessionId: String(session?.id), freshSeconds: 600 } as const;
    const set = (requestId: string, words: string) =>
      house.resources.operatorDatabase
        ?.as({ ...scene, requestId })
        .write((tx) => [
          tx.$executeRawUnsafe(`update organizations set ${words} where id = '${tenant.organizationId}'`),
        ]);
    for (const words of [`subscription_tier = 'TEAM'`, `subscription_tier = 'TEAM', max_links = 9`]) {
      await expect(set('unheard-of', words)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    await setTo({ tier: 'TEAM' });
    const [record] = await sql(house, 'select request_id as id from operator_actions where organization_id = $1', [
      tenant.organizationId,
    ]);
    await expect(set('unheard-of', 'max_links = 9')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await set(String(record?.id), 'max_links = 9')).toEqual([1]);
  });

  it('is for operators alone, and of organizations that are there', async () => {
    for (const [token, code] of [
      [await asRole('OWNER'), 'FORBIDDEN'],
      [(await signIn(house)).accessToken, 'FORBIDDEN'],
      [undefined, 'UNAUTHENTICATED'],
    ] as const) {
      expect((await subscribe(house, token, tenant, { tier: 'TEAM' })).code).toBe(code);
    }
    expect(await recordsOf(house, idOf(tenant))).toEqual([]);
    await sql(house, 'update organizations set deleted_at = now() where id = $1', [tenant.organizationId]);
    expect((await setTo({ tier: 'TEAM' })).code).toBe('ORGANIZATION_UNKNOWN');
    const nobodys = { organizationId: '00000000-0000-7000-8000-000000000000' };
    expect((await subscribe(house, operator.accessToken, nobodys, { tier: 'TEAM' })).code).toBe('ORGANIZATION_UNKNOWN');
  });
});

describe('a subscription that has ended', () => {
  it('is what the installation gives from that moment on, and takes nothing away', async () => {
    await setTo({ tier: 'TEAM', expiresAt: '2100-01-01T00:00:00Z', maxMembers: 100, maxLinks: 100 });
    const made = { token: await asRole(), tenant, world };
    for (let count = 0; count < 4; count += 1) expect((await makeLink(house, made)).code).toBe('OK');
    await endIt();
    expect(await subscriptionOf(house, made.token)).toEqual({
      ...GIVEN,
      expiresAt: expect.any(String),
      isExpired: true,
      members: 3,
      links: 7,
    });
    expect((await makeLink(house, made)).code).toBe('LINK_LIMIT_REACHED');
    const { data } = await house.ask('query ($slug: String!) { checkout(slug: $slug) { title } }', {
      slug: tenant.links[0]?.slug,
    });
    expect(data).toMatchObject({ checkout: { title: expect.any(String) } });
    // what is given anew counts at once
    await setTo({ tier: 'TEAM', maxLinks: 8 });
    expect((await makeLink(house, made)).code).toBe('OK');
  });
});

describe('a purged organization', () => {
  it('keeps nothing of its subscription, but what is on record of it', async () => {
    await setTo({ tier: 'TEAM', expiresAt: '2100-01-01T00:00:00Z', maxMembers: 9, maxLinks: 9 });
    const { organizationId } = tenant;
    await sql(house, `update organizations set deleted_at = now() - interval '40 days' where id = $1`, [
      organizationId,
    ]);
    const { database, log } = house.resources;
    await purgeOrganizations({ database, log, requestId: 'test-worker' }, { retentionDays: 30 });
    const [row] = await sql(
      house,
      `select purged_at is not null as purged, subscription_tier, subscription_expires_at, max_members, max_links
       from organizations where id = $1`,
      [organizationId],
    );
    expect(row).toEqual({
      purged: true,
      subscription_tier: null,
      subscription_expires_at: null,
      max_members: null,
      max_links: null,
    });
    expect(await recordsOf(house, idOf(tenant))).toEqual(['SUBSCRIBE as agreed']);
    expect(await eventsOf(house, idOf(tenant))).toEqual(['organization.subscription-changed']);
  });
});

describe('what an organization may have', () => {
  it('is told of the one that the session works in, and of no other of one’s own', async () => {
    const token = await asRole();
    const founded = await mutate<{ organization: { subscription: object } }>(
      house,
      token,
      'createOrganization',
      { name: 'Second house' },
      `organization { ${SUBSCRIPTION} }`,
    );
    expect([founded.code, founded.data]).toEqual(['OK', { organization: { subscription: null } }]);
    const { data } = await house.ask<{ viewer: { memberships: { organization: object }[] } }>(
      '{ viewer { memberships { organization { subscription { maxMembers members links } } } } }',
      {},
      { token },
    );
    expect(data?.viewer.memberships.map(({ organization }) => organization)).toEqual([
      { subscription: { maxMembers: 4, members: 3, links: 3 } },
      { subscription: null },
    ]);
  });

  it('is told to an API key as far as it may see', async () => {
    const { data } = await mutate<{ key: string }>(
      house,
      await asRole(),
      'createApiKey',
      { name: 'Shop', kind: 'SERVICE', scopes: ['organization:read', 'payment-links:read'] },
      'key',
    );
    expect(await subscriptionOf(house, data?.key ?? '')).toEqual({ ...GIVEN, members: null, links: 3 });
  });

  it('cannot be said by who signs up, changes the organization, or has the gateway’s login', async () => {
    const update = `update organizations set max_members = 9 where id = '${tenant.organizationId}'`;
    const { database } = house.resources;
    const member = { kind: 'member', requestId: 'test', organizationId: tenant.organizationId } as const;
    const { sessionId } = tenant.people.OWNER;
    for (const scene of [
      { ...member, sessionId },
      { kind: 'identity', requestId: 'test' },
      { kind: 'worker', requestId: 'test' },
    ] as const) {
      const written = database.as(scene).write((tx) => [tx.$executeRawUnsafe(update)]);
      await expect(written).rejects.toMatchObject({ code: 'FORBIDDEN' });
      const defaults = database
        .as(scene)
        .write((tx) => [tx.$executeRawUnsafe("insert into subscription_defaults (tier) values ('x')")]);
      await expect(defaults).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
  });

  it('is asked of an operator with a fresh proof', async () => {
    const shift = (interval: string): Promise<unknown> =>
      sql(house, 'update sessions set proved_at = clock_timestamp() - $1::interval where user_id = $2', [
        interval,
        userIdOf(operator),
      ]);
    await shift('11 minutes');
    const token = operator.accessToken;
    expect((await setTo({ tier: 'TEAM' })).code).toBe('STEP_UP_REQUIRED');
    expect(codesOf(await house.ask('{ operator { __typename } }', {}, { token }))).toEqual(['STEP_UP_REQUIRED']);
    expect(await recordsOf(house, idOf(tenant))).toEqual([]);
    await shift('0 minutes');
  });
});
