import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { recordEpoch } from './epoch.ts';
import { type Migration, readMigrations } from './readMigrations.ts';
import { withSession } from './session.ts';

/** What a database and a folder of migrations say together. Names are those of the folders, oldest first. */
export interface MigrationStatus {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** Why `migrate` would refuse, as a sentence; null when it would not. */
  readonly fault: string | null;
}

interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
  readonly finished: boolean;
}

const FOLDER = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));

/** The advisory lock that Prisma's own engine takes, so that it and this runner exclude each other. */
const LOCK = 72707369;

/** Prisma's own bookkeeping, so that `prisma migrate status` reads it; under RLS like every other table. */
const MAKE_BOOKS = `
create table public._prisma_migrations (
  id varchar(36) not null primary key,
  checksum varchar(64) not null,
  finished_at timestamptz,
  migration_name varchar(255) not null,
  logs text,
  rolled_back_at timestamptz,
  started_at timestamptz not null default now(),
  applied_steps_count integer not null default 0
)`;
const BIND_BOOKS = `
begin;
alter table public._prisma_migrations enable row level security;
alter table public._prisma_migrations force row level security;
drop policy if exists _prisma_migrations_owner_all on public._prisma_migrations;
create policy _prisma_migrations_owner_all on public._prisma_migrations to current_user using (true);
commit`;

/**
 * Applies every pending migration, oldest first, each in one transaction with its bookkeeping.
 * Any number of processes may call it at once: one does the work, the others wait for it.
 * @returns the names of the migrations that this call applied
 * @throws Error that names the migration which is edited, missing, out of order or failing; its `cause` is Postgres's
 */
export function migrate(ownerUrl: string, folder: string = FOLDER): Promise<string[]> {
  return withLock(ownerUrl, async (client) => {
    const migrations = await readMigrations(folder);
    const applied = await readApplied(client);
    const fault = findBroken(migrations, applied) ?? findLate(migrations, applied);
    if (fault) throw new Error(fault);
    const pending = findPending(migrations, applied);
    for (const migration of pending) {
      await runStep(client, migration.name, 'migration.sql', migration.up, {
        text: `/* recordMigration */
          insert into public._prisma_migrations
            (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
          values ($1, $2, $3, transaction_timestamp(), clock_timestamp(), 1)`,
        values: [randomUUID(), migration.checksum, migration.name],
      });
    }
    await recordEpoch(client);
    return pending.map(({ name }) => name);
  });
}

/**
 * Undoes the newest `count` migrations, newest first, each in one transaction with its bookkeeping.
 * @returns the names of the migrations that this call undid
 * @throws Error before anything is undone when one of them is edited, missing or has no `down.sql`
 */
export async function rollback(ownerUrl: string, count = 1, folder: string = FOLDER): Promise<string[]> {
  if (!Number.isInteger(count) || count < 1) throw new Error('Say how many migrations to undo: 1 or more.');
  return withLock(ownerUrl, async (client) => {
    const migrations = await readMigrations(folder);
    const undone = (await readApplied(client)).slice(-count).reverse();
    const fault = findBroken(migrations, undone);
    if (fault) throw new Error(fault);
    const steps = undone.map(({ name }) => {
      const down = migrations.find((migration) => migration.name === name)?.down;
      if (down == null) throw new Error(`Migration ${name} has no down.sql, so it cannot be undone.`);
      return { name, down };
    });
    for (const { name, down } of steps) {
      await runStep(client, name, 'down.sql', down, {
        text: `/* recordRollback */
          update public._prisma_migrations
          set rolled_back_at = clock_timestamp()
          where migration_name = $1 and rolled_back_at is null`,
        values: [name],
      });
    }
    return steps.map(({ name }) => name);
  });
}

/** Tells what is applied and what is pending; changes nothing, and waits for nobody. */
export function status(ownerUrl: string, folder: string = FOLDER): Promise<MigrationStatus> {
  return withSession(ownerUrl, async (client) => {
    const migrations = await readMigrations(folder);
    const applied = (await hasBooks(client)) ? await readApplied(client) : [];
    return {
      applied: applied.map(({ name }) => name),
      pending: findPending(migrations, applied).map(({ name }) => name),
      fault: findBroken(migrations, applied) ?? findLate(migrations, applied),
    };
  });
}

/** The session holds the lock until it ends, so that a migrator that is killed frees it. */
function withLock<Result>(ownerUrl: string, run: (client: pg.Client) => Promise<Result>): Promise<Result> {
  return withSession(ownerUrl, async (client) => {
    await client.query(`set statement_timeout to 0; set lock_timeout to '5min'`);
    try {
      await client.query('select pg_advisory_lock($1)', [LOCK]);
    } catch (cause) {
      throw new Error('Another migration of this database has been running for five minutes.', { cause });
    }
    if (!(await hasBooks(client))) await client.query(MAKE_BOOKS);
    if (!(await areBooksBound(client))) await client.query(BIND_BOOKS);
    return run(client);
  });
}

async function hasBooks(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ present: boolean }>(
    `select to_regclass('public._prisma_migrations') is not null as present`,
  );
  return rows[0]?.present ?? false;
}

/** False as well for a table that Prisma's engine made, or whose owner is another one than when it was made. */
async function areBooksBound(client: pg.Client): Promise<boolean> {
  const { rowCount } = await client.query(`/* areBooksBound */
    select
    from pg_policy p
    join pg_class c on c.oid = p.polrelid
    join pg_roles r on r.oid = any (p.polroles)
    where c.oid = 'public._prisma_migrations'::regclass and c.relforcerowsecurity and r.rolname = current_user`);
  return rowCount === 1;
}

/** Oldest first by name, as the folder sorts, whatever the database's collation. */
async function readApplied(client: pg.Client): Promise<AppliedMigration[]> {
  const { rows } = await client.query<AppliedMigration>(`/* readApplied */
    select migration_name as name, checksum, finished_at is not null as finished
    from public._prisma_migrations
    where rolled_back_at is null
    order by migration_name collate "C"`);
  return rows;
}

function findPending(migrations: readonly Migration[], applied: readonly AppliedMigration[]): Migration[] {
  const done = new Set(applied.map(({ name }) => name));
  return migrations.filter(({ name }) => !done.has(name));
}

/** The first record that this folder does not explain. */
function findBroken(migrations: readonly Migration[], applied: readonly AppliedMigration[]): string | null {
  for (const { name, checksum, finished } of applied) {
    const migration = migrations.find((candidate) => candidate.name === name);
    if (!finished) return `Migration ${name} is recorded as failed; undo by hand what it did, then delete its record.`;
    if (!migration) return `Migration ${name} is applied, but its folder is missing; restore it.`;
    if (migration.checksum !== checksum) {
      return `Migration ${name} was edited after it was applied; restore its migration.sql and write a new migration.`;
    }
  }
  return null;
}

/** The first pending migration that should have been applied before one that already is. */
function findLate(migrations: readonly Migration[], applied: readonly AppliedMigration[]): string | null {
  const newest = applied.at(-1)?.name ?? '';
  const late = findPending(migrations, applied).find(({ name }) => name < newest);
  return late ? `Migration ${late.name} is out of order: ${newest} is already applied; give it a later stamp.` : null;
}

async function runStep(
  client: pg.Client,
  name: string,
  file: string,
  script: string,
  record: pg.QueryConfig,
): Promise<void> {
  await client.query(`
    begin;
    set local search_path to public;
    set local statement_timeout to 0;
    -- rather fail than queue behind a long transaction, with every query of the table queueing behind us
    set local lock_timeout to '10s'`);
  let endedEarly = false;
  const warnings: string[] = [];
  const listen = ({ severity, message }: { severity?: string | undefined; message?: string | undefined }): void => {
    if (severity === 'WARNING') warnings.push(message ?? 'a warning without words');
  };
  client.on('notice', listen);
  try {
    const transaction = await transactionId(client);
    await client.query(script);
    endedEarly = (await transactionId(client)) !== transaction;
    // A grant by somebody who may not give it is such a warning, and nothing else would tell that it did nothing.
    if (!endedEarly && warnings.length > 0) throw new Error(warnings.join('; '));
    if (!endedEarly) await client.query(record);
    await client.query(endedEarly ? 'rollback' : 'commit');
  } catch (cause) {
    await client.query('rollback').catch(() => {});
    throw new Error(`Migration ${name} failed ${describe(cause, file, script)}`, { cause });
  } finally {
    client.off('notice', listen);
  }
  if (endedEarly) {
    throw new Error(
      `Migration ${name} ends its transaction by itself, so part of ${file} was done and not recorded; ` +
        'undo that part by hand and remove the commit or rollback.',
    );
  }
}

async function transactionId(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string }>('select pg_current_xact_id()::text as id');
  return rows[0]?.id;
}

function describe(cause: unknown, file: string, script: string): string {
  const { message, position } = cause as { message: string; position?: string };
  if (position === undefined) return `in ${file} and was undone: ${message}`;
  const line = script.slice(0, Number(position)).split('\n').length;
  return `at line ${line} of ${file} and was undone: ${message}`;
}
