import type { WorkerContext } from '../context.ts';

/** Deletes challenges and merge tickets that have expired, codes that count no more, and counts of windows and failures that are a day old. */
export async function sweepSignIns(context: WorkerContext): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  await scope.transaction(async (tx) => {
    // The policies leave the worker nothing but what has expired.
    await tx.challenge.deleteMany();
    await tx.mergeTicket.deleteMany();
    await tx.emailCode.deleteMany();
    await tx.rateLimit.deleteMany();
    await tx.signInFailure.deleteMany();
  });
}
