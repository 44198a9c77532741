import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { DUE_UNITS, seedTenants, type Tenant, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { sealAll, sql } from './chains.ts';

interface Entry {
  readonly id: string;
  readonly table: string;
  readonly rowId: string;
  readonly verb: string;
  readonly role: string;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
  readonly user: { id: string; displayName: string } | null;
  readonly userId: string | null;
  readonly sessionId: string | null;
  readonly requestId: string | null;
  readonly seal: { position: string; hash: string; createdAt: string } | null;
  readonly createdAt: string;
}

interface Found {
  readonly entries: readonly Entry[];
  readonly pageInfo: { hasNextPage: boolean; endCursor: string | null };
  readonly codes: readonly string[];
}

const FIELDS = `id table rowId verb role before after user { id displayName } userId sessionId requestId
  seal { position hash createdAt } createdAt`;
const QUERY = `query ($first: Int, $after: String, $last: Int, $before: String, $filter: AuditFilter) { organization {
  auditEntries(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    edges { cursor node { ${FIELDS} } } pageInfo { hasNextPage endCursor }
  }
} }`;

let tollhouse: TestTollhouse;
let world: World;
let tenant: Tenant;
let other: Tenant;
const requestId = newId();

beforeAll(async () => {
  tollhouse = await startTollhouse();
  world = await seedTenants(tollhouse.database.adminUrl, { tenants: 2 });
  [tenant, other] = world.tenants as [Tenant, Tenant];
  const made = await tollhouse.ask(
    `mutation ($payTo: Address!, $asset: String!) {
      createPaymentLink(input: { title: "Tea", accepts: [{ asset: $asset, amount: "1.5", payTo: $payTo }] }) {
        paymentLink { id }
      }
    }`,
    { payTo: tenant.people.OWNER.address, asset: world.coin.caip19 },
    { token: await tokenOf('OWNER'), headers: { 'x-request-id': requestId } },
  );
  expect(made.errors).toEqual([]);
  await sealAll(tollhouse.database);
});
afterAll(() => tollhouse.stop());

async function tokenOf(role: keyof Tenant['people'], of = tenant): Promise<string> {
  return (await tollhouse.resources.tokens.issue({ ...of.people[role], organizationId: of.organizationId })).token;
}

async function list(variables: object = {}, role: keyof Tenant['people'] = 'OWNER', of = tenant): Promise<Found> {
  const { data, errors } = await tollhouse.ask<{
    organization: { auditEntries: { edges: { node: Entry }[]; pageInfo: Found['pageInfo'] } } | null;
  }>(QUERY, { ...variables }, { token: await tokenOf(role, of) });
  const page = data?.organization?.auditEntries;
  return {
    entries: page?.edges.map(({ node }) => node) ?? [],
    pageInfo: page?.pageInfo ?? { hasNextPage: false, endCursor: null },
    codes: errors.map(({ extensions }) => extensions.code),
  };
}

const count = async (condition: string): Promise<number> => {
  const [row] = await sql<{ count: number }>(
    tollhouse.database,
    `select count(*)::int as count from audit_entries where organization_id = $1 and ${condition}`,
    [tenant.organizationId],
  );
  return row?.count ?? 0;
};

describe('auditEntries', () => {
  it('says who did what in which request, the newest first, with the place in the chain', async () => {
    const { entries } = await list({ first: 2 });
    const { userId, sessionId } = tenant.people.OWNER;
    const [accept, link] = entries;
    expect(link).toMatchObject({
      table: 'payment_links',
      verb: 'INSERT',
      role: 'tollhouse_member',
      before: null,
      after: { title: 'Tea', created_by_id: userId },
      user: { id: encodeGlobalId('User', userId), displayName: `${tenant.marker} OWNER` },
      userId: encodeGlobalId('User', userId),
      sessionId: encodeGlobalId('Session', sessionId),
      requestId,
    });
    expect(link?.rowId).toBe(link?.after?.id);
    // more digits than a number of JavaScript has
    expect(accept).toMatchObject({ table: 'payment_link_accepts', requestId, after: { units: '1500000000000000000' } });
    expect(Number(accept?.seal?.position)).toBe(Number(link?.seal?.position) + 1);
    const [seal] = await sql<{ hash: string }>(
      tollhouse.database,
      `select '0x' || encode(hash, 'hex') as hash from audit_seals where organization_id = $1 and position = $2`,
      [tenant.organizationId, link?.seal?.position],
    );
    expect(link?.seal?.hash).toBe(seal?.hash);
    const orders = await list({ first: 1, filter: { table: 'payment_orders' } });
    expect(orders.entries[0]?.after?.due_units).toBe(DUE_UNITS);
    expect(orders.entries[0]).toMatchObject({
      role: 'none',
      user: null,
      userId: null,
      sessionId: null,
      requestId: null,
    });
  });

  it('comes in pages that together are all, forwards and backwards', async () => {
    const all = await list({ first: 100 });
    expect(all.entries.length).toBe(await count('true'));
    const moments = all.entries.map(({ createdAt }) => createdAt);
    expect(moments).toEqual([...moments].sort().reverse());
    const pages: Entry[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { entries, pageInfo }: Found = await list({ first: 7, after });
      pages.push(...entries);
      more = pageInfo.hasNextPage;
      after = pageInfo.endCursor;
    }
    expect(pages).toEqual(all.entries);
    expect((await list({ last: 3 })).entries).toEqual(all.entries.slice(-3));
    expect((await list({ first: 101 })).codes).toEqual(['BAD_USER_INPUT']);
    expect((await list({ after: 'x' })).codes).toEqual(['INVALID_CURSOR']);
  });

  it('finds those of a table, a row, a verb, a user, a request and a time', async () => {
    const link = tenant.links[0]?.id ?? '';
    const [newest] = (await list({ first: 1 })).entries;
    const moment = newest?.createdAt ?? '';
    const cases: readonly (readonly [object, string])[] = [
      [{ table: 'memberships' }, `table_name = 'memberships'`],
      [{ table: 'nothing' }, 'false'],
      [{ row: link }, `row_id = '${link}'`],
      [{ row: encodeGlobalId('PaymentLink', link) }, `row_id = '${link}'`],
      [{ row: newId() }, 'false'],
      [{ verb: 'INSERT' }, `verb = 'INSERT'`],
      [{ verb: 'DELETE' }, `verb = 'DELETE'`],
      [{ actor: encodeGlobalId('User', tenant.people.OWNER.userId) }, `user_id = '${tenant.people.OWNER.userId}'`],
      [{ actor: tenant.people.ADMIN.userId }, 'false'],
      [{ requestId }, `request_id = '${requestId}'`],
      [{ from: moment }, `created_at >= '${moment}'`],
      [{ to: moment }, `created_at < '${moment}'`],
      [{ from: moment, to: moment }, 'false'],
      [{ requestId, table: 'payment_links' }, `request_id = '${requestId}' and table_name = 'payment_links'`],
    ];
    for (const [filter, condition] of cases) {
      const { entries, codes } = await list({ first: 100, filter });
      expect([filter, codes, entries.length]).toEqual([filter, [], await count(condition)]);
    }
    for (const filter of [{ row: 'x' }, { actor: 'x' }, { table: '' }, { table: 'a\0b' }, { requestId: 'a b' }]) {
      expect([filter, (await list({ filter })).codes]).toEqual([filter, ['BAD_USER_INPUT']]);
    }
  });

  it('is for owners and admins, of their own organization', async () => {
    expect((await list({ first: 100 }, 'ADMIN')).entries).toEqual((await list({ first: 100 })).entries);
    expect((await list({}, 'MEMBER')).codes).toEqual(['FORBIDDEN']);
    expect(await tollhouse.ask(QUERY)).toMatchObject({ data: { organization: null }, errors: [] });
    const theirs = await list({ first: 100 }, 'OWNER', other);
    const own = new Set((await list({ first: 100 })).entries.map(({ id }) => id));
    expect(theirs.entries.length).toBeGreaterThan(5);
    expect(theirs.entries.filter(({ id }) => own.has(id))).toEqual([]);
    expect((await list({ filter: { row: other.links[0]?.id } })).entries).toEqual([]);
  });

  it('says that an entry is not sealed yet, until the worker seals it unasked', async () => {
    const { organizationId, links } = tenant;
    await sql(tollhouse.database, `update payment_links set title = 'y' where organization_id = $1 and id = $2`, [
      organizationId,
      links[0]?.id,
    ]);
    const newest = async (): Promise<Entry | undefined> => (await list({ first: 1 })).entries[0];
    expect(await newest()).toMatchObject({ verb: 'UPDATE', after: { title: 'y' } });
    while ((await newest())?.seal === null) await setTimeout(50);
    const [row] = await sql<{ head: string }>(
      tollhouse.database,
      'select max(position)::text as head from audit_seals where organization_id = $1',
      [organizationId],
    );
    expect((await newest())?.seal?.position).toBe(row?.head);
  });

  it('shows one entry by its global id, to those who may read it', async () => {
    const [entry] = (await list({ first: 1 })).entries;
    const node = async (role: keyof Tenant['people'], of = tenant): Promise<unknown> => {
      const { data, errors } = await tollhouse.ask<{ node: unknown }>(
        `query ($id: ID!) { node(id: $id) { ... on AuditEntry { ${FIELDS} } } }`,
        { id: entry?.id },
        { token: await tokenOf(role, of) },
      );
      expect(errors).toEqual([]);
      return data?.node;
    };
    expect(await node('OWNER')).toEqual(entry);
    expect(await node('MEMBER')).toBeNull();
    expect(await node('OWNER', other)).toBeNull();
  });
});

/** Columns that sound like secrets and are none, and why. */
const OPEN: Readonly<Record<string, string>> = {
  'blockchain_transactions.hash': 'the chain’s own, which everybody knows',
  'blockchain_transactions.block_hash': 'the chain’s own, which everybody knows',
  'provider_transactions.transaction_hash': 'the chain’s own, which everybody knows',
  'organization_domains.verification_token': 'to be published in the DNS',
};

describe('every audited table', () => {
  it('leaves out each column that sounds like a secret', async () => {
    const columns = await sql<{ name: string; left_out: boolean }>(
      tollhouse.database,
      `select c.relname || '.' || a.attname as name,
         a.attname::text = any (string_to_array(encode(t.tgargs, 'escape'), '\\000')) as left_out
       from pg_trigger t
       join pg_class c on c.oid = t.tgrelid
       join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where t.tgfoid = 'record_audit_entry'::regproc and a.attname ~ '(hash|secret|token|nonce|signature|password|key)'
       order by 1`,
    );
    const shown = columns.filter(({ left_out }) => !left_out).map(({ name }) => name);
    expect(shown.filter((name) => !(name in OPEN))).toEqual([]);
    expect(columns).toContainEqual({ name: 'payment_orders.client_hash', left_out: true });
  });
});
