import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate, rollback, status } from '../../src/database/migrations.ts';
import { withSession } from '../../src/database/session.ts';
import { readCatalog } from '../support/catalog.ts';
import { emptyDatabase, freshDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;

afterEach(() => database?.drop());

describe('migrations of a folder', () => {
  let folder: string;

  beforeEach(async () => {
    database = await emptyDatabase();
    folder = await mkdtemp(join(tmpdir(), 'tollhouse-migrations-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function write(name: string, up: string, down?: string): Promise<void> {
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, name, 'migration.sql'), up);
    if (down !== undefined) await writeFile(join(folder, name, 'down.sql'), down);
  }

  /** As the superuser, who sees past RLS. */
  async function query<Row>(text: string): Promise<Row[]> {
    return withSession(database.adminUrl, async (client) => (await client.query(text)).rows as Row[]);
  }

  async function tables(): Promise<string[]> {
    const rows = await query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'public' and tablename <> '_prisma_migrations'`,
    );
    return rows.map(({ name }) => name).sort();
  }

  it('are applied oldest first, once', async () => {
    await write('20260102000000_colour', `alter table cars add column colour text`, 'alter table cars drop colour');
    await write('20260101000000_cars', 'create table cars (id int)', 'drop table cars');
    expect(await migrate(database.ownerUrl, folder)).toEqual(['20260101000000_cars', '20260102000000_colour']);
    expect(await migrate(database.ownerUrl, folder)).toEqual([]);
    await write('20260103000000_trains', 'create table trains (id int)');
    expect(await migrate(database.ownerUrl, folder)).toEqual(['20260103000000_trains']);
    expect(await tables()).toEqual(['cars', 'trains']);
  });

  it('are recorded as Prisma records them, out of every other role’s sight', async () => {
    await write('20260101000000_cars', 'create table cars (id int)\n');
    await migrate(database.ownerUrl, folder);
    const [record] = await query<Record<string, unknown>>('select * from _prisma_migrations');
    expect(record).toMatchObject({
      migration_name: '20260101000000_cars',
      checksum: createHash('sha256').update('create table cars (id int)\n').digest('hex'),
      finished_at: expect.any(Date),
      rolled_back_at: null,
      applied_steps_count: 1,
    });
    const [flags] = await query(
      `select relrowsecurity as enabled, relforcerowsecurity as forced, relacl as grants
       from pg_class where relname = '_prisma_migrations'`,
    );
    expect(flags).toEqual({ enabled: true, forced: true, grants: null });
  });

  it('that Prisma’s own engine has recorded before are not applied again', async () => {
    await write('20260101000000_cars', 'create table cars (id int)');
    await migrate(database.ownerUrl, folder);
    await query(`
      alter table _prisma_migrations no force row level security;
      alter table _prisma_migrations disable row level security;
      drop policy _prisma_migrations_owner_all on _prisma_migrations`);
    expect(await migrate(database.ownerUrl, folder)).toEqual([]);
    expect(await query(`select relforcerowsecurity from pg_class where relname = '_prisma_migrations'`)).toEqual([
      { relforcerowsecurity: true },
    ]);
  });

  it('are undone newest first, and can be applied again', async () => {
    await write('20260101000000_cars', 'create table cars (id int)', 'drop table cars');
    await write('20260102000000_trains', 'create table trains (id int)', 'drop table trains');
    await write('20260103000000_ships', 'create table ships (id int)', 'drop table ships');
    await migrate(database.ownerUrl, folder);
    expect(await rollback(database.ownerUrl, undefined, folder)).toEqual(['20260103000000_ships']);
    expect(await rollback(database.ownerUrl, 5, folder)).toEqual(['20260102000000_trains', '20260101000000_cars']);
    expect(await tables()).toEqual([]);
    expect(await rollback(database.ownerUrl, 1, folder)).toEqual([]);
    expect(await migrate(database.ownerUrl, folder)).toHaveLength(3);
    expect(await tables()).toEqual(['cars', 'ships', 'trains']);
  });

  it.each([0, -1, 1.5, Number.NaN])('are not undone %s at a time', async (count) => {
    await expect(rollback(database.ownerUrl, count, folder)).rejects.toThrow('1 or more');
  });

  it('are undone entirely when they fail, and what came before stays', async () => {
    await write('20260101000000_cars', 'create table cars (id int)');
    await write('20260102000000_wrong', 'create table trains (id int);\ncreate index on\n  nowhere (id);');
    await write('20260103000000_ships', 'create table ships (id int)');
    const failure: unknown = await migrate(database.ownerUrl, folder).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      message:
        'Migration 20260102000000_wrong failed in migration.sql and was undone: relation "nowhere" does not exist',
      cause: { code: '42P01' },
    });
    expect(await tables()).toEqual(['cars']);
    expect(await status(database.ownerUrl, folder)).toEqual({
      applied: ['20260101000000_cars'],
      pending: ['20260102000000_wrong', '20260103000000_ships'],
      fault: null,
    });
    await write('20260102000000_wrong', 'create table trains (id int)');
    expect(await migrate(database.ownerUrl, folder)).toEqual(['20260102000000_wrong', '20260103000000_ships']);
  });

  it('name the line that Postgres could not read', async () => {
    await write('20260101000000_wrong', 'create table cars (id int);\n\ncreate tabel trains (id int);');
    await expect(migrate(database.ownerUrl, folder)).rejects.toThrow('failed at line 3 of migration.sql');
    expect(await tables()).toEqual([]);
  });

  it('are undone when one of their grants does nothing, of which Postgres only warns', async () => {
    await write(
      '20260101000000_answer',
      `create function answer() returns int language sql as 'select 42';
       grant create on schema public to tollhouse_doorkeeper;
       alter function answer() owner to tollhouse_doorkeeper;
       revoke create on schema public from tollhouse_doorkeeper;
       grant execute on function answer() to tollhouse_member`,
    );
    await expect(migrate(database.ownerUrl, folder)).rejects.toThrow('no privileges were granted for "answer"');
    expect((await status(database.ownerUrl, folder)).applied).toEqual([]);
  });

  it('stay applied when undoing them fails', async () => {
    await write('20260101000000_cars', 'create table cars (id int)', 'drop table cars; drop table nowhere');
    await migrate(database.ownerUrl, folder);
    await expect(rollback(database.ownerUrl, 1, folder)).rejects.toThrow(
      'Migration 20260101000000_cars failed in down.sql and was undone: table "nowhere" does not exist',
    );
    expect(await tables()).toEqual(['cars']);
    expect((await status(database.ownerUrl, folder)).applied).toEqual(['20260101000000_cars']);
  });

  it('leave nothing of their session to the next', async () => {
    await write('20260101000000_hidden', 'create schema hidden; set search_path to hidden');
    await write('20260102000000_cars', 'create table cars (id int)');
    await migrate(database.ownerUrl, folder);
    expect(await tables()).toEqual(['cars']);
  });

  describe('are refused', () => {
    const refused = async (sentence: string): Promise<void> => {
      const before = await tables();
      await expect(migrate(database.ownerUrl, folder)).rejects.toThrow(sentence);
      expect((await status(database.ownerUrl, folder)).fault).toContain(sentence);
      expect(await tables()).toEqual(before);
    };

    beforeEach(async () => {
      await write('20260101000000_cars', 'create table cars (id int)', 'drop table cars');
      await write('20260102000000_trains', 'create table trains (id int)');
      await migrate(database.ownerUrl, folder);
      await write('20260109000000_ships', 'create table ships (id int)');
    });

    it('when one was edited after it was applied', async () => {
      await write('20260101000000_cars', 'create table cars (id bigint)');
      await refused('Migration 20260101000000_cars was edited after it was applied');
      await expect(rollback(database.ownerUrl, 2, folder)).rejects.toThrow('was edited');
    });

    it('but not when only its line endings are those of another system', async () => {
      await write('20260108000000_planes', 'create table planes (\n  id int\n)');
      await migrate(database.ownerUrl, folder);
      await write('20260108000000_planes', 'create table planes (\r\n  id int\r\n)');
      expect((await status(database.ownerUrl, folder)).fault).toBeNull();
    });

    it('when the folder of an applied one is missing', async () => {
      await rm(join(folder, '20260101000000_cars'), { recursive: true });
      await refused('Migration 20260101000000_cars is applied, but its folder is missing');
    });

    it('when one sorts before another that is applied', async () => {
      await write('20260101120000_late', 'create table late (id int)');
      await refused('Migration 20260101120000_late is out of order: 20260102000000_trains is already applied');
    });

    it('when one is recorded as failed', async () => {
      await query(`update _prisma_migrations set finished_at = null where migration_name = '20260102000000_trains'`);
      await refused('Migration 20260102000000_trains is recorded as failed');
    });

    it('when a folder has no migration.sql', async () => {
      await mkdir(join(folder, '20260110000000_empty'));
      await expect(migrate(database.ownerUrl, folder)).rejects.toThrow('20260110000000_empty has no migration.sql');
      expect(await tables()).toEqual(['cars', 'trains']);
    });

    it('when one ends its transaction by itself', async () => {
      await write('20260109000000_ships', 'create table ships (id int); commit; create table boats (id int)');
      await expect(migrate(database.ownerUrl, folder)).rejects.toThrow(
        'Migration 20260109000000_ships ends its transaction by itself',
      );
      expect((await status(database.ownerUrl, folder)).pending).toEqual(['20260109000000_ships']);
    });

    it('to be undone without a down.sql, and then none is', async () => {
      await expect(rollback(database.ownerUrl, 2, folder)).rejects.toThrow('20260102000000_trains has no down.sql');
      expect(await tables()).toEqual(['cars', 'trains']);
    });
  });

  it('are told apart without changing the database', async () => {
    await write('20260101000000_cars', 'create table cars (id int)');
    const before = await readCatalog(database.adminUrl);
    expect(await status(database.ownerUrl, folder)).toEqual({
      applied: [],
      pending: ['20260101000000_cars'],
      fault: null,
    });
    expect(await readCatalog(database.adminUrl)).toEqual(before);
  });

  it('are applied once when six processes begin at the same moment', async () => {
    const names = ['20260101000000_cars', '20260102000000_trains', '20260103000000_ships'];
    for (const name of names) await write(name, `create table ${name.slice(15)} (id int); select pg_sleep(0.02)`);
    const runs = await Promise.all(Array.from({ length: 6 }, () => migrate(database.ownerUrl, folder)));
    expect(runs.flat()).toEqual(names);
    expect(await query('select from _prisma_migrations')).toHaveLength(3);
  });

  it('wait for whoever holds the lock of Prisma’s engine', async () => {
    await write('20260101000000_cars', 'create table cars (id int)');
    await withSession(database.adminUrl, async (other) => {
      await other.query('select pg_advisory_lock(72707369)');
      const running = migrate(database.ownerUrl, folder);
      const waiting = `select from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())`;
      while ((await other.query(waiting)).rowCount === 0);
      expect(await tables()).toEqual([]);
      await other.query('select pg_advisory_unlock(72707369)');
      expect(await running).toEqual(['20260101000000_cars']);
    });
  });
});

describe('the migrations of Tollhouse', () => {
  it('come up, go down and come up to the same catalog', async () => {
    database = await emptyDatabase();
    // Down to nothing leaves the bookkeeping, so the catalog to come back to is that of a folder without migrations.
    const none = await mkdtemp(join(tmpdir(), 'tollhouse-migrations-'));
    await migrate(database.ownerUrl, none);
    await rm(none, { recursive: true });
    const empty = await readCatalog(database.adminUrl);

    const names = await migrate(database.ownerUrl);
    const first = await readCatalog(database.adminUrl);
    expect(names.length).toBeGreaterThan(0);
    expect(Object.entries(first).filter(([, lines]) => lines.length > 0).length).toBeGreaterThan(10);

    expect(await rollback(database.ownerUrl, names.length)).toEqual(names.toReversed());
    expect(await readCatalog(database.adminUrl)).toEqual(empty);

    expect(await migrate(database.ownerUrl)).toEqual(names);
    expect(await readCatalog(database.adminUrl)).toEqual(first);
  });

  it('are what the databases of all other tests are cloned from', async () => {
    database = await freshDatabase();
    const { applied, pending, fault } = await status(database.ownerUrl);
    expect({ pending, fault }).toEqual({ pending: [], fault: null });
    expect(applied.length).toBeGreaterThan(0);
  });
});

describe('the epoch of the event log', () => {
  const epochs = (): Promise<unknown[]> =>
    withSession(database.adminUrl, async (client) => {
      const { rows } = await client.query(`
        select epoch, system_identifier = (select system_identifier::text from pg_control_system()) as here
        from event_epochs order by epoch`);
      return rows;
    });

  beforeEach(async () => {
    database = await freshDatabase();
  });

  it('begins with the tables, and stays while the cluster is the same', async () => {
    expect(await epochs()).toEqual([{ epoch: 1, here: true }]);
    await migrate(database.ownerUrl);
    expect(await epochs()).toEqual([{ epoch: 1, here: true }]);
  });

  it('rises when the database was restored into another cluster', async () => {
    await withSession(database.adminUrl, (client) => client.query(`update event_epochs set system_identifier = '1'`));
    const before = await readCatalog(database.adminUrl);
    await Promise.all([migrate(database.ownerUrl), migrate(database.ownerUrl)]);
    expect(await epochs()).toEqual([
      { epoch: 1, here: false },
      { epoch: 2, here: true },
    ]);
    expect(await readCatalog(database.adminUrl)).toEqual(before);
  });
});
