import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase, type Scope, type Transaction } from '../../src/database/scope.ts';
import { newId } from '../../src/kernel/ids.ts';
import { memberScene, type Tenant } from '../support/tenants.ts';
import { type Fate, openWire, type Wire } from '../support/wire.ts';
import { type DatabaseHouse, openDatabaseHouse, titlesIn, titlesOf } from './databaseHouse.ts';
import { codeOf, failureOf } from './dataPath.ts';

let house: DatabaseHouse;
let one: Tenant;
const opened: { readonly wire: Wire; readonly database: Database }[] = [];

beforeAll(async () => {
  house = await openDatabaseHouse();
  [one] = house.world.tenants as [Tenant, Tenant];
});
afterEach(async () => {
  for (const { wire, database } of opened.splice(0)) {
    await wire.close();
    await database.close();
  }
  await house.closeOpened();
});
afterAll(() => house.close());

interface Way {
  readonly wire: Wire;
  readonly database: Database;
  readonly scope: Scope;
}

/** A pool of one connection, by a way that may break. */
async function openWay(): Promise<Way> {
  const wire = await openWire(house.gatewayUrl);
  const database = openDatabase({
    url: wire.through(house.gatewayUrl),
    max: 1,
    min: 0,
    statementTimeout: 200,
    idleInTransactionTimeout: 30_000,
  });
  opened.push({ wire, database });
  return { wire, database, scope: database.as(memberScene(one)) };
}

const link = (tx: Transaction, title: string) =>
  tx.paymentLink.createMany({
    data: {
      organizationId: one.organizationId,
      id: newId(),
      slug: randomUUID(),
      title,
      createdById: one.people.OWNER.userId,
    },
  });

async function linksOf(title: string): Promise<number> {
  const { rows } = await house.admin('select count(*)::int as links from payment_links where title = $1', [title]);
  return rows[0]?.links;
}

const write = ({ scope }: Way, title: string): Promise<unknown> =>
  scope.write((tx) => [link(tx, title), tx.paymentLink.count()]);
const transact = ({ scope }: Way, title: string): Promise<unknown> =>
  scope.transaction(async (tx) => {
    await link(tx, title);
    await tx.paymentLink.count();
  });

const FATES: readonly [fate: Fate, links: number][] = [
  ['unheard', 0],
  ['unanswered', 1],
  ['half answered', 1],
  ['dismissed', 1],
];

describe('what is written when its connection dies', () => {
  it.each(FATES)('in one packet, %s, has an outcome that nobody knows, and is there %i times', async (fate, links) => {
    const way = await openWay();
    const title = `Packet ${fate}`;
    const [outcome] = await Promise.all([failureOf(write(way, title)), way.wire.strike(title, fate)]);
    expect(outcome).toBe('OUTCOME_UNKNOWN');
    expect(await linksOf(title)).toBe(links);
    expect(await titlesIn(way.scope)).toContain(titlesOf(one)[0]);
  });

  it.each(FATES)('by a commit, %s, has an outcome that nobody knows, and is there %i times', async (fate, links) => {
    const way = await openWay();
    const title = `Commit ${fate}`;
    const [outcome] = await Promise.all([failureOf(transact(way, title)), way.wire.strike('COMMIT', fate)]);
    expect(outcome).toBe('OUTCOME_UNKNOWN');
    expect(await linksOf(title)).toBe(links);
    expect(await titlesIn(way.scope)).toContain(titlesOf(one)[0]);
  });

  it.each(FATES)('before its transaction is committed, %s, is not there, and may be tried again', async (fate) => {
    const way = await openWay();
    const title = `Begun ${fate}`;
    const [outcome] = await Promise.all([failureOf(transact(way, title)), way.wire.strike(title, fate)]);
    expect(outcome).toBe('UNAVAILABLE, retryable');
    expect(await linksOf(title)).toBe(0);
    await transact(way, title);
    expect(await linksOf(title)).toBe(1);
  });

  it.each([
    ['says one more statement', true, ['UNAVAILABLE, retryable']],
    // Whether the commit was sent before the news of the death is a matter of luck.
    ['commits', false, ['UNAVAILABLE, retryable', 'OUTCOME_UNKNOWN']],
  ])('by a server that ends the session before the transaction %s is not there', async (what, more, outcomes) => {
    const { scope } = await openWay();
    const outcome = await failureOf(
      scope.transaction(async (tx) => {
        await link(tx, `Ended before it ${what}`);
        const [{ pid } = {}] = await tx.$queryRaw<{ pid?: number }[]>`select pg_backend_pid() as pid`;
        await house.admin('select pg_terminate_backend($1)', [pid]);
        if (more) await tx.paymentLink.count();
      }),
    );
    expect(outcomes).toContain(outcome);
    expect(await linksOf(`Ended before it ${what}`)).toBe(0);
  });

  it('where no connection can be had is not there, and may be tried again', async () => {
    const way = await openWay();
    await way.wire.close();
    expect(await failureOf(write(way, 'Refused'))).toBe('UNAVAILABLE, retryable');
    expect(await failureOf(transact(way, 'Refused'))).toBe('UNAVAILABLE, retryable');
    expect(await linksOf('Refused')).toBe(0);
  });

  it.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'ECONNABORTED', 'ENOTCONN'])(
    'with %s has an outcome that nobody knows',
    async (code) => {
      const path = house.openPath();
      const insert = `insert into payment_links (organization_id, id, slug, title, created_by_id)
        values ($1::text::uuid, $2::text::uuid, $2, $3, $4::text::uuid)`;
      const values = [one.organizationId, newId(), `Broken by ${code}`, one.people.OWNER.userId];
      const writing = path.as(memberScene(one), () =>
        path.pool.write([
          { text: insert, values, types: pg.types as never },
          { text: 'select pg_sleep(0.1)', types: pg.types as never },
        ]),
      );
      const outcome = codeOf(writing);
      while (path.packets.length === 0) await setTimeout(5);
      await setTimeout(50);
      const [client] = (path.pool as unknown as { _clients: { connection: { stream: Breakable } }[] })._clients;
      client?.connection.stream.destroy(Object.assign(new Error(`read ${code}`), { code, syscall: 'read', errno: -1 }));
      expect(await outcome).toBe('OUTCOME_UNKNOWN');
      while ((await linksOf(`Broken by ${code}`)) === 0) await setTimeout(10);
    },
  );
});

interface Breakable {
  destroy(error: Error): void;
}

describe('a server that says nothing any more', () => {
  const deeds: readonly [what: string, outcome: unknown, said: string, deed: (way: Way) => Promise<unknown>][] = [
    ['a write', 'OUTCOME_UNKNOWN', 'Silent write', (way) => write(way, 'Silent write')],
    ['a commit', 'OUTCOME_UNKNOWN', 'COMMIT', (way) => transact(way, 'Silent commit')],
    ['a transaction', 'UNAVAILABLE, retryable', 'Silent begin', (way) => transact(way, 'Silent begin')],
    ['a raw query', 'UNAVAILABLE, retryable', 'Silent SQL', ({ scope }) => scope.db.$queryRaw`select ${'Silent SQL'}`],
    [
      'a read',
      { answer: 0 },
      'Silent read',
      ({ scope }) => scope.db.paymentLink.count({ where: { title: 'Silent read' } }),
    ],
    // As the check of the gateway's readiness does; connections that it waits on for ever would be missed in the pool.
    ['a ping', { answer: 'failed' }, 'select 1', ({ database }) => database.ping().catch(() => 'failed')],
  ];

  it('is given up a while after the statement’s own time, and its connection with it', async () => {
    const own = titlesOf(one)[0] ?? '';
    const outcomes = await Promise.all(
      deeds.map(async ([what, , said, deed]) => {
        const way = await openWay();
        await titlesIn(way.scope);
        const patience = setTimeout(8_000, 'still waited for', { ref: false });
        const outcome = failureOf(deed(way));
        await way.wire.strike(said, 'silent');
        const seen = await Promise.race([outcome, patience]);
        // The pool has room for one connection, and this is another one.
        const titles = await titlesIn(way.scope).catch((): string[] => []);
        return [what, seen, titles.includes(own), way.wire.clients()];
      }),
    );
    expect(outcomes).toEqual(deeds.map(([what, outcome]) => [what, outcome, true, 1]));
    expect(await linksOf('Silent write')).toBe(0);
  });
});
