import type { WorkerContext } from '../context.ts';
import { metadataOf } from '../events/model.ts';

/** How many rows are taken away in one transaction. */
const BATCH = 500;

/** Of which organization something was taken away, or why not. */
interface Purged {
  readonly organizationId: string;
  readonly fault: string | null;
}

/**
 * Takes away what organizations have whose time to be restored is over, in batches, until nothing is left to be taken.
 * Any number may do it at once: each takes another organization. One that fails is logged and passed over, until the job
 * is done again. Can be stopped anywhere.
 */
export async function purgeOrganizations(
  context: WorkerContext,
  { retentionDays, signal, batch = BATCH }: { retentionDays: number; signal?: AbortSignal; batch?: number },
): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const passedOver: string[] = [];
  while (!signal?.aborted) {
    const [[purged]] = await scope.write((tx) => [
      tx.$queryRaw<Purged[]>`
        /* purgeOrganization */
        select organization as "organizationId", fault
        from purge_organization(
          ${retentionDays}::int, ${batch}::int, ${JSON.stringify(metadataOf(context))}::jsonb, ${passedOver}::uuid[]
        )`,
    ]);
    if (!purged) return;
    const { organizationId, fault } = purged;
    if (fault === null) continue;
    context.log.error({ organizationId, fault, requestId: context.requestId }, 'an organization could not be purged');
    passedOver.push(organizationId);
  }
}
