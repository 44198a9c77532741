import type { WorkerContext } from '../../context.ts';
import type { Subscriber } from '../model.ts';

/** How many facts a bookmark moves over at a time. */
const BATCH = 500;

/**
 * Moves a subscriber's bookmark to the end of the log, and makes a delivery of each fact that concerns it. Any number may
 * try at once: one of them moves it. Can be stopped anywhere.
 */
export async function claimEvents(
  context: WorkerContext,
  { name, about }: Pick<Subscriber<never>, 'name' | 'about'>,
  signal?: AbortSignal,
): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  while (!signal?.aborted) {
    const [rows] = await scope.write((tx) => [
      tx.$queryRaw<{ claimed: number | null }[]>`
        /* claimEvents */
        select claim_events(${name}, ${about}::text[], ${BATCH}::integer) as claimed`,
    ]);
    if (rows[0]?.claimed !== BATCH) return;
  }
}
