import { TollhouseError } from './tollhouseError.ts';

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 30_000;
/** Whoever is to wait longer than this is better told so. */
const LONGEST_RETRY_AFTER_S = 10;

/** How often something is tried again, and how many seconds the gateway may ask one to wait before. */
interface Patience {
  readonly retries: number;
  readonly signal: AbortSignal | undefined;
  readonly longest?: number;
}

/** How long to wait before the next try: longer each time, and never two clients alike, so that they do not come at once. */
export function delayOf(tries: number, retryAfter = 0): number {
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** tries);
  return retryAfter * 1000 + ceiling * (0.5 + Math.random() / 2);
}

/** Waits, unless it is aborted. */
export function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const wake = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', wake);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', wake, { once: true });
  });
}

/** Waits for what others wait for as well: an abort ends the waiting, and not the work. */
export function until<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    // First of all, since its failure is to be heard by somebody, even where nobody waits any more.
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
}

/** Runs it again after a failure that says it may be tried again, a few times, and then throws the last one. */
export async function withRetries<Result>(
  run: () => Promise<Result>,
  { retries, signal, longest = LONGEST_RETRY_AFTER_S }: Patience,
): Promise<Result> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      const again = error instanceof TollhouseError && error.retryable && tries < retries;
      if (!again || (error.retryAfter ?? 0) > longest) throw error;
      await sleep(delayOf(tries, error.retryAfter), signal);
    }
  }
}
