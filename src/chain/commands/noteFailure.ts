import type { WorkerContext } from '../../context.ts';

/**
 * Says that a chain could not be read, for everybody to see: how the last attempt failed, and since when all have. A chain
 * that was never registered has nowhere to say it.
 * @param input.reason is shown to anybody
 */
export async function noteFailure(
  context: WorkerContext,
  { chainId, reason }: { readonly chainId: number; readonly reason: string },
): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  await scope.write((tx) => [
    tx.$executeRaw`
      /* noteFailure */
      update chain_incarnations
      set failing_since = coalesce(failing_since, clock_timestamp()),
          failure = ${reason},
          -- somebody would watch it
          unwatched_since = null
      where chain_id = ${chainId} and current and (failure is distinct from ${reason} or unwatched_since is not null)`,
  ]);
}
