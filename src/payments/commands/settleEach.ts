import { BATCH } from '../model.ts';

/** Tries something that must not hold up what comes after it; whether it was done: not when it fails, nor when it says `false`. */
export type Attempt = (work: Promise<unknown>) => Promise<boolean>;

/**
 * Settles what may move, page by page, until a page was done: what is done is not asked for again, so the next round goes
 * on from there. Behind one of which something was not done the next page is taken, so that it holds up nobody.
 */
export async function settleEach<Row>(input: {
  /** At most `BATCH` of them behind that row, in one order; those that cannot move are left out. */
  readonly page: (after: Row | null) => Promise<readonly Row[]>;
  readonly settle: (row: Row) => Promise<boolean>;
}): Promise<void> {
  let after: Row | null = null;
  for (;;) {
    const rows: readonly Row[] = await input.page(after);
    let left = 0;
    for (const row of rows) left += (await input.settle(row)) ? 0 : 1;
    if (left === 0 || rows.length < BATCH) return;
    after = rows.at(-1) ?? null;
  }
}
