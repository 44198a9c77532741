import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { signIn } from '../support/person.ts';
import { seedTenants, type Tenant, type TenantRole } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

let tollhouse: TestTollhouse;
let one: Tenant;
let other: Tenant;

beforeAll(async () => {
  tollhouse = await startTollhouse();
  const { tenants } = await seedTenants(tollhouse.database.adminUrl, { tenants: 2 });
  [one, other] = tenants as [Tenant, Tenant];
});
afterAll(() => tollhouse.stop());

const sql = <Row>(text: string, values: unknown[] = []): Promise<Row[]> => tollhouse.database.sql(text, values);

const viewerOf = (tenant: Tenant, role: TenantRole) => ({
  ...tenant.people[role],
  organizationId: tenant.organizationId,
});
const tokenOf = async (tenant: Tenant, role: TenantRole): Promise<string> =>
  (await tollhouse.resources.tokens.issue(viewerOf(tenant, role))).token;

const VIEWER = '{ viewer { user { id displayName } organization { id name slug } role } organization { id name } }';

describe('an organization', () => {
  it('is founded with its first owner when somebody signs up, and is theirs the next time', async () => {
    const person = await signIn(tollhouse);
    const { data } = await tollhouse.ask<{ viewer: { organization: { name: string; slug: string }; role: string } }>(
      VIEWER,
      {},
      { token: person.accessToken },
    );
    expect(data?.viewer).toMatchObject({ organization: { id: person.organizationId }, role: 'OWNER' });
    expect(data?.viewer.organization.slug).toMatch(/^org-[0-9a-f]{10}$/);
    expect(data?.viewer.organization.name).toMatch(/’s organization$/);
    const again = await signIn(tollhouse, person.account);
    expect(again).toMatchObject({ organizationId: person.organizationId, userId: person.userId });
    const events = await sql<{ type: string }>(
      `select type from events e join identities i on e.actor = 'user:' || i.user_id where i.address = $1 order by type`,
      [person.account.address.toLowerCase()],
    );
    expect(events.map(({ type }) => type)).toEqual(['organization.created', 'user.signed-up']);
  });

  it.each(['OWNER', 'ADMIN', 'MEMBER'] as const)('is shown to its %s, with the role', async (role) => {
    const { data } = await tollhouse.ask(VIEWER, {}, { token: await tokenOf(one, role) });
    expect(data).toEqual({
      viewer: {
        user: { id: encodeGlobalId('User', one.people[role].userId), displayName: `${one.marker} ${role}` },
        organization: { id: encodeGlobalId('Organization', one.organizationId), name: one.marker, slug: one.marker },
        role,
      },
      organization: { id: encodeGlobalId('Organization', one.organizationId), name: one.marker },
    });
  });

  it('is nobody’s without a session', async () => {
    expect((await tollhouse.ask(VIEWER)).data).toEqual({ viewer: null, organization: null });
  });

  it('cannot be had by a token that names it for a session of another', async () => {
    const { token } = await tollhouse.resources.tokens.issue({
      ...viewerOf(one, 'OWNER'),
      organizationId: other.organizationId,
    });
    const answer = await tollhouse.ask(VIEWER, {}, { token });
    expect(answer.errors.map(({ extensions }) => extensions.code)).toContain('MEMBERSHIP_ENDED');
    expect(JSON.stringify(answer)).not.toContain(other.marker);
  });

  it('shows its members to each other by name, and their wallets to nobody else', async () => {
    const id = encodeGlobalId('User', one.people.ADMIN.userId);
    const ask = async (tenant: Tenant, role: TenantRole) =>
      (
        await tollhouse.ask(
          'query ($id: ID!) { node(id: $id) { ... on User { displayName wallets { address } } } }',
          { id },
          { token: await tokenOf(tenant, role) },
        )
      ).data?.node;
    expect(await ask(one, 'MEMBER')).toEqual({ displayName: `${one.marker} ADMIN`, wallets: [] });
    expect(await ask(one, 'ADMIN')).toMatchObject({ wallets: [{ address: expect.stringMatching(/^0x/) }] });
    expect(await ask(other, 'OWNER')).toBeNull();
  });

  it.each([
    ['ORGANIZATION_SUSPENDED', "update organizations set status = 'SUSPENDED' where id = $1"],
    ['MEMBERSHIP_ENDED', 'update organizations set deleted_at = now() where id = $1'],
  ])('answers %s to its members and nothing to payers of its links from then on', async (code, change) => {
    const world = await seedTenants(tollhouse.database.adminUrl, { tenants: 1, world: await existingWorld() });
    const [tenant] = world.tenants as [Tenant];
    const token = await tokenOf(tenant, 'OWNER');
    const checkout = () =>
      tollhouse.ask('query ($slug: String!) { checkout(slug: $slug) { title } }', { slug: tenant.links[0]?.slug });
    expect((await tollhouse.ask('{ organization { name } }', {}, { token })).data).not.toBeNull();
    expect((await checkout()).data?.checkout).not.toBeNull();
    await sql(change, [tenant.organizationId]);
    const refused = await tollhouse.ask('{ organization { name } }', {}, { token });
    expect(refused.errors.map(({ extensions }) => extensions.code)).toEqual([code]);
    expect(await checkout()).toMatchObject({ data: { checkout: null }, errors: [] });
  });
});

/** What the first seed shares, so that more tenants can be added to it. */
async function existingWorld() {
  const [{ incarnationId = '', coinId = '', caip19 = '' } = {}] = await sql<Record<string, string>>(
    'select i.id as "incarnationId", a.id as "coinId", a.caip19 from chain_incarnations i join assets a using (chain_id)',
  );
  return { tenants: [], chainId: 31_337, incarnationId, coin: { id: coinId, caip19 } };
}

describe('a member', () => {
  it('of two organizations is in each what each says, and sees in each only what is its', async () => {
    await sql('insert into memberships (organization_id, user_id, role) values ($1, $2, $3)', [
      other.organizationId,
      one.people.OWNER.userId,
      'MEMBER',
    ]);
    const { token } = await tollhouse.resources.tokens.issue({
      ...viewerOf(one, 'OWNER'),
      organizationId: other.organizationId,
    });
    const there = await tollhouse.ask(
      '{ viewer { organization { name } role } organization { paymentLinks { edges { node { title } } } } }',
      {},
      { token },
    );
    expect(there.errors).toEqual([]);
    expect(there.data).toMatchObject({ viewer: { organization: { name: other.marker }, role: 'MEMBER' } });
    expect(JSON.stringify(there.data)).not.toContain(one.marker);
    const here = await tollhouse.ask(
      '{ viewer { organization { name } role } }',
      {},
      { token: await tokenOf(one, 'OWNER') },
    );
    expect(here.data).toEqual({ viewer: { organization: { name: one.marker }, role: 'OWNER' } });
  });
});
