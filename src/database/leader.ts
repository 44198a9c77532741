import { setTimeout } from 'node:timers/promises';
import pg from 'pg';

const RETRY_MS = 1_000;

/** Somebody who wants to lead; ends when it is told to. */
export interface Leader {
  stop(): Promise<void>;
}

/**
 * Does work that only one process of all may do at a time: whoever holds the lock of this name in the database. The
 * others wait. The lock belongs to a connection of its own and falls with it, however the process ends.
 * @param work goes on until its signal is aborted: at the end, or when the lock was lost
 */
export function lead(
  options: { readonly url: string; readonly name: string; readonly onError: (error: unknown) => void },
  work: (signal: AbortSignal) => Promise<void>,
): Leader {
  const ending = new AbortController();
  const done = (async () => {
    while (!ending.signal.aborted) {
      await term(options, ending.signal, work).catch(options.onError);
      await setTimeout(RETRY_MS, undefined, { signal: ending.signal }).catch(() => {});
    }
  })();
  return {
    stop: () => {
      ending.abort();
      return done;
    },
  };
}

/** Waits for the lock, works while it is held, and gives it back. */
async function term(
  { url, name }: { readonly url: string; readonly name: string },
  ending: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'tollhouse leader',
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
  });
  const lost = new AbortController();
  client.on('error', () => lost.abort());
  client.on('end', () => lost.abort());
  const over = AbortSignal.any([ending, lost.signal]);
  await client.connect();
  try {
    while (!over.aborted) {
      const { rows } = await client.query<{ held: boolean }>(
        '/* lead */ select pg_try_advisory_lock(hashtextextended($1, 0)) as held',
        [name],
      );
      if (rows[0]?.held) return await work(over);
      await setTimeout(RETRY_MS, undefined, { signal: over }).catch(() => {});
    }
  } finally {
    await client.end().catch(() => {});
  }
}
