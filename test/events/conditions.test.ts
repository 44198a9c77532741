import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { appendEventIf } from '../../src/events/commands/appendEventIf.ts';
import { readEvents } from '../../src/events/commands/readEvents.ts';
import { type EventPosition, type EventQuery, LOG_START, readEventCursor } from '../../src/events/model.ts';
import { GatewayError } from '../../src/kernel/errors.ts';
import { newId } from '../../src/kernel/ids.ts';
import { FULL } from '../support/scale.ts';
import { type LogHouse, openLogHouse, REQUEST } from './logHouse.ts';

const ROUNDS = FULL ? 200 : 20;
const RIVALS = 16;

let house: LogHouse;
beforeAll(async () => {
  house = await openLogHouse(RIVALS);
});
afterAll(() => house.stop());

const tag = (): string => `payment-link:${newId()}`;

function tryAppend(tags: readonly string[], none: readonly EventQuery[], after: EventPosition = LOG_START) {
  return house
    .inTenant((tx) => appendEventIf(REQUEST, tx, house.fact({ tags }), { none, after }))
    .then(
      () => 'OK' as const,
      (error: unknown) => {
        if (error instanceof GatewayError) return error;
        throw error;
      },
    );
}

const read = (query: EventQuery) =>
  readEvents(house.database.as({ kind: 'worker', ...REQUEST, organizationId: house.organizationId }).db, {
    organizationId: house.organizationId,
    after: LOG_START,
    limit: 100,
    ...query,
  });

/** What is read once so much is there: other tests of the same server may hold the end of the log back. */
const readAll = (query: EventQuery, count: number) =>
  vi.waitFor(
    async () => {
      const rows = await read(query);
      if (rows.length < count) throw new Error(`${rows.length} of ${count} facts are there`);
      return rows;
    },
    { timeout: 30_000, interval: 20 },
  );

const codeOf = (outcome: 'OK' | GatewayError): string => (outcome === 'OK' ? outcome : outcome.code);

describe('a fact with a condition', () => {
  it(`is told by exactly one of ${RIVALS} at one instant, and the others learn by which`, async () => {
    let wins = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const one = tag();
      const outcomes = await Promise.all(Array.from({ length: RIVALS }, () => tryAppend([one], [{ tags: [one] }])));
      wins += outcomes.filter((outcome) => outcome === 'OK').length;
      const [told] = await readAll({ tags: [one] }, 1);
      for (const outcome of outcomes) {
        if (outcome === 'OK') continue;
        expect([outcome.code, readEventCursor(String(outcome.facts.position))]).toEqual([
          'CONSISTENCY_CONFLICT',
          { epoch: told?.epoch, transactionId: told?.transactionId, position: told?.position },
        ]);
      }
    }
    console.info(`${wins} wins of ${ROUNDS} rounds of ${RIVALS}`);
    expect(wins).toBe(ROUNDS);
  });

  it('is told when nothing that it names stands behind the position, and refused when something does', async () => {
    const one = tag();
    expect(codeOf(await tryAppend([one], [{ tags: [one] }]))).toBe('OK');
    const [first] = await readAll({ tags: [one] }, 1);
    if (!first) throw new Error('It was not told.');
    expect(codeOf(await tryAppend([one], [{ tags: [one] }]))).toBe('CONSISTENCY_CONFLICT');
    expect(codeOf(await tryAppend([one], [{ tags: [one] }], first))).toBe('OK');
    expect(codeOf(await tryAppend([one], [{ tags: [one] }], first))).toBe('CONSISTENCY_CONFLICT');
    expect(await readAll({ tags: [one] }, 2)).toHaveLength(2);
  });

  it.each<[string, (one: string) => EventQuery[], string]>([
    ['all of a query’s tags', (one) => [{ tags: [one, tag()] }], 'OK'],
    [
      'any of a query’s types',
      (one) => [{ types: ['a.b', 'payment-order.paid'], tags: [one] }],
      'CONSISTENCY_CONFLICT',
    ],
    ['none but a query’s types', (one) => [{ types: ['payment-order.failed'], tags: [one] }], 'OK'],
    ['any of the queries', (one) => [{ tags: [tag()] }, { tags: [one] }], 'CONSISTENCY_CONFLICT'],
    ['nothing at all', () => [], 'OK'],
    ['everything', () => [{}], 'CONSISTENCY_CONFLICT'],
  ])('counts %s', async (_, queries, expected) => {
    const one = tag();
    await house.append(house.fact({ tags: [one] }));
    expect(codeOf(await tryAppend([one], queries(one)))).toBe(expected);
  });

  it('waits for a plain one that is not yet committed, and then counts it', async () => {
    const one = tag();
    let undone: Promise<unknown> = Promise.resolve();
    await house.inTenant(async (tx) => {
      await tx.$executeRaw`select 1`;
      await house.admin.query('begin');
      await house.admin.query(
        `insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data,
           metadata)
         values ($1, 'payment-order.paid', 'payment-order', $2, 1, 'worker', $3, '{}', '{}')`,
        [house.organizationId, newId(), [one]],
      );
      undone = tryAppend([one], [{ tags: [one] }]);
    });
    await house.admin.query('commit');
    expect(codeOf((await undone) as 'OK' | GatewayError)).toBe('CONSISTENCY_CONFLICT');
  });

  it('that is refused leaves nothing of its deed', async () => {
    const [one, other] = [tag(), tag()];
    await house.append(house.fact({ tags: [one] }));
    const deed = house.inTenant(async (tx) => {
      await appendEventIf(REQUEST, tx, house.fact({ tags: [other] }), { none: [{ tags: [other] }], after: LOG_START });
      await appendEventIf(REQUEST, tx, house.fact({ tags: [one] }), { none: [{ tags: [one] }], after: LOG_START });
    });
    await expect(deed).rejects.toThrow(GatewayError);
    expect(await read({ tags: [other] })).toEqual([]);
  });

  it('looks into no other organization’s log, and into none for who may not read it', async () => {
    const look = `select * from newest_event($1, null, null, 0, '0', 0)`;
    const asking = async (role: string, settings: Record<string, string>): Promise<unknown> => {
      await house.admin.query('begin');
      try {
        for (const [name, value] of Object.entries(settings)) {
          await house.admin.query('select set_config($1, $2, true)', [name, value]);
        }
        await house.admin.query(`set local role ${role}`);
        return (await house.admin.query(look, [house.organizationId])).rowCount;
      } catch (error) {
        return (error as { code?: string }).code;
      } finally {
        await house.admin.query('rollback');
      }
    };
    await house.append(house.fact());
    const inside = { 'app.organization_id': house.organizationId };
    expect(await asking('tollhouse_worker', inside)).toBe(1);
    expect(await asking('tollhouse_worker', { 'app.organization_id': newId() })).toBe('42501');
    expect(await asking('tollhouse_member', { ...inside, 'app.permissions': 'events:read' })).toBe(1);
    expect(await asking('tollhouse_member', { ...inside, 'app.permissions': 'payments:read' })).toBe('42501');
    expect(await asking('tollhouse_public', inside)).toBe('42501');
  });
});
