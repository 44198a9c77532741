import type { WorkerContext } from '../context.ts';
import { metadataOf } from '../events/model.ts';

/** How many rows are taken away in one transaction. */
const BATCH = 500;

/**
 * Takes away what organizations have whose time to be restored is over, in batches, until nothing is left to be taken.
 * Any number may do it at once: each takes another organization. Can be stopped anywhere.
 */
export async function purgeOrganizations(
  context: WorkerContext,
  { retentionDays, signal, batch = BATCH }: { retentionDays: number; signal?: AbortSignal; batch?: number },
): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  while (!signal?.aborted) {
    const [rows] = await scope.write((tx) => [
      tx.$queryRaw<{ taken: number }[]>`
        /* purgeOrganization */
        select purge_organization(
          ${retentionDays}::int, ${batch}::int, ${JSON.stringify(metadataOf(context))}::jsonb
        ) as taken`,
    ]);
    if (!rows[0]?.taken) return;
  }
}
