import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { readLaw } from '../support/catalog.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';

const prisma = join(import.meta.dirname, '../../prisma');

/** The law as `prisma/policies` shows it, by domain. */
const shown = new Map(
  readdirSync(join(prisma, 'policies'))
    .filter((file) => file.endsWith('.sql'))
    .map((file) => [basename(file, '.sql'), readFileSync(join(prisma, 'policies', file), 'utf8')]),
);

let database: TestDatabase;

async function run(script: string): Promise<void> {
  await withSession(database.adminUrl, (client) => client.query(script));
}

/** Takes away everything that a policy file may give, PUBLIC's rights too, and leaves the tables and functions. */
const LAWLESS = `
do $$
declare
  statement text;
begin
  for statement in
    select format('drop policy %I on %s', polname, polrelid::regclass)
    from pg_policy where polrelid <> '_prisma_migrations'::regclass
    union all
    select format('alter table %s disable row level security, no force row level security', c.oid::regclass)
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> '_prisma_migrations'
    union all
    select format('revoke all on all %s in schema public from %s', kind, grantee)
    from unnest(array['tables', 'sequences', 'functions']) kind
    cross join (
      select quote_ident(rolname) from pg_roles where rolname ~ '^tollhouse_' and rolname <> 'tollhouse_owner'
      union all
      select 'public'
    ) as grantees (grantee)
  loop
    execute statement;
  end loop;
end
$$`;

describe('the law that prisma/policies shows', () => {
  beforeEach(async () => {
    database = await freshDatabase();
  });
  afterEach(() => database.drop());

  it('is the law of the migrated database, all of it', async () => {
    const inForce = await readLaw(database.adminUrl);
    await run(LAWLESS);
    const nothing = await readLaw(database.adminUrl);
    expect(nothing.policies).toEqual([]);
    expect(nothing['function grants']?.filter((line) => line.includes('EXECUTE'))).toEqual([]);
    expect(nothing['table grants']?.filter((line) => line.includes(':'))).toEqual([]);
    expect(nothing['row security']?.filter((line) => line.includes('=t'))).toEqual([]);
    for (const law of shown.values()) await run(law);
    expect(await readLaw(database.adminUrl)).toEqual(inForce);
  });

  const everything = [...shown.values()].join('\n');
  const first = (pattern: RegExp): string => {
    const [statement] = pattern.exec(everything) ?? [];
    if (!statement) throw new Error(`No statement in prisma/policies matches ${pattern}.`);
    return statement;
  };

  it.each([
    ['a policy', first(/^create policy [^;]+;/m), ''],
    ['a grant on a table', first(/^grant select on \w+[^;]+;/m), ''],
    ['a grant of columns', first(/^grant select \([^;]+;/m), ''],
    ['a grant on a function', first(/^grant execute on function [^;]+;/m), ''],
    ['FORCE', first(/^alter table \w+ force row level security;/m), ''],
    ['a condition', 'using (true)', 'using (false)'],
  ])('is another one without %s', async (_, found, replacement) => {
    const inForce = await readLaw(database.adminUrl);
    await run(LAWLESS);
    await run(everything.replace(found, replacement));
    expect(await readLaw(database.adminUrl)).not.toEqual(inForce);
  });

  it.each([
    ['a policy', 'alter policy users_member_select on users using (true)'],
    ['a grant', 'grant truncate on users to tollhouse_member'],
    ['a right of everyone', 'grant execute on function touch_updated_at() to public'],
    ['a switch', 'alter table users no force row level security'],
  ])('is not that of a database which differs in %s', async (_, change) => {
    await run(change);
    const inForce = await readLaw(database.adminUrl);
    await run(LAWLESS);
    await run(everything);
    expect(await readLaw(database.adminUrl)).not.toEqual(inForce);
  });
});

describe('the law that a file of prisma/policies shows', () => {
  it.each([...shown])('keeps to the tables of the domain in %s.sql', (domain, law) => {
    const named = new Set(
      [...law.matchAll(/^alter table (\w+)|^create policy \w+ on (\w+)/gm)].map((m) => m[1] ?? m[2]),
    );
    const model = domain === 'kernel' ? '' : readFileSync(join(prisma, 'models', `${domain}.prisma`), 'utf8');
    const tables = new Set([...model.matchAll(/^model [\s\S]*?^ {2}@@map\("(\w+)"\)/gm)].map(([, table]) => table));
    expect(named).toEqual(tables);
  });
});
