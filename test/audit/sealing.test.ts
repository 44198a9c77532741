import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate, rollback } from '../../src/database/migrations.ts';
import { newId } from '../../src/kernel/ids.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { FULL } from '../support/scale.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';
import { openSealer, seal, sealAll, sql, unsealed, verify } from './chains.ts';

const SEALS = '20261126200000_audit_seals';
/** How many migrations are undone until nothing was sealed. */
const STEPS = readdirSync(join(import.meta.dirname, '../../prisma/migrations')).filter(
  (name) => /^\d/.test(name) && name >= SEALS,
).length;

let database: TestDatabase;
let tenants: readonly Tenant[];
const open: pg.Client[] = [];

beforeEach(async () => {
  database = await freshDatabase();
  ({ tenants } = await seedTenants(database.adminUrl, { tenants: 2, links: 1 }));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.end().catch(() => {})));
  await database.drop();
});

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.adminUrl });
  await client.connect();
  open.push(client);
  return client;
}

async function sealer(): Promise<pg.Client> {
  const client = await openSealer(database);
  open.push(client);
  return client;
}

const organizationId = (index = 0): string => tenants[index]?.organizationId ?? '';

/** Writes one audited row, and says which. */
async function write(client: pg.Client, title: string, organization = organizationId()): Promise<string> {
  const id = newId();
  await client.query(
    `insert into payment_links (organization_id, id, slug, title, created_by_id)
     select organization_id, $2::uuid, $2::text, $3, created_by_id from payment_links where organization_id = $1 limit 1`,
    [organization, id, title],
  );
  return id;
}

/** The rows of sealed entries, in the chain's order. */
const sealedRows = async (of = organizationId()): Promise<string[]> =>
  (
    await sql<{ row: string }>(
      database,
      `select e.row_id as row from audit_seals s join audit_entries e using (organization_id, id)
       where s.organization_id = $1 order by s.position`,
      [of],
    )
  ).map(({ row }) => row);

/** JSON as docs/domains/audit.md says that it is written, by a program that is not ours. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const length = (key: string): number => Buffer.byteLength(key);
  const pairs = Object.entries(value).sort(
    ([one], [other]) => length(one) - length(other) || Buffer.compare(Buffer.from(one), Buffer.from(other)),
  );
  return `{${pairs.map(([key, inner]) => `${JSON.stringify(key)}: ${canonical(inner)}`).join(', ')}}`;
}

describe('a seal', () => {
  it('is the hash of the one before and of the entry’s text, as the documentation says', async () => {
    const client = await connect();
    await write(client, 'A "quoted" title, \\ a tab\t, a line\n, \u0001, ünï-¢ødé 🙂, <b>, / and \u2028');
    await sealAll(database);
    const rows = await sql<Record<string, string | null> & { created_at: Date }>(
      database,
      `select e.*, e.before::text as before, e.after::text as after, s.position, encode(s.hash, 'hex') as hash
       from audit_seals s join audit_entries e using (organization_id, id)
       where s.organization_id = $1 order by s.position`,
      [organizationId()],
    );
    let previous = Buffer.alloc(32);
    for (const row of rows) {
      // a number of JavaScript does not hold every amount, so those rows are taken as the database wrote them
      const written = (json: string | null | undefined): string =>
        /: \d{16}/.test(json ?? '') ? (json ?? '') : canonical(JSON.parse(json ?? 'null'));
      const scalars = [
        'tollhouse-audit-1',
        row.organization_id,
        row.position,
        row.id,
        String(row.epoch),
        row.transaction_id,
        row.log_position,
        row.created_at.toISOString(),
        row.role,
        row.user_id,
        row.session_id,
        row.request_id,
        row.table_name,
        row.row_id,
        row.verb,
      ];
      const text = `[${[...scalars.map((word) => JSON.stringify(word)), written(row.before), written(row.after)].join(', ')}]`;
      const hash = createHash('sha256').update(previous).update(text).digest();
      expect([row.position, hash.toString('hex')]).toEqual([row.position, row.hash]);
      previous = hash;
    }
    expect(rows.length).toBeGreaterThan(5);
    expect(await verify(database, organizationId())).toMatchObject({
      end: { position: BigInt(rows.length), hash: previous.toString('hex') },
      waiting: 0,
      fault: null,
    });
  });

  it('is given to entries that were there before there were seals, and those come first', async () => {
    await rollback(database.ownerUrl, STEPS);
    const old = await sql(database, 'select id from audit_entries where organization_id = $1', [organizationId()]);
    await migrate(database.ownerUrl);
    const id = await write(await connect(), 'new');
    await sealAll(database);
    const rows = await sealedRows();
    expect(old.length).toBeGreaterThan(5);
    // the migrations that came since may have written entries of their own
    expect(rows.length).toBeGreaterThan(old.length);
    expect(rows.at(-1)).toBe(id);
    expect(await verify(database, organizationId())).toMatchObject({ fault: null, waiting: 0 });
  });

  it('comes in batches, whatever their size, and the chain is the same', async () => {
    const client = await sealer();
    const total = await unsealed(database);
    let sealed = 0;
    for (let round = 0; sealed < total; round += 1) {
      const count = (await seal(client, 1 + (round % 3))) ?? 0;
      expect(count).toBeLessThanOrEqual(3);
      sealed += count;
    }
    expect(sealed).toBe(total);
    for (const index of [0, 1]) {
      expect(await verify(database, organizationId(index))).toMatchObject({ fault: null, waiting: 0 });
    }
  });
});

describe('sealing', () => {
  it('waits for no writer and lets none wait, and takes the slower one first that began first', async () => {
    await sealAll(database);
    const [slow, quick, sealing] = [await connect(), await connect(), await sealer()];
    await slow.query('begin');
    const first = await write(slow, 'slow');
    const second = await write(quick, 'quick');

    // who follows ids, or moments, has come past the slower one, and never hears of it
    const naive = await sql<{ id: string }>(database, 'select id, row_id from audit_entries order by id desc limit 1');
    expect(await seal(sealing)).toBe(0);
    expect(await sealedRows()).not.toContain(second);
    await slow.query('commit');
    const later = await sql(
      database,
      'select row_id from audit_entries where id > $1 and organization_id = $2 order by id',
      [naive[0]?.id, organizationId()],
    );
    expect(later).toEqual([]);

    await sealAll(database);
    expect((await sealedRows()).slice(-2)).toEqual([first, second]);

    // and while a seal is not committed, writers write
    await write(quick, 'before the seal');
    await sealing.query('begin');
    let sealed = 0;
    while (sealed === 0) sealed = (await seal(sealing)) ?? 0;
    await quick.query("set lock_timeout = '1ms'");
    const during = await write(quick, 'while it is open');
    await sealing.query('commit');
    await sealAll(database);
    expect((await sealedRows()).at(-1)).toBe(during);
  });

  it('is done by one at a time, and by another when that one is killed', async () => {
    await sealAll(database);
    const written = await write(await connect(), 'x');
    const [one, other] = [await sealer(), await sealer()];
    await one.query('begin');
    let sealed = 0;
    while (sealed === 0) sealed = (await seal(one)) ?? 0;
    expect(await seal(other)).toBeNull();
    const [{ pid } = { pid: 0 }] = (await one.query<{ pid: number }>('select pg_backend_pid() as pid')).rows;
    await sql(database, 'select pg_terminate_backend($1)', [pid]);
    await sealAll(database);
    expect((await sealedRows()).filter((row) => row === written)).toEqual([written]);
    expect(await verify(database, organizationId())).toMatchObject({ fault: null, waiting: 0 });
  });

  it('skips none and seals none twice, in the order of transactions, while many write and some give up', async () => {
    let clock = 0;
    const tick = (): number => {
      clock += 1;
      return clock;
    };
    const done: { rows: string[]; began: number; ended: number; organization: string }[] = [];
    let writing = true;
    const writer = async (number: number): Promise<void> => {
      const client = await connect();
      for (let round = 0; round < (FULL ? 150 : 10); round += 1) {
        const organization = organizationId((number + round) % 2);
        const began = tick();
        await client.query('begin');
        const rows = [await write(client, `${number} ${round}`, organization)];
        if (round % 3 === 0) await client.query('select pg_sleep(random() / 50)');
        if (round % 2 === 0) rows.push(await write(client, 'more', organization));
        const undone = (number + round) % 4 === 0;
        await client.query(undone ? 'rollback' : 'commit');
        if (!undone) done.push({ rows, began, ended: tick(), organization });
      }
    };
    const steady = async (): Promise<void> => {
      const client = await sealer();
      while (writing) await seal(client, 7);
    };
    const killed = async (): Promise<void> => {
      while (writing) {
        const client = await openSealer(database);
        const [{ pid } = { pid: 0 }] = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows;
        await client.query('begin');
        await seal(client, 7);
        await sql(database, 'select pg_terminate_backend($1)', [pid]);
      }
    };
    const sealers = [steady(), steady(), killed()];
    await Promise.all(Array.from({ length: 6 }, (_, number) => writer(number))).finally(() => {
      writing = false;
    });
    await Promise.all(sealers);
    await sealAll(database);
    for (const index of [0, 1]) {
      const rows = await sealedRows(organizationId(index));
      const own = done.filter(({ organization }) => organization === organizationId(index));
      const place = new Map(rows.map((row, position) => [row, position]));
      const links = await sql(database, 'select id from payment_links where organization_id = $1', [
        organizationId(index),
      ]);
      expect(own.flatMap(({ rows: written }) => written).filter((row) => !place.has(row))).toEqual([]);
      expect(links.length).toBeGreaterThan(own.length);
      const at = (row: string | undefined): number => place.get(row ?? '') ?? -1;
      for (const one of own) {
        // a transaction's own entries stand together, in the order in which they were written
        expect(one.rows.map(at)).toEqual(one.rows.map((_, index) => at(one.rows[0]) + index));
        const later = own.filter(({ began }) => began > one.ended);
        expect(later.filter((other) => at(other.rows[0]) < at(one.rows[0]))).toEqual([]);
      }
      expect(await verify(database, organizationId(index))).toMatchObject({
        fault: null,
        waiting: 0,
        end: { position: BigInt(rows.length) },
      });
    }
  });

  it('is not for whoever the gateway can be but the worker, and changing an entry or a seal is for nobody', async () => {
    await sealAll(database);
    const client = new pg.Client({ connectionString: database.gatewayUrl });
    await client.connect();
    open.push(client);
    const codeOf = (statement: string): Promise<string> =>
      client.query(statement).then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
    const roles = ['none', 'tollhouse_public', 'tollhouse_identity', 'tollhouse_member', 'tollhouse_worker'];
    const changes = ['audit_entries', 'audit_seals'].flatMap((table) => [
      `update ${table} set id = id`,
      `delete from ${table}`,
      `truncate ${table}`,
      `insert into ${table} (organization_id, id) values ('${newId()}', '${newId()}')`,
      `alter table ${table} disable row level security`,
    ]);
    for (const role of roles) {
      await client.query(`set role ${role}`);
      for (const change of changes) expect([role, change, await codeOf(change)]).toEqual([role, change, '42501']);
      const sealing = await codeOf('select seal_audit_entries(1)');
      expect([role, sealing]).toEqual([role, role === 'tollhouse_worker' ? 'done' : '42501']);
    }
    for (const role of ['tollhouse_auditor', 'tollhouse_owner', 'tollhouse_operator']) {
      expect([role, await codeOf(`set role ${role}`)]).toEqual([role, '42501']);
    }
  });
});
