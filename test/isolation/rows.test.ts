import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { newId } from '../../src/kernel/ids.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { insertRows, seedTenants, type Tenant, type World } from '../support/tenants.ts';
import { type Actor, act, actorsOf } from './actors.ts';

/**
 * How many rows each may see, of a world of three tenants; `-` where permission is denied. `slug` and `token` are
 * payers who came with the handle of a link or an order, `proved` has just proved its wallet, `inside` is the worker
 * inside one tenant. A table that is not here is not known to be isolated, and turns the test red.
 */
const VISIBLE = `
table                   all  login public slug token identity proved OWNER ADMIN MEMBER worker inside operator
organizations             3    -     0      1    1     0        1      1     1     1      -      -      3
memberships               9    -     -      -    -     0        1      3     3     3      -      -      9
users                     9    -     -      -    -     0        1      3     3     3      -      -      9
identities                9    -     -      -    -     0        1      1     1     1      -      -      9
sessions                  9    -     -      -    -     0        1      1     1     1      -      -      -
challenges                2    -     -      -    -     2        2      -     -     -      1      1      -
sign_in_attempts          3    -     -      -    -     -        -      -     -     -      -      -      3
rate_limits               2    -     -      -    -     -        -      -     -     -      1      1      -
handles                  18    -     -      -    -     -        -      -     -     -      -      -      -
chains                    1    -     1      1    1     -        -      1     1     1      1      1      1
chain_incarnations        1    -     1      1    1     -        -      1     1     1      1      1      1
assets                    1    -     1      1    1     -        -      1     1     1      1      1      1
chain_blocks              1    -     -      -    -     -        -      -     -     -      1      1      -
chain_transfers           3    -     -      -    -     -        -      -     -     -      3      3      -
watched_accounts          3    -     -      -    -     -        -      -     -     -      3      3      -
payment_links             9    -     0      1    0     -        -      3     3     3      -      -      9
payment_link_accepts      9    -     0      1    0     -        -      3     3     3      -      -      9
payment_orders            9    -     0      0    1     -        -      3     3     3      9      9      9
blockchain_transactions   9    -     0      0    1     -        -      3     3     3      0      3      9
payment_credits           9    -     0      0    1     -        -      3     3     3      0      3      9
event_epochs              1    -     -      -    -     -        -      -     -     -      -      -      -
events                    9    -     -      -    -     -        -      3     3     3      0      3      9
audit_entries            57    -     -      -    -     -        -     19    19     0      -      -     57
_prisma_migrations        1    -     -      -    -     -        -      -     -     -      -      -      -
`;

const [header = [], ...lines] = VISIBLE.trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/));
const tables = lines.map(([table]) => table ?? '');

/** What stands in one column, by table. */
function column(name: string): Record<string, string> {
  const place = header.indexOf(name);
  return Object.fromEntries(lines.map((line) => [line[0] ?? '', line[place] ?? '']));
}

let database: TestDatabase;
let world: World;
let one: Tenant;
let other: Tenant;

beforeAll(async () => {
  database = await freshDatabase();
  world = await seedTenants(database.adminUrl, { tenants: 3 });
  [one, other] = world.tenants as [Tenant, Tenant];
  await seedCommonTables();
});
afterAll(() => database.drop());

/** A row for each tenant, or one of each kind, in the tables that belong to nobody. */
async function seedCommonTables(): Promise<void> {
  const hash = (): string => `\\x${randomBytes(32).toString('hex')}`;
  const hex = (): string => `0x${randomBytes(32).toString('hex')}`;
  const ago = (days: number): Date => new Date(Date.now() - days * 86_400_000);
  const each = <Row>(make: (tenant: Tenant) => Row): Row[] => world.tenants.map(make);
  await withSession(database.adminUrl, async (client) => {
    await insertRows(
      client,
      'challenges',
      [ago(1), ago(-1)].map((expires_at) => ({ nonce_hash: hash(), purpose: 'SIGN_IN', expires_at })),
    );
    await insertRows(
      client,
      'sign_in_attempts',
      each(({ people }) => ({ outcome: 'OK', address: people.OWNER.address })),
    );
    await insertRows(
      client,
      'rate_limits',
      [ago(2), ago(0)].map((window_start) => ({ key_hash: hash(), window_start, hits: 1 })),
    );
    const { incarnationId: incarnation_id, chainId: chain_id, coin } = world;
    await insertRows(client, 'chain_blocks', [{ incarnation_id, number: 90, hash: hex(), parent_hash: hex() }]);
    await insertRows(
      client,
      'chain_transfers',
      each(({ people, transactions }) => ({
        incarnation_id,
        transaction_hash: transactions[0]?.hash,
        ordinal: -1,
        asset_id: coin.id,
        sender: people.MEMBER.address,
        recipient: people.OWNER.address,
        units: 1,
        input: '\\x',
        block_number: 90,
        block_hash: hex(),
        block_time: ago(0),
      })),
    );
    await insertRows(
      client,
      'watched_accounts',
      each(({ people }) => ({ chain_id, address: people.OWNER.address })),
    );
    await client.query("insert into event_epochs (epoch, system_identifier) values (1, 'here') on conflict do nothing");
  });
}

describe('rows', () => {
  it('are counted in every table that there is', async () => {
    const counted = await withSession(database.adminUrl, async (client) => {
      const { rows } = await client.query<{ table: string }>(`
        select c.relname as table from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')`);
      const counts: [string, string][] = [];
      for (const { table } of rows) {
        const { rows } = await client.query<{ count: string }>(`select count(*) from ${table}`);
        counts.push([table, rows[0]?.count ?? '']);
      }
      return Object.fromEntries(counts);
    });
    expect(counted).toEqual(column('all'));
  });

  it.each(header.slice(2))('are seen by %s as the table says', async (name) => {
    const seen: Record<string, string> = {};
    const tenants = new Set<unknown>();
    await act(database, actor(name), async (attempt) => {
      for (const table of tables) {
        const { code, rows } = await attempt(`select count(*) from ${table}`);
        seen[table] = code === '42501' ? '-' : (code ?? String(rows[0]?.count));
        const owned = await attempt(`select distinct organization_id from ${table}`);
        if (table !== 'payment_orders' || name !== 'inside')
          for (const row of owned.rows) tenants.add(row.organization_id);
      }
    });
    expect(seen).toEqual(column(name));
    if (!['worker', 'operator'].includes(name))
      expect([...tenants].filter((id) => id !== one.organizationId)).toEqual([]);
  });
});

/** Tables whose rows belong to a tenant or to somebody in it, and which of their rows are the other tenant's. */
const FOREIGN: Readonly<Record<string, (tenant: Tenant) => string>> = {
  organizations: ({ organizationId }) => `id = '${organizationId}'`,
  users: ({ people }) => `id = '${people.OWNER.userId}'`,
  identities: ({ people }) => `id = '${people.OWNER.identityId}'`,
  sessions: ({ people }) => `id = '${people.OWNER.sessionId}'`,
};
const foreignRow = (table: string): string =>
  (FOREIGN[table] ?? (({ organizationId }) => `organization_id = '${organizationId}'`))(other);

/** What must not be the same in a second row of the table. */
const UNIQUE: Readonly<Record<string, () => object>> = {
  organizations: () => ({ slug: `slug-${randomBytes(6).toString('hex')}` }),
  identities: () => ({ subject: newId() }),
  handles: () => ({ value_hash: `\\x${randomBytes(32).toString('hex')}` }),
};

function actor(name: string): Actor {
  return actorsOf(one).find((each) => each.name === name) as Actor;
}

describe('rows of another tenant', () => {
  let owned: { table: string; columns: string[]; row: Record<string, unknown> }[];

  beforeAll(async () => {
    owned = await withSession(database.adminUrl, async (client) => {
      const { rows: found } = await client.query<{ table: string; columns: string[] }>(`
        select c.relname as table, array_agg(a.attname::text) filter (where a.attidentity = '') as columns
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
        group by c.relname
        having bool_or(a.attname = 'organization_id') or c.relname = any ('{${Object.keys(FOREIGN)}}')`);
      const all = [];
      for (const { table, columns } of found) {
        const { rows } = await client.query(
          `select to_jsonb(t) as row from ${table} t where ${foreignRow(table)} limit 1`,
        );
        all.push({ table, columns, row: rows[0].row });
      }
      return all;
    });
  });

  /** Everything that the other tenant has. */
  const snapshot = (): Promise<unknown> =>
    withSession(database.adminUrl, async (client) => {
      const all = [];
      for (const { table } of owned) {
        all.push(
          (await client.query(`select t::text as row, xmin from ${table} t where ${foreignRow(table)} order by 1`))
            .rows,
        );
      }
      return all;
    });

  it('are there to be attacked', () => {
    expect(owned.map(({ table }) => table).sort()).toEqual(
      [
        ...Object.keys(FOREIGN),
        'memberships',
        'handles',
        'payment_links',
        'payment_link_accepts',
        'payment_orders',
        'blockchain_transactions',
        'payment_credits',
        'events',
        'audit_entries',
      ].sort(),
    );
  });

  it.each(header.slice(2))('are neither added to, changed nor deleted by %s', async (name) => {
    const before = await snapshot();
    const wrong: unknown[] = [];
    await act(database, actor(name), async (attempt) => {
      for (const { table, columns, row } of owned) {
        const copy = {
          ...row,
          ...UNIQUE[table]?.(),
          id: newId(),
          user_id: table === 'memberships' ? one.people.ADMIN.userId : row.user_id,
        };
        const inserted = await attempt(
          `insert into ${table} (${columns}) select ${columns} from jsonb_populate_record(null::${table}, $1)`,
          [JSON.stringify(copy)],
        );
        if (inserted.code !== '42501') wrong.push([name, 'insert', table, inserted]);

        const { rows } = await attempt(
          `select column_name::text as name from unnest($1::text[]) as column_name
           where has_column_privilege(current_user, $2, column_name, 'update')`,
          [columns, table],
        );
        const permitted = rows.map(({ name }) => String(name));
        const changes = (permitted.length > 0 ? permitted : columns).map((each) => `${each} = ${each}`);
        for (const [verb, text] of [
          ['update', `update ${table} set ${changes} where ${foreignRow(table)}`],
          ['delete', `delete from ${table} where ${foreignRow(table)}`],
        ] as const) {
          const { code, count } = await attempt(text);
          const refused =
            code === '42501' || (verb === 'update' && permitted.length > 0 && code === null && count === 0);
          if (!refused) wrong.push([name, verb, table, code, count]);
        }
      }
    });
    expect(wrong).toEqual([]);
    expect(await snapshot()).toEqual(before);
  });
});
