import { randomInt } from 'node:crypto';

/** Whether the real figures are asked for: `npm run test:full`. */
export const FULL: boolean = process.env.TOLLHOUSE_TEST_SCALE === 'full';

/** What chance decides by in this run; `TOLLHOUSE_TEST_SEED` makes it what it was in another. */
export const SEED: number = Number(process.env.TOLLHOUSE_TEST_SEED ?? randomInt(1_000_000));

/** Numbers between 0 and 1 that are the same for each seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** All of them in the full run, else about one in so many and never none; the same ones for each seed. */
export function sample<Item>(items: readonly Item[], oneIn: number): readonly Item[] {
  if (FULL || items.length === 0) return items;
  const random = seeded(SEED + items.length);
  const certain = Math.floor(random() * items.length);
  return items.filter((_, place) => random() * oneIn < 1 || place === certain);
}
