import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { WITHOUT_TENANT } from './withoutTenant.ts';

// A distributed PostgreSQL shards by a column that is in every key of every table; the tables without a tenant are
// copied to each node. docs/operations.md tells an operator how, and is held to the catalog here.

let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

async function read<Row>(text: string): Promise<Row[]> {
  return database.sql(text);
}

const COLUMNS = (key: string, of: string): string => `array(
  select attname::text from unnest(${key}::int[]) with ordinality as place (n, i)
  join pg_attribute on attrelid = ${of} and attnum = n order by i
)`;

describe('every table of a tenant can be sharded by its tenant', () => {
  it.each(['primary', 'unique'])('because organization_id leads each %s key', async (kind) => {
    const keys = await read<{ table: string; key: string; columns: string[] }>(`
      select indrelid::regclass::text as table, indexrelid::regclass::text as key, ${COLUMNS('indkey', 'indrelid')} as columns
      from pg_index join pg_class c on c.oid = indrelid
      where c.relnamespace = 'public'::regnamespace and ${kind === 'primary' ? 'indisprimary' : 'indisunique'}`);
    const sharded = keys.filter(({ table }) => !(table in WITHOUT_TENANT));
    expect(sharded.length).toBeGreaterThan(6);
    expect(sharded.filter(({ columns }) => columns[0] !== 'organization_id')).toEqual([]);
  });

  it('because organization_id is in each foreign key to another such table', async () => {
    const keys = await read<{ from: string; to: string; columns: string[]; targets: string[] }>(`
      select conrelid::regclass::text as from, confrelid::regclass::text as to,
        ${COLUMNS('conkey', 'conrelid')} as columns, ${COLUMNS('confkey', 'confrelid')} as targets
      from pg_constraint where contype = 'f'`);
    const between = keys.filter(({ from, to }) => !(from in WITHOUT_TENANT) && !(to in WITHOUT_TENANT));
    expect(between.length).toBeGreaterThan(4);
    for (const { columns, targets } of between) {
      expect([columns[0], targets[0]]).toEqual(['organization_id', 'organization_id']);
    }
    // and nothing that is copied to each node points at what is on one of them
    expect(keys.filter(({ from, to }) => from in WITHOUT_TENANT && !(to in WITHOUT_TENANT))).toEqual([]);
  });

  it('as docs/operations.md says, table by table', async () => {
    const document = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
    const listed = (call: string): string[] => {
      const [, list = ''] = new RegExp(`${call}[^[]*\\[([^\\]]+)\\]`).exec(document) ?? [];
      return [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name ?? '').sort();
    };
    const tables = (
      await read<{ name: string }>(
        "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')",
      )
    ).map(({ name }) => name);
    const ours = tables.filter((name) => name !== '_prisma_migrations').sort();
    expect(listed('create_reference_table')).toEqual(ours.filter((name) => name in WITHOUT_TENANT));
    expect(listed('create_distributed_table')).toEqual(ours.filter((name) => !(name in WITHOUT_TENANT)));
  });
});
