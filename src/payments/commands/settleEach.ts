import { BATCH } from '../model.ts';

/** Tries something that must not hold up what comes after it; whether it was done: not when it fails, nor when it says `false`. */
export type Attempt = (work: Promise<unknown>) => Promise<boolean>;

/** So many at once: below what the pool has, since whoever asks the gateway for something waits for the same connections. */
const AT_ONCE = 4;

/**
 * Settles what may move, page by page, until a page was done: what is done is not asked for again, so the next round goes
 * on from there. Behind one of which something was not done the next page is taken, so that it holds up nobody; until as
 * many were done as are on a page, however many fail between them, so that a round has an end.
 * @returns whether more of them may wait: the last page was a full one
 */
export async function settleEach<Row>(input: {
  /** At most `BATCH` of them behind that row, in one order; those that cannot move are left out. */
  readonly page: (after: Row | null) => Promise<readonly Row[]>;
  /** Parts of a page that nothing connects: they are settled at once, what is in one of them in its order. One unless given. */
  readonly lanes?: (rows: readonly Row[]) => readonly (readonly Row[])[];
  readonly settle: (row: Row) => Promise<boolean>;
}): Promise<boolean> {
  const { page, lanes = (rows) => [rows], settle } = input;
  let after: Row | null = null;
  let done = 0;
  for (;;) {
    const rows: readonly Row[] = await page(after);
    const left = await settleLanes(lanes(rows), settle);
    const isFull = rows.length >= BATCH;
    done += rows.length - left;
    if (left === 0 || done >= BATCH || !isFull) return isFull;
    after = rows.at(-1) ?? null;
  }
}

/** How many were not done. What is thrown ends all lanes, and is thrown when none of them is at work any more. */
async function settleLanes<Row>(
  lanes: readonly (readonly Row[])[],
  settle: (row: Row) => Promise<boolean>,
): Promise<number> {
  let left = 0;
  let next = 0;
  let isOver = false;
  const walk = async (): Promise<void> => {
    for (let lane = lanes[next++]; lane; lane = lanes[next++]) {
      for (const row of lane) {
        if (isOver) return;
        const isDone = await settle(row);
        // counted behind the wait: others have counted meanwhile
        if (!isDone) left += 1;
      }
    }
  };
  const walking = Array.from({ length: Math.min(AT_ONCE, lanes.length) }, () =>
    walk().catch((error: unknown) => {
      isOver = true;
      throw error;
    }),
  );
  await Promise.allSettled(walking);
  await Promise.all(walking);
  return left;
}
