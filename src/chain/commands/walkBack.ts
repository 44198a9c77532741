import type { WorkerContext } from '../../context.ts';
import type { ChainReader } from '../../ports.ts';

/**
 * Forgets the blocks that are no longer the chain's, back to the common ancestor, and marks the transfers in them as
 * orphaned. A reorganization deeper than the blocks that are kept halts the watcher: nothing is rolled back blindly.
 */
export async function walkBack(
  context: WorkerContext,
  input: { readonly incarnationId: string; readonly reader: ChainReader; readonly from: bigint },
): Promise<void> {
  const { incarnationId, reader, from } = input;
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const kept = await scope.db.chainBlock.findMany({
    where: { incarnationId, number: { lte: from } },
    orderBy: { number: 'desc' },
    select: { number: true, hash: true },
  });
  let ancestor: bigint | null = null;
  for (const { number, hash } of kept) {
    if ((await reader.hashOf(number)) === hash) {
      ancestor = number;
      break;
    }
  }
  if (ancestor === null) return halt(context, incarnationId, kept.length);

  const common = ancestor;
  const orphaned = await scope.transaction(async (tx) => {
    await tx.chainIncarnation.updateMany({ where: { id: incarnationId }, data: { headNumber: common } });
    await tx.chainBlock.deleteMany({ where: { incarnationId, number: { gt: common } } });
    const { count } = await tx.chainTransfer.updateMany({
      where: { incarnationId, blockNumber: { gt: common }, orphaned: false },
      data: { orphaned: true, judgedAt: null },
    });
    return count;
  });
  context.log.warn({ chainId: reader.chainId, ancestor: common.toString(), orphaned }, 'the chain was reorganized');
}

async function halt(context: WorkerContext, id: string, depth: number): Promise<void> {
  const haltReason = `The chain was reorganized deeper than the ${depth} blocks that are kept.`;
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  await scope.transaction((tx) => tx.chainIncarnation.updateMany({ where: { id }, data: { haltReason } }));
  context.log.error({ incarnationId: id, depth }, haltReason);
}
