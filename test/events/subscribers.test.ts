import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { WorkerContext } from '../../src/context.ts';
import type { Transaction } from '../../src/database/scope.ts';
import { serveSubscriber, sweepDeliveries } from '../../src/events/jobs.ts';
import type { DeliveredFact, Subscriber } from '../../src/events/model.ts';
import { newId } from '../../src/kernel/ids.ts';
import { type LogHouse, openLogHouse, REQUEST } from './logHouse.ts';

let house: LogHouse;
let context: WorkerContext;
beforeAll(async () => {
  house = await openLogHouse(10);
  context = { ...REQUEST, database: house.database, log: pino({ level: 'silent' }) };
});
afterAll(() => house.stop());

const sql = async <Row = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<Row[]> =>
  (await house.admin.query(text, values)).rows as Row[];

/** A subscriber that keeps what it was handed, of a name that no other test has. */
function subscriber(): Subscriber<Transaction> & { readonly handed: string[] } {
  const handed: string[] = [];
  return {
    name: `reader-${newId().slice(-12)}`,
    about: ['payment-order'],
    handed,
    async work(_tx, organizationId, facts) {
      expect(organizationId).toBe(house.organizationId);
      handed.push(...facts.map(({ aggregateId }) => aggregateId));
      return new Map();
    },
  };
}

/** Tells a fact about something of its own, and answers what that is. */
async function tell(aggregateType = 'payment-order'): Promise<string> {
  const id = newId();
  await house.append(house.fact({ aggregate: { type: aggregateType, id, version: 1 } }));
  return id;
}

/** Serves until everything that was told is in front of the bookmark: others' transactions may hold the end back. */
async function serve(reader: Subscriber<Transaction>): Promise<void> {
  await vi.waitFor(
    async () => {
      await serveSubscriber(context, reader);
      const [behind] = await sql<{ count: number }>(
        `select count(*)::int from events e, event_bookmarks b
         where b.subscriber = $1
           and (e.epoch, e.transaction_id, e.position) > (b.epoch, b.transaction_id, b.position)`,
        reader.name,
      );
      expect(behind?.count).toBe(0);
    },
    { timeout: 30_000, interval: 20 },
  );
}

const deliveriesOf = ({ name }: Subscriber<Transaction>) =>
  sql<{ id: string; attempts: number; error: string | null; done: boolean }>(
    `select e.aggregate_id as id, d.attempts, d.error, d.processed_at is not null as done
     from event_deliveries d join events e on e.organization_id = d.organization_id and e.id = d.event_id
     where d.subscriber = $1 order by e.epoch, e.transaction_id, e.position`,
    name,
  );

/** As if the pause were over. */
const makeDue = ({ name }: Subscriber<Transaction>) =>
  sql(`update event_deliveries set due_at = now() where subscriber = $1 and processed_at is null`, name);

describe('a subscriber', () => {
  it('is handed each fact that concerns it, in order and once, and goes on from its bookmark', async () => {
    const before = await tell();
    await tell('domain');
    const reader = subscriber();
    await serve(reader);
    expect(reader.handed).toContain(before);
    reader.handed.length = 0;
    const ids = [await tell(), await tell(), await tell()];
    await tell('domain');
    await serve(reader);
    await serve(reader);
    expect(reader.handed).toEqual(ids);
    const done = await deliveriesOf(reader);
    expect(done.slice(-3)).toEqual(ids.map((id) => ({ id, attempts: 1, error: null, done: true })));
  });

  it('is handed what it could not work on again, when that is due, and what it could is done meanwhile', async () => {
    const reader = subscriber();
    await serve(reader);
    const [good, bad] = [await tell(), await tell()];
    let broken = true;
    const failing = {
      ...reader,
      work: async (_tx: Transaction, _organizationId: string, facts: readonly DeliveredFact[]) => {
        reader.handed.push(...facts.map(({ aggregateId }) => aggregateId));
        return new Map(
          facts.flatMap(({ eventId, aggregateId }) =>
            broken && aggregateId === bad ? [[eventId, 'no'] as const] : [],
          ),
        );
      },
    };
    reader.handed.length = 0;
    await serve(failing);
    expect((await deliveriesOf(reader)).slice(-2)).toEqual([
      { id: good, attempts: 1, error: null, done: true },
      { id: bad, attempts: 1, error: 'no', done: false },
    ]);
    await makeDue(reader);
    await serve(failing);
    broken = false;
    await makeDue(reader);
    await serve(failing);
    expect((await deliveriesOf(reader)).at(-1)).toEqual({ id: bad, attempts: 3, error: null, done: true });
    expect(reader.handed).toEqual([good, bad, bad, bad]);
  });

  it('that fails as a whole has nothing of it written, is told so, and is handed all of it again', async () => {
    const quiet = subscriber();
    await serve(quiet);
    const id = await tell();
    let broken = true;
    const reader = {
      ...quiet,
      work: async (tx: Transaction, organizationId: string, facts: readonly DeliveredFact[]) => {
        const [fact] = facts;
        const aggregate = { type: 'refund', id: fact?.aggregateId ?? '', version: 1 };
        await tx.$executeRaw`
          insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, data, metadata)
          values (${organizationId}::uuid, 'refund.seen', ${aggregate.type}, ${aggregate.id}::uuid, 1, 'worker', '{}', '{}')`;
        if (broken) throw new Error('the power went');
        return new Map<string, string>();
      },
    };
    // a fact is read once nothing older can be committed any more, on the whole server
    await vi.waitFor(() => expect(serveSubscriber(context, reader)).rejects.toThrow('the power went'), {
      timeout: 30_000,
      interval: 20,
    });
    const seen = () => sql(`select from events where aggregate_type = 'refund' and aggregate_id = $1`, id);
    expect(await seen()).toHaveLength(0);
    expect((await deliveriesOf(reader)).at(-1)).toEqual({
      id,
      attempts: 1,
      error: 'Error: the power went',
      done: false,
    });
    broken = false;
    await makeDue(reader);
    await serve(reader);
    expect(await seen()).toHaveLength(1);
    expect((await deliveriesOf(reader)).at(-1)).toMatchObject({ id, attempts: 2, done: true });
  });

  it('whose connection dies in the middle is handed it again', async () => {
    const quiet = subscriber();
    await serve(quiet);
    const id = await tell();
    let deaths = 0;
    const reader = {
      ...quiet,
      work: async (tx: Transaction, _: string, facts: readonly DeliveredFact[]) => {
        quiet.handed.push(...facts.map(({ aggregateId }) => aggregateId));
        deaths += 1;
        if (deaths > 1) return new Map<string, string>();
        const [row] = await tx.$queryRaw<[{ pid: number }]>`select pg_backend_pid() as pid`;
        await house.admin.query('select pg_terminate_backend($1)', [row.pid]);
        await tx.$queryRaw`select 1`;
        return new Map<string, string>();
      },
    };
    while (deaths === 0) await serveSubscriber(context, reader).catch(() => {});
    await makeDue(reader);
    await serve(reader);
    expect(quiet.handed.slice(-2)).toEqual([id, id]);
    expect((await deliveriesOf(reader)).at(-1)).toMatchObject({ id, done: true });
  });

  it('of many processes is handed each fact once, however many serve it at one instant', async () => {
    const reader = subscriber();
    await serve(reader);
    reader.handed.length = 0;
    const told = await Promise.all(Array.from({ length: 60 }, () => tell()));
    await Promise.all(Array.from({ length: 6 }, () => serveSubscriber(context, reader)));
    await vi.waitFor(async () => {
      await serve(reader);
      expect(reader.handed.length).toBeGreaterThanOrEqual(60);
    });
    expect([...reader.handed].sort()).toEqual([...told].sort());
  });

  it('misses nothing of a writer that began before and commits behind a later one', async () => {
    const reader = subscriber();
    await serve(reader);
    reader.handed.length = 0;
    const [first, second] = [newId(), newId()];
    await house.inTenant(async (tx) => {
      await tx.$executeRaw`
        insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, data, metadata)
        values (${house.organizationId}::uuid, 'payment-order.paid', 'payment-order', ${first}::uuid, 1, 'worker', '{}', '{}')`;
      await house.append(house.fact({ aggregate: { type: 'payment-order', id: second, version: 1 } }));
      await serveSubscriber(context, reader);
      expect(reader.handed).toEqual([]);
    });
    await serve(reader);
    expect(reader.handed).toEqual([first, second]);
  });
});

describe('deliveries', () => {
  it('that were done long ago are forgotten, and no others', async () => {
    const reader = subscriber();
    const ids = [await tell(), await tell(), await tell()];
    await serve(reader);
    const age = (id: string | undefined, days: number) =>
      sql(
        `update event_deliveries d set processed_at = now() - make_interval(days => $3)
         from events e where e.id = d.event_id and e.aggregate_id = $2 and d.subscriber = $1`,
        reader.name,
        id,
        days,
      );
    await age(ids[0], 8);
    await age(ids[1], 6);
    await sweepDeliveries(context);
    const left = (await deliveriesOf(reader)).map(({ id }) => id);
    expect([left.includes(ids[0] ?? ''), left.includes(ids[1] ?? ''), left.includes(ids[2] ?? '')]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('are moved over by nobody but the worker', async () => {
    for (const scene of [{ kind: 'public', ...REQUEST } as const, { kind: 'identity', ...REQUEST } as const]) {
      const scope = house.database.as(scene);
      const claiming = scope.write((tx) => [tx.$queryRaw`select claim_events('thief', '{payment-order}', 10)`]);
      await expect(claiming).rejects.toThrow();
    }
    expect(await sql(`select from event_bookmarks where subscriber = 'thief'`)).toEqual([]);
  });
});
