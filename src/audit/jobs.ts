import type { WorkerContext } from '../context.ts';

/** How many entries are sealed in one transaction: some thirty milliseconds. */
const BATCH = 500;

/**
 * Seals what was committed since, in batches, until nothing is left that may be sealed. Any number may try at once:
 * one of them seals, and the others find nothing to do. Can be stopped anywhere.
 */
export async function sealAuditEntries(context: WorkerContext, signal?: AbortSignal): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  while (!signal?.aborted) {
    const [rows] = await scope.write((tx) => [
      tx.$queryRaw<{ sealed: number | null }[]>`
        /* sealAuditEntries */
        select seal_audit_entries(${BATCH}::integer) as sealed`,
    ]);
    if (rows[0]?.sealed !== BATCH) return;
  }
}
