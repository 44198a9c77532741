import type { WorkerContext } from '../../context.ts';
import type { ChainReader } from '../../ports.ts';
import type { Tip } from '../model.ts';
import { lockChain } from './lockChain.ts';
import type { RegisteredChain } from './registerChain.ts';

/**
 * Forgets the blocks that are no longer the chain's, back to the common ancestor, and marks the transfers in them as
 * orphaned. A reorganization of more than the blocks that may change halts the watcher: nothing is rolled back blindly.
 * Where the node cannot tell, or is of another history altogether, nothing happens and the answer is `waiting`.
 * @param input.from the newest block that may still be common
 */
export async function walkBack(
  context: WorkerContext,
  input: { readonly chain: RegisteredChain; readonly reader: ChainReader; readonly tip: Tip; readonly from: bigint },
): Promise<'following' | 'waiting' | 'halted'> {
  const { chain, reader, tip, from } = input;
  const kept = await changeableBlocks(context, chain, from);
  for (const { number, hash } of kept) {
    const there = await reader.hashOf(number);
    if (there === null) return 'waiting';
    if (there === hash) {
      await rewind(context, chain, tip, number);
      return 'following';
    }
  }
  if ((await reader.genesisHash()) !== chain.genesisHash) return 'waiting';
  await halt(context, chain, kept.length);
  return 'halted';
}

/** The blocks that were read from the finalized one on, the newest first: what is final has no other ancestor. */
async function changeableBlocks(
  context: WorkerContext,
  { incarnationId }: RegisteredChain,
  from: bigint,
): Promise<Tip[]> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const { finalizedNumber } = await scope.db.chainIncarnation.findUniqueOrThrow({
    where: { id: incarnationId },
    select: { finalizedNumber: true },
  });
  return scope.db.chainBlock.findMany({
    where: { incarnationId, number: { lte: from, gte: finalizedNumber ?? 0n } },
    orderBy: { number: 'desc' },
    select: { number: true, hash: true },
  });
}

async function rewind(context: WorkerContext, chain: RegisteredChain, tip: Tip, ancestor: bigint): Promise<void> {
  const { incarnationId, chainId } = chain;
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const orphaned = await scope.transaction(async (tx) => {
    await lockChain(tx, chainId, 'exclusive');
    // Those that come instead may be of earlier times than those that go, and are not safe because those were.
    const moved = await tx.$executeRaw`
      /* rewind */
      update chain_incarnations
      set head_number = ${ancestor}::bigint,
          read_until = null,
          safe_number = case when safe_number > ${ancestor}::bigint then ${ancestor}::bigint else safe_number end
      where id = ${incarnationId}::uuid and head_number = ${tip.number}::bigint`;
    if (moved !== 1) throw new Error(`Another watcher has moved chain ${chainId} from block ${tip.number}.`);
    await tx.chainBlock.deleteMany({ where: { incarnationId, number: { gt: ancestor } } });
    const { count } = await tx.chainTransfer.updateMany({
      where: { incarnationId, blockNumber: { gt: ancestor }, orphaned: false },
      data: { orphaned: true, judgedAt: null },
    });
    return count;
  });
  context.log.warn({ chainId, ancestor: ancestor.toString(), orphaned }, 'the chain was reorganized');
}

async function halt(context: WorkerContext, { chainId, incarnationId }: RegisteredChain, depth: number): Promise<void> {
  const haltReason = `The chain was reorganized deeper than the ${depth} blocks that may still change.`;
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  await scope.transaction(
    (tx) =>
      tx.$executeRaw`
      /* halt */
      update chain_incarnations
      set halt_reason = ${haltReason}, halted_at = clock_timestamp()
      where id = ${incarnationId}::uuid`,
  );
  context.log.error({ chainId, incarnationId, depth }, haltReason);
}
