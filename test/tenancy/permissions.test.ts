import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PERMISSIONS, type PermissionDefinition, ROLES } from '../../src/kernel/permissions.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';

let database: TestDatabase;
let tenant: Tenant;

beforeAll(async () => {
  database = await freshDatabase();
  [tenant] = (await seedTenants(database.adminUrl, { tenants: 1 })).tenants as [Tenant];
});
afterAll(() => database.drop());

const PERMISSION_NAMES = Object.keys(PERMISSIONS);

async function read<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
  return database.sql(text, values);
}

describe('the table of permissions', () => {
  it.each(ROLES)('says of %s what the database says', async (role) => {
    const mine = Object.entries<PermissionDefinition>(PERMISSIONS).filter(([, { roles }]) => roles.includes(role));
    const [{ said = '' } = {}] = await read<{ said: string }>('select permissions_of($1) as said', [role]);
    expect(said.split(' ')).toEqual(mine.map(([name]) => name));
  });

  it('knows of no role that the database has not, and of all that it has', async () => {
    const rows = await read<{ role: string }>('select unnest(enum_range(null::membership_role))::text as role');
    expect(rows.map(({ role }) => role)).toEqual([...ROLES]);
  });

  it('has what policies and functions ask for, and nothing else', async () => {
    const rows = await read<{ text: string }>(`
      select concat(qual, ' ', with_check) as text from pg_policies
      union all
      select prosrc from pg_proc where pronamespace = 'public'::regnamespace and proname <> 'permissions_of'`);
    const asked = rows.flatMap(({ text }) => [...text.matchAll(/'([a-z-]+:(?:read|write))'/g)].map(([, name]) => name));
    expect([...new Set(asked)].sort()).toEqual([...PERMISSION_NAMES].sort());
  });
});

/** Runs statements as whoever has these permissions and no user; each says how many rows, or why not. */
async function asKey(permissions: string, statements: readonly string[]): Promise<(number | string)[]> {
  const client = new pg.Client({ connectionString: database.gatewayUrl });
  await client.connect();
  const outcomes: (number | string)[] = [];
  try {
    for (const statement of statements) {
      await client.query('begin');
      await client.query(
        `select set_config('role', 'tollhouse_member', true), set_config('app.organization_id', $1, true),
           set_config('app.permissions', $2, true)`,
        [tenant.organizationId, permissions],
      );
      outcomes.push(
        await client.query(statement).then(
          ({ rowCount }) => rowCount ?? 0,
          (error: pg.DatabaseError) => error.code ?? '',
        ),
      );
      await client.query('rollback');
    }
  } finally {
    await client.end();
  }
  return outcomes;
}

/** What each permission to read shows, of a tenant with three members, links, orders and a domain. */
const READS: Readonly<Record<string, readonly string[]>> = {
  'organization:read': ['organization_domains', 'store_configurations'],
  'members:read': ['memberships', 'users'],
  'payment-links:read': ['payment_links', 'payment_link_accepts'],
  'payments:read': ['payment_orders', 'payment_credits', 'blockchain_transactions'],
  'audit:read': ['audit_entries'],
};
const TABLES = Object.values(READS).flat();

describe('whoever has one permission', () => {
  it.each(Object.entries(READS))('%s, reads what it is for and nothing of the rest', async (permission, own) => {
    const seen = await asKey(
      permission,
      TABLES.map((table) => `select from ${table}`),
    );
    expect(TABLES.filter((_, index) => Number(seen[index]) > 0)).toEqual(own);
  });

  it('reads nothing at all by one to write', async () => {
    const writes = PERMISSION_NAMES.filter((name) => name.endsWith(':write')).join(' ');
    expect(
      await asKey(
        writes,
        TABLES.map((table) => `select from ${table}`),
      ),
    ).toEqual(TABLES.map(() => 0));
  });

  it('writes nothing by all those to read, whatever the statement', async () => {
    const reads = PERMISSION_NAMES.filter((name) => name.endsWith(':read')).join(' ');
    const { organizationId, people, links } = tenant;
    const statements = [
      `insert into payment_links (organization_id, slug, title, created_by_id)
       values ('${organizationId}', 'a-slug-of-nobody', 'x', '${people.OWNER.userId}')`,
      `insert into handles (organization_id, kind, value_hash, target_id)
       values ('${organizationId}', 'payment-link', sha256('x'), '${links[0]?.id}')`,
      `insert into memberships (organization_id, user_id, role)
       values ('${organizationId}', '${people.OWNER.userId}', 'MEMBER')`,
      `update memberships set role = 'MEMBER'`,
      `update organizations set name = 'x'`,
      `update organization_settings set require_step_up = false`,
      `delete from organization_domains`,
      `update payment_orders set status = 'PAID'`,
    ];
    expect(await asKey(reads, statements)).toEqual(['42501', '42501', '42501', 0, 0, 0, 0, '42501']);
  });
});
