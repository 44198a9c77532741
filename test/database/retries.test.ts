import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { explainDatabaseError, isConnectionLost } from '../../src/database/errors.ts';
import type { Statement } from '../../src/database/packet.ts';
import { type Database, openDatabase, type Scope, type Transaction } from '../../src/database/scope.ts';
import { withSession } from '../../src/database/session.ts';
import { newId } from '../../src/kernel/ids.ts';
import { until } from '../local/children.ts';
import { memberScene, type Tenant } from '../support/tenants.ts';
import { openWire, type Wire } from '../support/wire.ts';
import { type DatabaseHouse, openDatabaseHouse, titlesIn, titlesOf } from './databaseHouse.ts';
import { failureOf } from './dataPath.ts';

let house: DatabaseHouse;
let one: Tenant;
const databases: Database[] = [];
const trips: (readonly Statement[])[] = [];

beforeAll(async () => {
  house = await openDatabaseHouse();
  [one] = house.world.tenants as [Tenant, Tenant];
});
afterEach(async () => {
  for (const database of databases.splice(0)) await database.close();
});
afterAll(() => house.close());

function open(url: string, max = 1): Scope {
  trips.length = 0;
  const database = openDatabase({
    url,
    max,
    min: 0,
    statementTimeout: 30_000,
    idleInTransactionTimeout: 30_000,
    onPacket: (statements) => void trips.push(statements),
  });
  databases.push(database);
  return database.as(memberScene(one));
}

/** Ends all of the gateway's connections. */
async function kill(): Promise<void> {
  await house.admin(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
     where datname = current_database() and usename = 'tollhouse_gateway'`,
  );
}

const own = () => ({ organizationId_id: { organizationId: one.organizationId, id: one.links[0]?.id ?? '' } });

const READS: readonly [name: string, read: (db: Scope['db']) => Promise<unknown>][] = [
  ['findMany', (db) => db.paymentLink.findMany({ include: { orders: true } })],
  ['findFirst', (db) => db.paymentLink.findFirst({ where: { title: titlesOf(one)[0] ?? '' } })],
  ['findFirstOrThrow', (db) => db.paymentLink.findFirstOrThrow({ include: { accepts: true } })],
  ['findUnique', (db) => db.paymentLink.findUnique({ where: own() })],
  ['findUniqueOrThrow', (db) => db.paymentLink.findUniqueOrThrow({ where: own() })],
  ['count', (db) => db.paymentLink.count()],
  ['aggregate', (db) => db.paymentLink.aggregate({ _max: { title: true } })],
  ['groupBy', (db) => db.paymentLink.groupBy({ by: ['status'], _count: true })],
];

describe('a read whose connection dies', () => {
  let wire: Wire;
  beforeAll(async () => {
    wire = await openWire(house.gatewayUrl);
  });
  afterAll(() => wire.close());

  it.each(READS)('is asked once more by %s, and answered as if nothing had been', async (_, read) => {
    const scope = open(wire.through(house.gatewayUrl));
    const before = await read(scope.db);
    for (const fate of ['unheard', 'unanswered', 'half answered', 'dismissed'] as const) {
      trips.length = 0;
      const [answer] = await Promise.all([read(scope.db), wire.strike(one.organizationId, fate)]);
      expect(answer).toEqual(before);
      expect(trips).toHaveLength(2);
    }
  });

  it('is not asked for ever: after the third time it fails, and may be tried again', async () => {
    const scope = open(wire.through(house.gatewayUrl));
    const struck = [1, 2, 3].map(() => wire.strike(one.organizationId, 'unheard'));
    expect(await failureOf(titlesIn(scope))).toBe('UNAVAILABLE, retryable');
    await Promise.all(struck);
    expect(trips).toHaveLength(3);
    expect(await titlesIn(scope)).toEqual(titlesOf(one));
  });

  it('is answered, when all connections of the pool have died while nobody used them', async () => {
    const scope = open(house.gatewayUrl, 5);
    const many = () => Promise.all(Array.from({ length: 20 }, () => titlesIn(scope)));
    for (const _ of [1, 2, 3]) {
      await many();
      await kill();
      expect(await many()).toEqual(Array.from({ length: 20 }, () => titlesOf(one)));
    }
  });

  it('is not repeated when it is SQL, which may do anything', async () => {
    const scope = open(wire.through(house.gatewayUrl));
    const said = scope.db.$queryRaw`select ${'raw'}::text`;
    const [outcome] = await Promise.all([failureOf(said), wire.strike('raw', 'unheard')]);
    expect(outcome).toBe('UNAVAILABLE, retryable');
    expect(trips).toHaveLength(1);
  });

  it('is not repeated in a transaction, nor is the transaction', async () => {
    const scope = open(wire.through(house.gatewayUrl));
    let runs = 0;
    const running = scope.transaction(async (tx) => {
      runs += 1;
      return tx.paymentLink.count({ where: { title: 'inside' } });
    });
    const [outcome] = await Promise.all([failureOf(running), wire.strike('inside', 'unheard')]);
    expect(outcome).toBe('UNAVAILABLE, retryable');
    expect(runs).toBe(1);
    expect(trips.map((packet) => packet.at(-1)?.text.split(' ')[0])).toEqual(['SELECT', 'ROLLBACK']);
  });

  it('is not repeated when it travels with what is written', async () => {
    const scope = open(wire.through(house.gatewayUrl));
    const writing = scope.write((tx) => [tx.paymentLink.count({ where: { title: 'planned' } })]);
    const [outcome] = await Promise.all([failureOf(writing), wire.strike('planned', 'unheard')]);
    expect(outcome).toBe('OUTCOME_UNKNOWN');
    expect(trips).toHaveLength(1);
  });

  it('is not repeated when it failed for another reason', async () => {
    const scope = open(wire.through(house.gatewayUrl));
    expect(await failureOf(scope.db.rateLimit.count())).toBe('FORBIDDEN');
    expect(trips).toHaveLength(1);
  });
});

describe('two that want the same in another order', () => {
  const GATE = 100;

  /** Takes a lock, waits at the gate, takes the other lock, and writes a link. */
  const plan = (tx: Transaction, [first, second]: readonly number[], title: string) => [
    tx.$executeRaw`select pg_advisory_xact_lock(${first}::bigint)`,
    tx.$executeRaw`select pg_advisory_xact_lock_shared(${GATE}::bigint)`,
    tx.$executeRaw`select pg_advisory_xact_lock(${second}::bigint)`,
    tx.$executeRaw`
      insert into payment_links (organization_id, id, slug, title, created_by_id)
      values (
        ${one.organizationId}::uuid, ${newId()}::uuid, ${newId()}, ${title}, ${one.people.OWNER.userId}::uuid
      )`,
  ];

  /** Runs both with the gate shut, and opens it when each has its first lock. */
  const meet = <Result>(both: () => Promise<Result>): Promise<Result> =>
    withSession(house.adminUrl, async (client) => {
      await client.query(`select pg_advisory_lock(${GATE})`);
      const running = both();
      const waiting = `select from pg_locks where locktype = 'advisory' and objid = ${GATE} and not granted
        and database = (select oid from pg_database where datname = current_database())`;
      await until(async () => (await client.query(waiting)).rowCount === 2);
      await client.query(`select pg_advisory_unlock(${GATE})`);
      return running;
    });

  it('both succeed when each is one packet: the one that was undone is done again', async () => {
    const scope = open(house.gatewayUrl, 2);
    const write = (order: readonly number[], title: string) => scope.write((tx) => plan(tx, order, title));
    await meet(() => Promise.all([write([1, 2], 'Deadlock A'), write([2, 1], 'Deadlock B')]));
    expect(trips).toHaveLength(3);
    expect((await titlesIn(scope)).filter((title) => title.startsWith('Deadlock'))).toEqual([
      'Deadlock A',
      'Deadlock B',
    ]);
  });

  it('are told when they are transactions: one is undone, and may be tried again', async () => {
    const scope = open(house.gatewayUrl, 2);
    const transact = (order: readonly number[], title: string) =>
      scope.transaction(async (tx) => {
        for (const deed of plan(tx, order, title)) await deed;
      });
    const outcomes = await meet(() =>
      Promise.all([failureOf(transact([3, 4], 'Told A')), failureOf(transact([4, 3], 'Told B'))]),
    );
    expect(outcomes).toContainEqual({ answer: undefined });
    expect(outcomes).toContain('CONFLICT, retryable');
    expect((await titlesIn(scope)).filter((title) => title.startsWith('Told'))).toHaveLength(1);
  });
});

type Said = readonly [
  error: { readonly code?: string; readonly kind?: string; readonly message?: string },
  shown: string | null,
  lost: boolean,
];

/** What `pg` and Prisma hand over: a code of the server or of the system, or words alone. */
const SAID: readonly Said[] = [
  [{ code: 'TH401' }, 'UNAUTHENTICATED', false],
  [{ code: 'TH403' }, 'MEMBERSHIP_ENDED', false],
  [{ code: 'TH410' }, 'USER_DISABLED', false],
  [{ code: 'TH423' }, 'ORGANIZATION_SUSPENDED', false],
  [{ code: '42501' }, 'FORBIDDEN', false],
  [{ code: '26000' }, 'CONFLICT', false],
  [{ code: '0A000', message: 'cached plan must not change result type' }, 'CONFLICT', false],
  [{ code: '0A000', message: 'FOR UPDATE is not allowed with aggregate functions' }, null, false],
  [{ code: '40001' }, 'CONFLICT', false],
  [{ code: '40P01' }, 'CONFLICT', false],
  [{ code: '55P03' }, 'CONFLICT', false],
  [{ code: '57014' }, 'TIMED_OUT', false],
  ...['08000', '08001', '08003', '08004', '08006', '08007'].map((code) => [{ code }, 'UNAVAILABLE', true] as const),
  ...['57P01', '57P02', '57P03', '57P05'].map((code) => [{ code }, 'UNAVAILABLE', true] as const),
  ...['53000', '53100', '53200', '53300', '53400'].map((code) => [{ code }, 'UNAVAILABLE', false] as const),
  ...['22012', '23502', '23503', '23505', '42601', '42P01', 'XX000'].map((code) => [{ code }, null, false] as const),
  [{ message: 'Connection terminated' }, 'UNAVAILABLE', true],
  [{ message: 'Connection terminated unexpectedly' }, 'UNAVAILABLE', true],
  [{ message: 'Connection terminated due to connection timeout' }, 'UNAVAILABLE', true],
  [{ message: 'Client has encountered a connection error and is not queryable' }, 'UNAVAILABLE', true],
  [{ message: 'Client was closed and is not queryable' }, 'UNAVAILABLE', true],
  [{ code: 'ECONNRESET', message: 'read ECONNRESET' }, 'UNAVAILABLE', true],
  [{ code: 'EPIPE', message: 'write EPIPE' }, 'UNAVAILABLE', true],
  [{ code: 'EPIPE', message: 'This socket has been ended by the other party' }, 'UNAVAILABLE', true],
  [{ code: 'ETIMEDOUT', message: 'read ETIMEDOUT' }, 'UNAVAILABLE', true],
  [{ kind: 'ConnectionClosed' }, 'UNAVAILABLE', true],
  [{ kind: 'SocketTimeout' }, 'UNAVAILABLE', true],
  [{ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:1' }, 'UNAVAILABLE', false],
  // Of several addresses that all refuse: an AggregateError without words.
  [{ code: 'ECONNREFUSED', message: '' }, 'UNAVAILABLE', false],
  [{ code: 'ENOTFOUND', message: 'getaddrinfo ENOTFOUND db' }, 'UNAVAILABLE', false],
  [{ code: 'EAI_AGAIN', message: 'getaddrinfo EAI_AGAIN db' }, 'UNAVAILABLE', false],
  [{ code: 'EHOSTUNREACH', message: 'connect EHOSTUNREACH 10.0.0.1:5432' }, 'UNAVAILABLE', false],
  [{ code: 'ENETUNREACH', message: 'connect ENETUNREACH 10.0.0.1:5432' }, 'UNAVAILABLE', false],
  [{ kind: 'DatabaseNotReachable' }, 'UNAVAILABLE', false],
  [{ message: 'timeout exceeded when trying to connect' }, 'UNAVAILABLE', false],
  [{ message: 'Cannot use a pool after calling end on the pool' }, 'UNAVAILABLE', false],
  [{ message: 'Transaction API error: Unable to start a transaction in the given time.' }, 'UNAVAILABLE', false],
  [{ message: 'A query cannot be executed on an expired transaction.' }, 'TIMED_OUT', false],
  [{ message: 'Cannot read properties of undefined' }, null, false],
  [{}, null, false],
];

describe('what the database says', () => {
  it.each(SAID)('as %j is %s to the caller; whether the connection died under it: %s', (error, shown, lost) => {
    expect(explainDatabaseError(error)?.code ?? null).toBe(shown);
    expect(isConnectionLost(error)).toBe(lost);
  });
});
