import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { act, codesOf, eventsOf, grant, idOf, NOBODYS, operatorCommand, recordsOf, rowsOf } from './operatorHouse.ts';

let tollhouse: TestTollhouse;
let operator: Person;
let stranger: Person;
let tenant: Tenant;
let tenantId: string;
let owner: { token: string };
let member: { token: string };

beforeAll(async () => {
  tollhouse = await startTollhouse();
  operator = await signIn(tollhouse);
  stranger = await signIn(tollhouse);
  const world = await seedTenants(tollhouse.database.adminUrl, { tenants: 1 });
  tenant = world.tenants[0] as Tenant;
  const { organizationId, people } = tenant;
  tenantId = encodeGlobalId('Organization', organizationId);
  const { tokens } = tollhouse.resources;
  owner = await tokens.issue({ ...people.OWNER, organizationId });
  member = await tokens.issue({ ...people.MEMBER, organizationId });
  expect(await grant(tollhouse, operator)).toMatch(/ is an operator now\.$/);
});
afterAll(() => tollhouse.stop());

const LIST = `query ($filter: OperatedOrganizationFilter, $first: Int, $after: String) {
  operator { organizations(filter: $filter, first: $first, after: $after) {
    edges { node { id name slug status contactEmail createdAt deletedAt } } pageInfo { hasNextPage endCursor }
  } }
}`;

interface Listed {
  readonly operator: {
    readonly organizations: {
      readonly edges: { readonly node: { readonly id: string; readonly slug: string; readonly status: string } }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
    };
  };
}

async function list(filter: object = {}, page: object = {}): Promise<Listed['operator']['organizations']> {
  const { data, errors } = await tollhouse.ask<Listed>(LIST, { filter, ...page }, { token: operator.accessToken });
  expect(errors).toEqual([]);
  return (data as Listed).operator.organizations;
}

const idsOf = ({ edges }: Listed['operator']['organizations']): string[] => edges.map(({ node }) => node.id);

describe('whoever is no operator', () => {
  const SEEN = `{ operator {
    organizations { edges { node { id } } } organization(id: "${NOBODYS}") { id } actions { edges { node { id } } }
  } }`;

  it('sees nothing, and is told nothing', async () => {
    for (const token of [stranger.accessToken, owner.token, undefined]) {
      const answer = await tollhouse.ask(SEEN, {}, token === undefined ? {} : { token });
      expect([answer.data, answer.errors]).toEqual([{ operator: null }, []]);
    }
    expect((await tollhouse.ask(SEEN, {}, { token: operator.accessToken })).data).toMatchObject({
      operator: { organization: null },
    });
  });

  it.each(['suspendOrganization', 'restoreOrganization', 'impersonate'] as const)(
    'cannot %s, and leaves no record, not even in the own organization',
    async (deed) => {
      for (const organizationId of [tenantId, stranger.organizationId, NOBODYS, 'x']) {
        const asked = { deed, organizationId };
        expect(codesOf(await act(tollhouse, { ...asked, token: stranger.accessToken }))).toEqual(['FORBIDDEN']);
        expect(codesOf(await act(tollhouse, { ...asked, token: undefined }))).toEqual(['UNAUTHENTICATED']);
      }
      expect(await rowsOf(tollhouse, 'select from operator_actions')).toEqual([]);
    },
  );

  it('does not become one by the gateway’s login: neither its role nor its door is open to that', async () => {
    const session = newId();
    await withSession(tollhouse.database.gatewayUrl, async (client) => {
      await expect(client.query('set role tollhouse_operator')).rejects.toThrow('permission denied');
      await expect(client.query('select enter_operator($1, 600)', [session])).rejects.toThrow('permission denied');
      await expect(client.query('select from operators')).rejects.toThrow('permission denied');
    });
  });

  it('by the operator’s login is nobody before it has entered', async () => {
    await withSession(tollhouse.database.operatorUrl, async (client) => {
      await expect(client.query('select from organizations')).rejects.toThrow('permission denied');
      await expect(client.query('select enter_operator($1, 600)', [newId()])).rejects.toThrow('the session has ended');
    });
  });
});

describe('an operator', () => {
  it('sees the organizations of everybody, page by page', async () => {
    const all = await list();
    expect(idsOf(all)).toEqual(expect.arrayContaining([tenantId, stranger.organizationId, operator.organizationId]));
    const first = await list({}, { first: 1 });
    expect(first.pageInfo.hasNextPage).toBe(true);
    const rest = await list({}, { first: 10, after: first.pageInfo.endCursor });
    expect([...idsOf(first), ...idsOf(rest)]).toEqual(idsOf(all));
  });

  it('finds them by words, status and time, and nothing where nothing fits', async () => {
    expect(idsOf(await list({ text: tenant.marker.toUpperCase() }))).toEqual([tenantId]);
    expect(idsOf(await list({ text: '%' }))).toEqual([]);
    expect(idsOf(await list({ status: 'SUSPENDED' }))).toEqual([]);
    expect(idsOf(await list({ text: tenant.marker, status: 'ACTIVE' }))).toEqual([tenantId]);
    expect(idsOf(await list({ createdFrom: '2100-01-01T00:00:00Z' }))).toEqual([]);
    expect(
      (await list({ createdFrom: '2000-01-01T00:00:00Z', createdBefore: '2100-01-01T00:00:00Z' })).edges.length,
    ).toBe(3);
  });

  it('needs a proof that is minutes old, whatever it asks', async () => {
    const shift = (interval: string): Promise<unknown> =>
      rowsOf(tollhouse, 'update sessions set proved_at = clock_timestamp() - $1::interval where user_id = $2', [
        interval,
        idOf(operator.userId),
      ]);
    await shift('11 minutes');
    const token = operator.accessToken;
    expect(codesOf(await tollhouse.ask('{ operator { __typename } }', {}, { token }))).toEqual(['STEP_UP_REQUIRED']);
    const refused = await act(tollhouse, { token, deed: 'suspendOrganization', organizationId: tenantId });
    expect(codesOf(refused)).toEqual(['STEP_UP_REQUIRED']);
    expect(await recordsOf(tollhouse, tenantId)).toEqual([]);
    // whoever is none is not told that a proof would help
    await rowsOf(
      tollhouse,
      "update sessions set proved_at = clock_timestamp() - interval '11 minutes' where user_id = $1",
      [idOf(stranger.userId)],
    );
    const none = await tollhouse.ask('{ operator { __typename } }', {}, { token: stranger.accessToken });
    expect([none.data, none.errors]).toEqual([{ operator: null }, []]);
    await shift('0 minutes');
    expect((await tollhouse.ask('{ operator { __typename } }', {}, { token })).errors).toEqual([]);
  });

  it('is none in a session that is bound to an organization’s own domain', async () => {
    await rowsOf(tollhouse, 'alter table sessions disable trigger sessions_check_binding');
    const bind = (domain: string | null): Promise<unknown> =>
      rowsOf(tollhouse, 'update sessions set domain_id = $1 where user_id = $2', [domain, idOf(operator.userId)]);
    await bind(tenant.domain.id);
    const { errors } = await tollhouse.ask('{ operator { __typename } }', {}, { token: operator.accessToken });
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
    await bind(null);
    await rowsOf(tollhouse, 'alter table sessions enable trigger sessions_check_binding');
  });

  it('names an organization that is there, with a reason that can be read', async () => {
    const token = operator.accessToken;
    const deed = 'suspendOrganization';
    for (const organizationId of [NOBODYS, 'x', encodeGlobalId('User', idOf(tenantId))]) {
      expect(codesOf(await act(tollhouse, { token, deed, organizationId }))).toEqual(['ORGANIZATION_UNKNOWN']);
    }
    for (const reason of ['', '   ', 'x'.repeat(501)]) {
      const refused = await act(tollhouse, { token, deed, organizationId: tenantId, reason });
      expect(codesOf(refused)).toEqual(['BAD_USER_INPUT']);
    }
    expect(await rowsOf(tollhouse, 'select from operator_actions')).toEqual([]);
  });
});

describe('a suspended organization', () => {
  const deeds = (deed: 'suspendOrganization' | 'restoreOrganization', reason: string) =>
    act(tollhouse, { token: operator.accessToken, deed, organizationId: tenantId, reason });
  const CHECKOUT = 'query ($slug: String!) { checkout(slug: $slug) { title } }';
  const ORDER = 'query ($token: String!) { checkoutOrder(token: $token) { status } }';

  it('is closed to its members with the next statement, and to payers, but not to who is paying already', async () => {
    expect((await tollhouse.ask('{ organization { name } }', {}, owner)).errors).toEqual([]);
    const { data, errors } = await deeds('suspendOrganization', 'fraud');
    expect(errors).toEqual([]);
    expect(data).toEqual({
      suspendOrganization: { changed: true, organization: { id: tenantId, status: 'SUSPENDED' } },
    });
    for (const { token } of [owner, member]) {
      const refused = await tollhouse.ask('{ organization { name } }', {}, { token });
      expect(codesOf(refused)).toEqual(['ORGANIZATION_SUSPENDED']);
    }
    expect((await tollhouse.ask(CHECKOUT, { slug: tenant.links[0]?.slug })).data).toEqual({ checkout: null });
    expect((await tollhouse.ask(ORDER, { token: tenant.orders[0]?.token })).data).toEqual({
      checkoutOrder: { status: 'CREATED' },
    });
    expect((await tollhouse.ask('{ organization { name } }', {}, { token: stranger.accessToken })).errors).toEqual([]);
  });

  it('is suspended once, and on record as often as it was asked', async () => {
    expect((await deeds('suspendOrganization', 'again')).data).toMatchObject({
      suspendOrganization: { changed: false },
    });
    expect(await recordsOf(tollhouse, tenantId)).toEqual(['SUSPEND fraud', 'SUSPEND again']);
    expect(await eventsOf(tollhouse, tenantId)).toEqual(['organization.suspended']);
  });

  it('is found as such, and open again once it is restored', async () => {
    expect(idsOf(await list({ status: 'SUSPENDED' }))).toEqual([tenantId]);
    expect((await deeds('restoreOrganization', 'a mistake')).data).toMatchObject({
      restoreOrganization: { changed: true, organization: { status: 'ACTIVE' } },
    });
    expect((await tollhouse.ask('{ organization { name } }', {}, owner)).errors).toEqual([]);
    expect((await tollhouse.ask(CHECKOUT, { slug: tenant.links[0]?.slug })).data).toMatchObject({ checkout: {} });
    expect(await eventsOf(tollhouse, tenantId)).toEqual(['organization.suspended', 'organization.restored']);
  });

  it('shows what was done to it to those who may read its audit, and to nobody else', async () => {
    const query = `{ organization { operatorActions(first: 5) { edges { node {
      deed reason operatorId operatorName organizationId expiresAt requestId
    } } } } }`;
    const { data, errors } = await tollhouse.ask(query, {}, owner);
    expect(errors).toEqual([]);
    const [name] = await rowsOf(tollhouse, 'select display_name as name from users where id = $1', [
      idOf(operator.userId),
    ]);
    const shown = (deed: string, reason: string): object => ({
      node: {
        deed,
        reason,
        operatorId: operator.userId,
        operatorName: name?.name,
        organizationId: tenantId,
        expiresAt: null,
        requestId: expect.any(String),
      },
    });
    expect(data).toEqual({
      organization: {
        operatorActions: {
          edges: [shown('RESTORE', 'a mistake'), shown('SUSPEND', 'again'), shown('SUSPEND', 'fraud')],
        },
      },
    });
    const nothing = { organization: { operatorActions: { edges: [] } } };
    expect((await tollhouse.ask(query, {}, member)).data).toEqual(nothing);
    expect((await tollhouse.ask(query, {}, { token: stranger.accessToken })).data).toEqual(nothing);
  });

  it('and operators see it, wherever it was', async () => {
    const query = '{ operator { actions(last: 1) { edges { node { deed reason organizationId } } } } }';
    expect((await tollhouse.ask(query, {}, { token: operator.accessToken })).data).toEqual({
      operator: { actions: { edges: [{ node: { deed: 'SUSPEND', reason: 'fraud', organizationId: tenantId } }] } },
    });
  });

  it('keeps on record what failed after it was asked', async () => {
    await rowsOf(tollhouse, 'revoke update (status) on organizations from tollhouse_operator');
    expect(codesOf(await deeds('suspendOrganization', 'in vain'))).toEqual(['FORBIDDEN']);
    await rowsOf(tollhouse, 'grant update (status) on organizations to tollhouse_operator');
    expect((await recordsOf(tollhouse, tenantId)).at(-1)).toBe('SUSPEND in vain');
    expect((await eventsOf(tollhouse, tenantId)).at(-1)).toBe('organization.restored');
    expect((await tollhouse.ask('{ organization { name } }', {}, owner)).errors).toEqual([]);
  });

  it('is audited by the database, row by row, under the operator’s name', async () => {
    const rows = await rowsOf(
      tollhouse,
      `select table_name || ' ' || verb as line, user_id as "userId", role from audit_entries
       where organization_id = $1 and role = 'tollhouse_operator' order by created_at, id`,
      [idOf(tenantId)],
    );
    expect(rows.map(({ line }) => line).filter((line) => line === 'organizations UPDATE')).toHaveLength(2);
    expect(rows.filter(({ line }) => line === 'operator_actions INSERT')).toHaveLength(4);
    expect(new Set(rows.map(({ userId }) => userId))).toEqual(new Set([idOf(operator.userId)]));
  });
});

describe('being an operator', () => {
  const command = (...words: readonly string[]): Promise<string> => operatorCommand(tollhouse.database, ...words);

  it('is given once, on record with who gave it and why', async () => {
    expect(await grant(tollhouse, operator)).toMatch(/ is an operator already\.$/);
    expect(await command('list')).toMatch(new RegExp(`^${operator.account.address}  .* by \\S+@\\S+: on duty$`));
    expect(await rowsOf(tollhouse, 'select user_id from operators')).toEqual([{ user_id: idOf(operator.userId) }]);
  });

  it('is not given to a wallet that nobody has, nor without a reason', async () => {
    expect(await command('grant', '--wallet', `0x${'1'.repeat(40)}`, '--reason', 'x')).toContain(
      'Nobody has signed in',
    );
    expect(await command('grant', '--wallet', 'x', '--reason', 'x')).toContain('A wallet is 0x and forty');
    expect(await command('grant', '--wallet', operator.account.address)).toContain('Say one of:');
    expect(await command('dance')).toContain('Say one of:');
  });

  it('ends with the next statement, and leaves its trace', async () => {
    const { address } = operator.account;
    expect(await command('revoke', '--wallet', address, '--reason', 'left')).toMatch(/ is no operator any more\.$/);
    const { data, errors } = await tollhouse.ask('{ operator { __typename } }', {}, { token: operator.accessToken });
    expect([data, errors]).toEqual([{ operator: null }, []]);
    const refused = await act(tollhouse, {
      token: operator.accessToken,
      deed: 'suspendOrganization',
      organizationId: tenantId,
    });
    expect(codesOf(refused)).toEqual(['FORBIDDEN']);
    expect(await command('list')).toMatch(/ revoked \S+ by \S+@\S+: left$/);
    expect(await command('revoke', '--wallet', address, '--reason', 'left')).toMatch(/ is no operator\.$/);
    expect(await grant(tollhouse, operator)).toMatch(/ is an operator now\.$/);
    expect(await rowsOf(tollhouse, 'select from operators')).toHaveLength(2);
  });
});

describe('an installation without a login for operators', () => {
  it('says so, whatever is asked of the operator, and serves everybody else', async () => {
    const plain = await startTollhouse({ operators: false });
    try {
      const { accessToken: token, organizationId } = await signIn(plain);
      expect(codesOf(await plain.ask('{ operator { __typename } }', {}, { token }))).toEqual([
        'OPERATOR_NOT_CONFIGURED',
      ]);
      expect(codesOf(await act(plain, { token, deed: 'impersonate', organizationId }))).toEqual([
        'OPERATOR_NOT_CONFIGURED',
      ]);
      expect(
        (await plain.ask('{ organization { name } impersonation { action { id } } }', {}, { token })).errors,
      ).toEqual([]);
    } finally {
      await plain.stop();
    }
  });
});
