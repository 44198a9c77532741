import type { WorkerContext } from '../../context.ts';

/** How many ways to pay one transaction says it of, so that nobody waits long for their links. */
const AT_ONCE = 300;

/**
 * Says of all links whether their chains are watched, where they say something else: a batch a transaction, until none does.
 * @param input.signal ends it between two of them
 */
export async function recheckWatched(
  context: WorkerContext,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  while (!signal?.aborted) {
    const [[found]] = await scope.write((tx) => [
      tx.$queryRaw<{ links: number }[]>`/* recheckWatched */ select recheck_watched(${AT_ONCE}::int) as links`,
    ]);
    if (!found?.links) return;
  }
}
