import { Worker } from 'node:worker_threads';

/** Runs things a little later, in the order in which they came. */
export interface Delay {
  /** From now on; the same for all. */
  set(ms: number): void;
  after(deed: () => void): void;
}

/** The clock that both threads read, in milliseconds. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** What is due within this is done at once. */
const NEAR_ENOUGH_MS = 0.02;

/**
 * Makes a delay that is exact to about a tenth of a millisecond: node's timers count whole milliseconds, so another
 * thread sleeps for us and wakes us when the oldest is due.
 */
export function createDelay(): Delay {
  const shared = new SharedArrayBuffer(16);
  const armed = new Int32Array(shared, 0, 1);
  const due = new Float64Array(shared, 8, 1);
  const sleeper = new Worker(new URL('sleeper.mjs', import.meta.url), { workerData: shared });
  const waiting: { readonly due: number; readonly deed: () => void }[] = [];
  let ms = 0;
  const arm = (): void => {
    due[0] = waiting[0]?.due ?? 0;
    Atomics.store(armed, 0, 1);
    Atomics.notify(armed, 0);
  };
  sleeper.on('message', () => {
    const time = now() + NEAR_ENOUGH_MS;
    while (waiting[0] && waiting[0].due <= time) waiting.shift()?.deed();
    if (waiting.length > 0) arm();
  });
  return {
    set: (next) => {
      ms = next;
    },
    after: (deed) => {
      if (ms === 0 && waiting.length === 0) return deed();
      waiting.push({ due: now() + ms, deed });
      if (waiting.length === 1) arm();
    },
  };
}
