import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { explainDatabaseError } from '../../src/database/errors.ts';
import { type Database, openDatabase } from '../../src/database/scope.ts';
import { withSession } from '../../src/database/session.ts';
import { CLEAN, type Leftovers, leftoversOf, lendFrom } from '../database/dataPath.ts';
import { until } from '../local/children.ts';
import { FULL, SEED, seeded } from '../support/scale.ts';
import { memberScene, seedTenants, type Tenant } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { DEEDS, deedOf, shownCode } from './poolDeeds.ts';
import { visit } from './poolVisitors.ts';

const OPERATIONS = FULL ? 50_000 : 1_000;
const TENANTS = 20;
const CONNECTIONS = 5;
const CLIENTS = 100;
const VISITORS = 100;

let tollhouse: TestTollhouse;
let database: Database;
/** The pool of the database, and the one of the gateway beside it. */
let pools: readonly pg.Pool[];
let tenants: readonly Tenant[];
let tokens: readonly string[];
/** Connected before the storm, since in it a connection may take longer than anybody waits. */
let executioner: pg.Pool;

beforeAll(async () => {
  tollhouse = await startTollhouse({ settings: { DATABASE_POOL_MAX: String(CONNECTIONS) } });
  const { gatewayUrl, adminUrl } = tollhouse.database;
  ({ tenants } = await seedTenants(adminUrl, { tenants: TENANTS }));
  database = openDatabase({
    url: gatewayUrl,
    max: CONNECTIONS,
    min: 0,
    statementTimeout: 250,
    idleInTransactionTimeout: 30_000,
  });
  pools = [await poolOf(database), await poolOf(tollhouse.resources.database)];
  tokens = await Promise.all(
    tenants.map(async ({ organizationId, people }) => {
      const { token } = await tollhouse.resources.tokens.issue({ ...people.OWNER, organizationId });
      return token;
    }),
  );
  executioner = new pg.Pool({ connectionString: adminUrl, max: 1, idleTimeoutMillis: 0 });
  await executioner.query('select 1');
});
afterAll(async () => {
  await executioner.end();
  await database.close();
  await tollhouse.stop();
});

/** The pool behind a database, seen when it lends. */
async function poolOf(opened: Database): Promise<pg.Pool> {
  const lending = vi.spyOn(pg.Pool.prototype, 'connect');
  await opened.ping();
  const [pool] = lending.mock.contexts;
  lending.mockRestore();
  return pool as pg.Pool;
}

/** Does this to the gateway's connections, each with one chance in so many; answers how many were met. */
async function strike(deed: 'pg_terminate_backend' | 'pg_cancel_backend', oneIn: number): Promise<number> {
  const { rowCount } = await executioner.query(
    `select ${deed}(pid) from pg_stat_activity
     where datname = current_database() and usename = 'tollhouse_gateway' and application_name = 'tollhouse'
       and ($1 = 1 or state <> 'idle') and random() < 1.0 / $1`,
    [oneIn],
  );
  return rowCount ?? 0;
}

/** What a connection would give to whoever is lent it next; null when it was struck at this moment. */
async function look(pool: pg.Pool): Promise<Leftovers | null> {
  expect(pool.totalCount).toBeLessThanOrEqual(CONNECTIONS);
  return lendFrom(pool, leftoversOf).catch((error: unknown) => {
    if (explainDatabaseError(error)) return null;
    throw error;
  });
}

const random = seeded(SEED);
const below = (limit: number): number => Math.floor(random() * limit);
const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;

/** Failures that a connection's death, a cancellation or a busy server may cause, wherever they come. */
const DISTURBED = ['UNAVAILABLE', 'TIMED_OUT', 'CONFLICT'];

let turns = 0;
let killed = 0;
let cancelled = 0;
let looks = 0;
let aborted = 0;
const answered = new Map<string, number>();
const failed = new Map<string, number>();
const wrong: string[] = [];
/** What was written by its title: whether it must be there, must not be, or may be. */
const written = new Map<string, 'there' | 'absent' | 'unknown'>();

const count = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);

/** Whether anything of another tenant is in a text. */
function namesOthers(tenant: Tenant, text: string): boolean {
  return tenants.some(({ marker }) => marker !== tenant.marker && text.includes(marker));
}

/** One operation of a tenant, on the database itself. */
async function act(): Promise<void> {
  const deed = deedOf(random());
  const tenant = pick(tenants);
  const title = `${tenant.marker} ${randomUUID()}`;
  const neighbour = tenants[(tenants.indexOf(tenant) + 1 + below(TENANTS - 1)) % TENANTS] as Tenant;
  const [scope, beside] = [database.as(memberScene(tenant)), database.as(memberScene(neighbour))];
  try {
    const text = JSON.stringify(await deed.run({ scope, tenant, neighbour, beside, title }));
    if (deed.fails) wrong.push(`${deed.name} did not fail: ${text}`);
    if (!text.includes(tenant.marker) || text.includes('nothing')) wrong.push(`${deed.name} got nothing: ${text}`);
    if (namesOthers(tenant, text)) wrong.push(text);
    if (deed.writes) written.set(title, 'there');
    count(answered, deed.name);
  } catch (error) {
    const code = shownCode(error);
    if (![...DISTURBED, deed.fails, deed.writes && 'OUTCOME_UNKNOWN'].includes(code)) {
      wrong.push(`${deed.name} failed with ${code}: ${(error as Error).stack}`);
    }
    if (deed.writes) written.set(title, code === 'OUTCOME_UNKNOWN' && !deed.fails ? 'unknown' : 'absent');
    count(failed, code === deed.fails ? deed.name : code);
  }
}

/** One operation of a tenant who comes by HTTP, and in one case of three hangs up. */
async function call(): Promise<void> {
  const mine = below(TENANTS);
  const tenant = tenants[mine] as Tenant;
  const neighbour = tenants[(mine + 1 + below(TENANTS - 1)) % TENANTS] as Tenant;
  const patience = below(3) === 0 ? below(100) : null;
  const { text, failures, ...visited } = await visit(tollhouse, {
    tenant,
    neighbour,
    token: tokens[mine] ?? '',
    patience,
  });
  wrong.push(...visited.wrong);
  if (text === null) aborted += 1;
  else if (namesOthers(tenant, text)) wrong.push(text);
  else if (failures.length === 0) count(answered, 'calls');
  for (const failure of failures) {
    count(failed, failure);
    if (!DISTURBED.some((code) => failure === `${code} true`)) wrong.push(failure);
  }
}

/** Disturbs now and then, by the turn; and looks at a connection of each pool at moments of its own. */
async function disturb(turn: number): Promise<void> {
  if (turn % 100 === 50) killed += await strike('pg_terminate_backend', 1 + below(3));
  if (turn % 50 === 25) cancelled += await strike('pg_cancel_backend', 2);
  if (turn % 20 === 10) {
    const seen = (await Promise.all(pools.map(look))).filter((each) => each !== null);
    for (const each of seen) expect(each).toMatchObject(CLEAN);
    looks += seen.length;
  }
}

async function work(operation: () => Promise<void>): Promise<void> {
  while (turns < OPERATIONS) {
    turns += 1;
    await disturb(turns);
    await operation();
  }
}

describe('a pool of five connections that are killed, cancelled and kept waiting', () => {
  it('gives each of twenty tenants its own, or a failure that says what to do', { timeout: 1_200_000 }, async () => {
    console.log(`pool: TOLLHOUSE_TEST_SEED=${SEED}`);
    await Promise.all([
      ...Array.from({ length: CLIENTS }, () => work(act)),
      ...Array.from({ length: VISITORS }, () => work(call)),
    ]);
    console.log(JSON.stringify({ killed, cancelled, looks, aborted, ...Object.fromEntries([...answered, ...failed]) }));
    expect(wrong).toEqual([]);
    expect(killed).toBeGreaterThan(OPERATIONS / 200);
    expect(cancelled).toBeGreaterThan(0);
    expect(aborted).toBeGreaterThan(OPERATIONS / 200);
    expect(looks).toBeGreaterThan(OPERATIONS / 200);
    for (const { name, fails } of DEEDS)
      expect([name, (fails ? failed : answered).get(name) ?? 0]).not.toEqual([name, 0]);
    expect([...answered.values()].reduce((sum, each) => sum + each, 0)).toBeGreaterThan(OPERATIONS / 2);
  });

  it('has written what it acknowledged and nothing that it refused', async () => {
    const { rows } = await withSession(tollhouse.database.adminUrl, (client) =>
      client.query<{ title: string; links: number; own: boolean }>(`
        select l.title, count(*)::int as links, bool_and(starts_with(l.title, o.name)) as own
        from payment_links l join organizations o on o.id = l.organization_id
        group by l.title`),
    );
    const links = new Map(rows.map((row) => [row.title, row]));
    expect(rows.filter(({ own }) => !own)).toEqual([]);
    const broken = [...written].filter(([title, state]) => {
      const times = links.get(title)?.links ?? 0;
      return state === 'unknown' ? times > 1 : times !== (state === 'there' ? 1 : 0);
    });
    expect(broken).toEqual([]);
  });

  it('is as it was: five clean connections, none in use, and it serves', async () => {
    for (const pool of pools) {
      await until(() => pool.waitingCount === 0 && pool.idleCount === pool.totalCount);
      const left = await Promise.all(Array.from({ length: CONNECTIONS }, () => lendFrom(pool, leftoversOf)));
      expect(new Set(left.map(({ pid }) => pid)).size).toBe(CONNECTIONS);
      for (const each of left) expect(each).toMatchObject(CLEAN);
      expect(pool.totalCount).toBe(CONNECTIONS);
    }
    const { rows } = await executioner.query(`
      select state, count(*)::int as connections from pg_stat_activity
      where datname = current_database() and usename = 'tollhouse_gateway' and application_name = 'tollhouse'
      group by state`);
    expect(rows).toEqual([{ state: 'idle', connections: 2 * CONNECTIONS }]);
    const [one] = tenants as readonly [Tenant];
    const token = tokens[0] ?? '';
    expect(await visit(tollhouse, { tenant: one, neighbour: tenants[1] as Tenant, token, patience: null })).toEqual({
      text: expect.stringContaining(one.marker),
      failures: [],
      wrong: [],
    });
  });
});
