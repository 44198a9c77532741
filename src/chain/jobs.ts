import type { WorkerContext } from '../context.ts';
import type { Scope } from '../database/scope.ts';
import type { ChainReader } from '../ports.ts';
import { findTokens } from './commands/findTokens.ts';
import { noteProgress } from './commands/noteProgress.ts';
import { type Reading, readBlocks } from './commands/readBlocks.ts';
import { readFinalBlocks } from './commands/readFinalBlocks.ts';
import type { RegisteredChain } from './commands/registerChain.ts';
import { walkBack } from './commands/walkBack.ts';
import { compareTips, KEPT_BELOW_FINALIZED, MAX_SECONDS_BEHIND, type Tip, timeOf } from './model.ts';

/** Blocks that may still change are read and written in batches of this many, and those that are final of that many. */
const BATCH = 50n;
const FINAL_BATCH = 200n;

/** As many of the newest blocks may be replaced where a chain calls none of them final: as many as Ethereum's may. */
const BELOW_HEAD = 64n;

/**
 * Reads a chain up to its present head, once: compares the last block that was read with the chain, walks back to the
 * common ancestor if they differ, then reads what is final by ranges and the rest block by block, each by its own hash,
 * and writes each batch in one transaction. What was read stays read whenever this is stopped. A chain that was halted
 * is left alone. `waiting` says that the node knows less than was read, or another past, or nothing new for a minute: it
 * lags behind or stands still, or the chain was reset.
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
  const [head, safe, known] = await Promise.all([reader.headNumber(), reader.safeNumber(), reader.finalizedNumber()]);

  const finalized = known ?? 0n;
  const before = await tipOf(scope, incarnationId);
  const tip = before ?? (await start(scope, chain, reader, known ?? higher(head - BELOW_HEAD, 0n)));
  if (!tip) return 'following';
  const step = await nextStep(scope, incarnationId, reader, tip, head);
  if (step === 'wait') return 'waiting';
  if (step === 'walkBack') {
    return walkBack(context, { chain, reader, tip, from: tip.number < head ? tip.number : head });
  }

  const tokens = await findTokens(scope, chain.chainId);
  const read = await readUpTo(context, { chain, reader, tokens, from: tip, last: head }, finalized);
  if (!read) return 'following';
  const moved = chain.minesOnDemand || before === null || read.number > before.number;
  await noteProgress(context, chain, { read: read.number, askedAt: state.askedAt, moved, safe, finalized });
  return moved || !state.outdated ? 'following' : 'waiting';
}

/** Reads up to the head; null when blocks did not follow on the one before them, so that the next round looks again. */
async function readUpTo(context: WorkerContext, reading: Reading, finalized: bigint): Promise<Tip | null> {
  // The last final ones are kept, so they are read alone like all that are kept.
  let final = lower(finalized, reading.last) - BigInt(KEPT_BELOW_FINALIZED) - 1n;
  let tip: Tip | null = reading.from;
  while (tip && tip.number < reading.last) {
    const from: Tip = tip;
    if (final - from.number >= BATCH) {
      const range = { ...reading, from, last: lower(from.number + FINAL_BATCH, final) };
      tip = await readFinalBlocks(context, range).catch((error: unknown) => {
        context.log.debug({ err: error, chainId: reading.chain.chainId }, 'a range of blocks could not be read');
        return null;
      });
      if (tip) continue;
      // Not every node answers for ranges, and some not for such long ones: then each block is read alone, this time.
      final = 0n;
      tip = from;
    } else {
      tip = await readBlocks(context, { ...reading, from, last: lower(from.number + BATCH, reading.last) });
    }
  }
  return tip;
}

function higher(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function lower(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

interface ChainState {
  readonly askedAt: Date;
  readonly haltReason: string | null;
  /** Whether no head has moved for so long that the chain takes no orders. */
  readonly outdated: boolean;
}

async function stateOf(scope: Scope, id: string): Promise<ChainState> {
  const [state] = await scope.db.$queryRaw<ChainState[]>`
    /* chainState */
    select
      clock_timestamp() as "askedAt",
      halt_reason as "haltReason",
      coalesce(caught_up_at < clock_timestamp() - make_interval(secs => ${MAX_SECONDS_BEHIND}::int), false) as outdated
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

/**
 * A chain that was never read starts at its finalized head, or some blocks below its head where none is final: earlier
 * blocks cannot pay an order of ours.
 */
async function start(scope: Scope, chain: RegisteredChain, reader: ChainReader, first: bigint): Promise<Tip | null> {
  const content = await reader.block(first, new Set());
  if (!content) return null;
  const { number, hash, parentHash } = content.block;
  await scope.transaction(async (tx) => {
    await tx.chainBlock.createMany({
      data: { incarnationId: chain.incarnationId, number, hash, parentHash },
      skipDuplicates: true,
    });
    await tx.chainIncarnation.updateMany({
      where: { id: chain.incarnationId, headNumber: null },
      data: { headNumber: number, readUntil: timeOf(content.block) },
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
