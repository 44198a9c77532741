import type { WorkerContext } from '../context.ts';
import type { Scope } from '../database/scope.ts';
import type { ChainReader } from '../ports.ts';
import { appendBlocks } from './commands/appendBlocks.ts';
import type { RegisteredChain } from './commands/registerChain.ts';
import { walkBack } from './commands/walkBack.ts';
import { compareTips, type Tip } from './model.ts';

/** Blocks are read and written in batches of this many. */
const BATCH = 50;

/** Blocks of the window that are kept even when they are final, so that a lagging node can be recognised. */
const KEPT_BELOW_FINALIZED = 10n;

/**
 * Reads a chain up to its present head, once: compares the last block that was read with the chain, walks back to the
 * common ancestor if they differ, then reads block by block, each by its own hash, and writes each batch in one
 * transaction. What was read stays read whenever this is stopped. A chain that was halted is left alone. `waiting` says
 * that the node knows less than was read, or another past: it lags behind, or the chain was reset.
 */
export async function followChain(
  context: WorkerContext,
  chain: RegisteredChain,
  reader: ChainReader,
): Promise<'following' | 'waiting' | 'halted'> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const { incarnationId } = chain;
  const state = await stateOf(scope, incarnationId);
  if (state.haltReason !== null) return 'halted';
  const [head, finalized] = await Promise.all([reader.headNumber(), reader.finalizedNumber()]);

  const tip = (await tipOf(scope, incarnationId)) ?? (await start(scope, chain, reader, finalized));
  if (!tip) return 'following';
  const step = await nextStep(scope, incarnationId, reader, tip, head);
  if (step === 'wait') return 'waiting';
  if (step === 'walkBack') {
    return walkBack(context, { chain, reader, tip, from: tip.number < head ? tip.number : head });
  }

  const tokens = await tokensOf(scope, chain.chainId);
  let read: Tip | null = tip;
  while (read && read.number < head) {
    const last = read.number + BigInt(BATCH) < head ? read.number + BigInt(BATCH) : head;
    read = await readBatch(context, chain, reader, tokens, read, last);
  }
  if (read) await noteCaughtUp(scope, incarnationId, { ...state, read: read.number, finalized });
  return 'following';
}

interface ChainState {
  readonly askedAt: Date;
  readonly haltReason: string | null;
  readonly finalizedBefore: bigint;
}

async function stateOf(scope: Scope, id: string): Promise<ChainState> {
  const [state] = await scope.db.$queryRaw<ChainState[]>`
    /* chainState */
    select
      clock_timestamp() as "askedAt", halt_reason as "haltReason",
      coalesce(finalized_number, 0) as "finalizedBefore"
    from chain_incarnations
    where id = ${id}::uuid`;
  if (!state) throw new Error('The chain is not registered.');
  return state;
}

async function tipOf(scope: Scope, incarnationId: string): Promise<Tip | null> {
  return scope.db.chainBlock.findFirst({
    where: { incarnationId },
    orderBy: { number: 'desc' },
    select: { number: true, hash: true },
  });
}

/** A chain that was never read starts at its finalized head: earlier blocks cannot pay an order of ours. */
async function start(
  scope: Scope,
  chain: RegisteredChain,
  reader: ChainReader,
  finalized: bigint,
): Promise<Tip | null> {
  const content = await reader.block(finalized, new Set());
  if (!content) return null;
  const { number, hash, parentHash } = content.block;
  await scope.transaction(async (tx) => {
    await tx.chainBlock.createMany({
      data: { incarnationId: chain.incarnationId, number, hash, parentHash },
      skipDuplicates: true,
    });
    await tx.chainIncarnation.updateMany({
      where: { id: chain.incarnationId, headNumber: null },
      data: { headNumber: number },
    });
  });
  return { number, hash };
}

async function nextStep(
  scope: Scope,
  incarnationId: string,
  reader: ChainReader,
  tip: Tip,
  head: bigint,
): Promise<'advance' | 'wait' | 'walkBack'> {
  const number = head < tip.number ? head : tip.number;
  const ours =
    number === tip.number
      ? tip
      : await scope.db.chainBlock.findFirst({ where: { incarnationId, number }, select: { hash: true } });
  // Below what is kept there is nothing to compare with: a node that lags so far has nothing to tell.
  return ours ? compareTips(tip, head, ours.hash, await reader.hashOf(number)).kind : 'wait';
}

async function tokensOf(scope: Scope, chainId: number): Promise<ReadonlySet<string>> {
  const assets = await scope.db.asset.findMany({
    where: { chainId, NOT: { address: null } },
    select: { address: true },
  });
  return new Set(assets.map(({ address }) => address ?? ''));
}

/** Reads the blocks after `from` up to `last`; null when they do not follow on it, so that the next round walks back. */
async function readBatch(
  context: WorkerContext,
  chain: RegisteredChain,
  reader: ChainReader,
  tokens: ReadonlySet<string>,
  from: Tip,
  last: bigint,
): Promise<Tip | null> {
  const numbers = Array.from({ length: Number(last - from.number) }, (_, index) => from.number + 1n + BigInt(index));
  const contents = await Promise.all(numbers.map((number) => reader.block(number, tokens)));
  const following = [];
  let tip = from;
  for (const content of contents) {
    if (content?.block.parentHash !== tip.hash) break;
    following.push(content);
    tip = content.block;
  }
  if (following.length > 0) await appendBlocks(context, { chain, after: from, blocks: following });
  return following.length === contents.length ? tip : null;
}

/** Says how far everything was read, and forgets blocks that cannot change any more. */
async function noteCaughtUp(
  scope: Scope,
  id: string,
  facts: Pick<ChainState, 'askedAt' | 'finalizedBefore'> & { readonly read: bigint; readonly finalized: bigint },
): Promise<void> {
  const { askedAt, finalizedBefore, read, finalized } = facts;
  // Another node may have told it: what is final stays so, and only what was read counts.
  const known = finalized < read ? finalized : read;
  const finalizedNumber = known > finalizedBefore ? known : finalizedBefore;
  await scope.transaction(async (tx) => {
    const { count } = await tx.chainIncarnation.updateMany({
      where: { id, headNumber: read },
      data: { caughtUpAt: askedAt, finalizedNumber },
    });
    if (count !== 1) throw new Error(`Another watcher has moved the chain from block ${read}.`);
    const number = { lt: finalizedNumber - KEPT_BELOW_FINALIZED };
    await tx.chainBlock.deleteMany({ where: { incarnationId: id, number } });
  });
}
