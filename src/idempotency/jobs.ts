import type { WorkerContext } from '../context.ts';

/** Forgets keys whose time is over. */
export async function sweepIdempotencyKeys(context: WorkerContext): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  // The policies leave the worker nothing but what has expired.
  await scope.write((tx) => [tx.idempotencyKey.deleteMany()]);
}
