import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { appendEvent } from '../../src/events/commands/appendEvent.ts';
import { readEvents } from '../../src/events/commands/readEvents.ts';
import { type EventPosition, LOG_START, readEventCursor, writeEventCursor } from '../../src/events/model.ts';
import { FULL } from '../support/scale.ts';
import { type LogHouse, openLogHouse, REQUEST } from './logHouse.ts';

const EACH = FULL ? 5_000 : 250;
const WRITERS = 8;
const UNDONE = 0.1;

let house: LogHouse;
beforeAll(async () => {
  house = await openLogHouse(WRITERS + 2);
  // what deeds write besides their facts
  await house.admin.query('create table deeds (writer integer, place integer)');
  await house.admin.query('grant insert on deeds to tollhouse_worker');
});
afterAll(() => house.stop());

const here = () => house.database.as({ kind: 'worker', ...REQUEST, organizationId: house.organizationId }).db;

/** Remembers the last number, as one would who believes that numbers are given out in the order of commits. */
async function readNaively(after: bigint): Promise<bigint[]> {
  const { rows } = await house.admin.query<{ position: string }>(
    'select position from events where organization_id = $1 and position > $2 order by position',
    [house.organizationId, String(after)],
  );
  return rows.map(({ position }) => BigInt(position));
}

class Undone extends Error {}

describe('a reader beside many writers', () => {
  it('loses nothing and sees nothing twice, in the order of the log, where one who remembers the last number loses some', {
    timeout: 600_000,
  }, async () => {
    let writing = true;
    let kept = 0;
    const write = async (writer: number): Promise<void> => {
      for (let index = 0; index < EACH; index += 1) {
        const deed = house.inTenant(async (tx) => {
          // what is written first gives the transaction its number, and the fact gets its own only afterwards
          if (index % 2 === 0) {
            await tx.$executeRaw`insert into deeds (writer, place) values (${writer}::integer, ${index}::integer)`;
            if (index % 4 === 0) await tx.$executeRaw`select pg_sleep(0.002)`;
          }
          await appendEvent(REQUEST, tx, house.fact());
          // what else a deed does while its fact has its number and is not there yet
          if (index % 3 === 0) await tx.$executeRaw`select pg_sleep(0.004)`;
          if (Math.random() < UNDONE) throw new Undone();
          kept += 1;
        });
        await deed.catch((error: unknown) => {
          if (!(error instanceof Undone)) throw error;
        });
      }
    };
    const seen: string[] = [];
    const naive = new Set<bigint>();
    let last: EventPosition = LOG_START;
    const read = async (): Promise<number> => {
      const page = await readEvents(here(), {
        organizationId: house.organizationId,
        after: last,
        limit: 100,
      });
      seen.push(...page.map(({ id }) => id));
      last = page.at(-1) ?? last;
      return page.length;
    };
    let highest = 0n;
    const readBoth = async (): Promise<void> => {
      while (writing) {
        await read();
        const fresh = await readNaively(highest);
        for (const position of fresh) naive.add(position);
        highest = fresh.at(-1) ?? highest;
      }
    };
    const readers = readBoth();
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
    writing = false;
    await readers;
    // other tests of the same server may hold the end of the log back for a while
    await vi.waitFor(
      async () => {
        while ((await read()) > 0);
        if (seen.length < kept) throw new Error(`${seen.length} of ${kept} facts are there`);
      },
      { timeout: 60_000, interval: 50 },
    );
    for (const position of await readNaively(highest)) naive.add(position);

    const { rows } = await house.admin.query<{ id: string }>(
      'select id from events where organization_id = $1 order by epoch, transaction_id, position',
      [house.organizationId],
    );
    const lost = rows.length - naive.size;
    console.info(`${rows.length} facts of ${WRITERS} writers; the naive reader lost ${lost}`);
    expect(rows).toHaveLength(kept);
    expect(seen).toEqual(rows.map(({ id }) => id));
    expect(lost).toBeGreaterThan(0);
  });
});

describe('a cursor', () => {
  it('is what it was written from', () => {
    const position = { epoch: 3, transactionId: 2n ** 62n, position: 17n };
    expect(readEventCursor(writeEventCursor(position))).toEqual(position);
  });

  it.each([
    '',
    'x',
    Buffer.from('1.2').toString('base64url'),
    Buffer.from('1.2.3.4').toString('base64url'),
    Buffer.from('01.2.3').toString('base64url'),
    Buffer.from('1.-2.3').toString('base64url'),
    Buffer.from('4294967296.2.3').toString('base64url'),
    Buffer.from(`1.${2n ** 63n}.3`).toString('base64url'),
    `${writeEventCursor(LOG_START)}=`,
  ])('of another make is refused: %j', (text) => {
    expect(() => readEventCursor(text)).toThrow(/cursor/i);
  });
});
