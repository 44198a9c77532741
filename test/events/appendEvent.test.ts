import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { poolOptions } from '../../src/database/pool.ts';
import { type Database, openDatabase, type Transaction } from '../../src/database/scope.ts';
import { readEnvironment } from '../../src/environment.ts';
import { appendEvent, type NewEvent } from '../../src/events/commands/appendEvent.ts';
import { newId } from '../../src/kernel/ids.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';

let place: TestDatabase;
let database: Database;
let admin: pg.Client;
const organizationId = newId();

beforeAll(async () => {
  place = await freshDatabase();
  database = openDatabase(poolOptions(readEnvironment({ NODE_ENV: 'test' }), place.gatewayUrl));
  admin = new pg.Client({ connectionString: place.adminUrl });
  await admin.connect();
  await admin.query(`insert into organizations (id, name, slug) values ($1, 'Aurora', 'aurora')`, [organizationId]);
});
afterAll(async () => {
  await admin.end();
  await database.close();
  await place.drop();
});

const sql = async <Row = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<Row[]> =>
  (await admin.query(text, values)).rows as Row[];

/** A fact of the worker's about something of its own. */
function fact(given: { readonly id?: string; readonly version?: number } & Partial<NewEvent> = {}): NewEvent {
  const { id = newId(), version = 1, ...rest } = given;
  return {
    type: 'payment-order.paid',
    organizationId,
    aggregate: { type: 'payment-order', id, version },
    actor: 'worker',
    tags: [`payment-order:${id}`],
    data: { from: 'CONFIRMING', to: 'PAID' },
    ...rest,
  };
}

const inTenant = (run: (tx: Transaction) => Promise<unknown>, tenant = organizationId): Promise<unknown> =>
  database.as({ kind: 'worker', requestId: 'request-1', organizationId: tenant }).transaction(run);

const append = (event: NewEvent, tenant?: string): Promise<unknown> =>
  inTenant((tx) => appendEvent({ requestId: 'request-1' }, tx, event), tenant);

const toldOf = (id: string) => sql('select * from events where aggregate_id = $1 order by aggregate_version', id);

describe('a fact', () => {
  it('is kept as it was told, with where it came from and its place in the log', async () => {
    const id = newId();
    let xid = '';
    await inTenant(async (tx) => {
      await appendEvent(
        {
          requestId: 'request-1',
          client: { address: '192.0.2.1', limitKey: '192.0.2.1', userAgent: 'curl', origin: null },
        },
        tx,
        fact({ id }),
      );
      const [row] = await tx.$queryRaw<{ xid: string }[]>`select pg_current_xact_id()::text as xid`;
      xid = row?.xid ?? '';
    });
    expect(await toldOf(id)).toMatchObject([
      {
        organization_id: organizationId,
        type: 'payment-order.paid',
        version: 1,
        aggregate_type: 'payment-order',
        aggregate_version: 1,
        actor: 'worker',
        tags: [`payment-order:${id}`],
        data: { from: 'CONFIRMING', to: 'PAID' },
        metadata: { requestId: 'request-1', clientAddress: '192.0.2.1', userAgent: 'curl' },
        epoch: 1,
        transaction_id: xid,
      },
    ]);
  });

  it('of a deed that was undone was never told', async () => {
    const id = newId();
    const undone = inTenant(async (tx) => {
      await appendEvent({ requestId: 'request-1' }, tx, fact({ id }));
      throw new Error('something else failed');
    });
    await expect(undone).rejects.toThrow('something else failed');
    expect(await toldOf(id)).toEqual([]);
  });

  it('has a version that no other fact of its aggregate has, of however many at once', async () => {
    const id = newId();
    await append(fact({ id }));
    await expect(append(fact({ id }))).rejects.toThrow();
    const second = Array.from({ length: 8 }, () => append(fact({ id, version: 2 })));
    const outcomes = await Promise.allSettled(second);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await toldOf(id)).toMatchObject([{ aggregate_version: 1 }, { aggregate_version: 2 }]);
  });

  it('may have the version of another aggregate’s', async () => {
    await Promise.all([append(fact()), append(fact())]);
  });

  it.each([
    ['of another tenant', () => append(fact({ organizationId: newId() }))],
    ['without a tenant', () => append(fact(), '')],
    ['in somebody else’s name', () => append(fact({ actor: 'payer' }))],
    ['of version 0', () => append(fact({ version: 0 }))],
    ['of no known shape of type', () => append(fact({ type: 'Paid' }))],
  ])('%s is refused', async (_, tell) => {
    const before = await sql('select count(*) from events');
    await expect(tell()).rejects.toThrow();
    expect(await sql('select count(*) from events')).toEqual(before);
  });

  it.each([
    ['changed', `update events set data = '{}'`],
    ['taken back', 'delete from events'],
    ['taken back with all others', 'truncate events'],
  ])('cannot be %s by anybody whom the gateway can become', async (_, statement) => {
    await append(fact());
    const gateway = new pg.Client({ connectionString: place.gatewayUrl });
    await gateway.connect();
    for (const role of ['none', 'tollhouse_public', 'tollhouse_identity', 'tollhouse_member', 'tollhouse_worker']) {
      await gateway.query('begin');
      await gateway.query(`set local role ${role}`);
      await expect(gateway.query(statement)).rejects.toThrow('permission denied');
      await gateway.query('rollback');
    }
    await gateway.end();
  });
});

interface Place {
  readonly epoch: number;
  readonly transactionId: string;
  readonly position: string;
}

const START: Place = { epoch: 0, transactionId: '0', position: '0' };

/** What docs/domains/events.md tells readers to do: what follows the bookmark, below every transaction still open. */
const readOn = ({ epoch, transactionId, position }: Place) =>
  sql<Place & { id: string }>(
    `select aggregate_id as id, epoch, transaction_id::text as "transactionId", position::text
     from events
     where (epoch, transaction_id, position) > ($1, $2::xid8, $3)
       and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
     order by epoch, transaction_id, position
     limit 20`,
    epoch,
    transactionId,
    position,
  );

const readAll = async (from: Place, into: string[]): Promise<Place> => {
  let place = from;
  for (;;) {
    const page = await readOn(place);
    into.push(...page.map(({ id }) => id));
    const last = page.at(-1);
    if (!last) return place;
    place = last;
  }
};

/** The place behind all that there is. Other tests of this server hold transactions open, and readers stop below them. */
const readToEnd = async (from: Place, into: string[]): Promise<Place> => {
  for (let place = await readAll(from, into); ; place = await readAll(place, into)) {
    const [{ behind } = { behind: true }] = await sql<{ behind: boolean }>(
      `select exists (select from events where (epoch, transaction_id, position) > ($1, $2::xid8, $3)) as behind`,
      place.epoch,
      place.transactionId,
      place.position,
    );
    if (!behind) return place;
    await sleep(20);
  }
};

describe('reading by (epoch, transaction id, position)', () => {
  it('loses nothing of a writer that commits behind a later one, as reading by position does', async () => {
    const bookmark = await readToEnd(START, []);
    const [slow, fast] = [newId(), newId()];
    const seen: string[] = [];
    const byPosition = (after: string) =>
      sql<{ id: string; position: string }>(
        'select aggregate_id as id, position from events where position > $1 order by position',
        after,
      );
    let place = bookmark;
    let positions: { id: string; position: string }[] = [];
    await inTenant(async (tx) => {
      await appendEvent({ requestId: 'request-1' }, tx, fact({ id: slow }));
      await append(fact({ id: fast }));
      place = await readAll(place, seen);
      positions = await byPosition(bookmark.position);
      expect(seen).toEqual([]);
      expect(positions.map(({ id }) => id)).toEqual([fast]);
    });
    await readToEnd(place, seen);
    expect(seen).toEqual([slow, fast]);
    expect(await byPosition(positions[0]?.position ?? '')).toEqual([]);
  });

  it('sees each fact of many writers once, whenever it looks', async () => {
    const seen: string[] = [];
    let place = await readToEnd(START, []);
    const writers = Array.from({ length: 6 }, async () => {
      const written: string[] = [];
      for (let round = 0; round < 15; round += 1) {
        const id = newId();
        written.push(id);
        await inTenant(async (tx) => {
          await appendEvent({ requestId: 'request-1' }, tx, fact({ id }));
          await sleep(Math.random() * 10);
        });
      }
      return written;
    });
    let writing = true;
    const all = Promise.all(writers).finally(() => {
      writing = false;
    });
    while (writing) {
      place = await readAll(place, seen);
      await sleep(2);
    }
    await readToEnd(place, seen);
    expect(seen.length).toBe(new Set(seen).size);
    expect([...seen].sort()).toEqual((await all).flat().sort());
  });

  it('goes on in the next epoch, though transaction ids begin anew there', async () => {
    const place = await readToEnd(START, []);
    await sql(`insert into event_epochs (epoch, system_identifier) values (2, 'another cluster')`);
    const id = newId();
    await append(fact({ id }));
    // As if this transaction were among the first of a new cluster.
    await sql(`update events set transaction_id = '5' where aggregate_id = $1`, id);
    const seen: string[] = [];
    await readToEnd(place, seen);
    expect(seen).toEqual([id]);
  });
});
