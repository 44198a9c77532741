import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { settleEach } from '../../src/payments/commands/settleEach.ts';
import { lanesOf } from '../../src/payments/model/lanes.ts';
import { BATCH } from '../../src/payments/model.ts';

const seen = (id: number, ...names: string[]) => ({
  id,
  assetId: 'token',
  sender: 'ann',
  recipient: 'shop',
  names,
});

/** The parts, by the numbers of what is in them. */
const parts = (...transfers: readonly ReturnType<typeof seen>[]): readonly (readonly number[])[] =>
  lanesOf(transfers).map((lane) => lane.map(({ id }) => id));

describe('transfers that name', () => {
  it('one order each are judged apart, those that name the same one after another', () => {
    expect(parts(seen(1, 'a'), seen(2, 'b'), seen(3, 'a'), seen(4, 'c'))).toEqual([[1, 3], [2], [4]]);
  });

  it('nothing are one part for each payee and asset, whoever sends them', () => {
    expect(
      parts(
        seen(1),
        { ...seen(2), sender: 'bob' },
        { ...seen(3), recipient: 'inn' },
        { ...seen(4), assetId: 'coin' },
        seen(5),
      ),
    ).toEqual([[1, 2, 5], [3], [4]]);
  });

  it('one order wait for what else their sender has sent that names none, or several', () => {
    const others = [{ ...seen(3, 'c'), sender: 'bob' }, { ...seen(4, 'd'), recipient: 'inn' }, seen(5, 'e')];
    expect(parts(seen(1, 'a'), seen(2), ...others)).toEqual([[1, 2, 5], [3], [4]]);
    expect(parts(seen(1, 'a'), seen(2, 'a', 'b'), ...others)).toEqual([[1, 2, 5], [3], [4]]);
  });
});

describe('settling', () => {
  const rows = (from: number, count: number): number[] => Array.from({ length: count }, (_, place) => from + place);
  const apart = (page: readonly number[]): number[][] => page.map((row) => [row]);

  it('takes some at once and not all, and each lane in its order', async () => {
    let working = 0;
    let most = 0;
    const done: number[] = [];
    const isMore = await settleEach<number>({
      page: async () => rows(0, 40),
      lanes: (page) => rows(0, 8).map((lane) => page.filter((row) => row % 8 === lane)),
      settle: async (row) => {
        working += 1;
        most = Math.max(most, working);
        await sleep(1);
        working -= 1;
        done.push(row);
        return true;
      },
    });
    expect(isMore).toBe(false);
    expect(most).toBe(4);
    for (const lane of rows(0, 8)) {
      const own = done.filter((row) => row % 8 === lane);
      expect(own).toEqual([...own].sort((one, other) => one - other));
    }
    expect(done).toHaveLength(40);
  });

  it('goes one after another where nobody says that it need not', async () => {
    const done: number[] = [];
    await settleEach<number>({
      page: async () => rows(0, 9),
      settle: async (row) => {
        await sleep(row % 3);
        done.push(row);
        return true;
      },
    });
    expect(done).toEqual(rows(0, 9));
  });

  it('ends behind a page that was done and says that more may wait, and takes the next one behind any other', async () => {
    const asked: (number | null)[] = [];
    const take = (failing: number) =>
      settleEach<number>({
        page: async (after) => {
          asked.push(after);
          return after === null ? rows(0, BATCH) : rows(after + 1, 3);
        },
        lanes: apart,
        settle: async (row) => row !== failing,
      });
    expect(await take(-1)).toBe(true);
    expect(asked.splice(0)).toEqual([null]);
    expect(await take(7)).toBe(false);
    expect(asked).toEqual([null, BATCH - 1]);
  });

  it('ends once as many were done as are on a page, however many fail between them', async () => {
    const asked: (number | null)[] = [];
    const done: number[] = [];
    const isMore = await settleEach<number>({
      page: async (after) => {
        asked.push(after);
        return rows((after ?? -1) + 1, BATCH);
      },
      lanes: apart,
      settle: async (row) => {
        // of the first page none, and then every other one
        const isDone = row >= BATCH && row % 2 === 0;
        if (isDone) done.push(row);
        return isDone;
      },
    });
    expect(isMore).toBe(true);
    expect(asked).toEqual([null, BATCH - 1, 2 * BATCH - 1]);
    expect(done).toHaveLength(BATCH);
  });

  it('that breaks off has nothing going on any more, and begins nothing', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const settled = settleEach<number>({
      page: async () => rows(0, 20),
      lanes: apart,
      settle: async (row) => {
        begun.push(row);
        if (row === 1) throw new Error('There is no database.');
        await sleep(20);
        ended.push(row);
        return true;
      },
    });
    await expect(settled).rejects.toThrow('There is no database.');
    expect(begun).toEqual([0, 1, 2, 3]);
    expect(ended).toEqual([0, 2, 3]);
  });
});
