import { setTimeout } from 'node:timers/promises';
import type { WorkerContext } from '../../context.ts';
import type { ChainBlockContent, ChainReader } from '../../ports.ts';
import type { Tip } from '../model.ts';
import { appendBlocks } from './appendBlocks.ts';
import type { KnownTokens } from './findTokens.ts';
import type { RegisteredChain } from './registerChain.ts';
import { weighTransfers } from './weighTransfers.ts';

/** What blocks are read by. */
export interface Reading {
  readonly chain: RegisteredChain;
  readonly reader: ChainReader;
  readonly tokens: KnownTokens;
  /** The last block that was read. */
  readonly from: Tip;
  /** The number of the last one that is to be read. */
  readonly last: bigint;
}

/**
 * Reads the blocks after `from` up to `last` one by one and writes them; answers how far it came. Null when they do not
 * all follow on it, so that the next round walks back. What was read before a call failed is written all the same: a
 * node that fails now and then must not keep a whole batch from being read.
 * @throws when the very first of them could not be read
 */
export async function readBlocks(context: WorkerContext, reading: Reading): Promise<Tip | null> {
  const { chain, reader, tokens, from, last } = reading;
  const numbers = Array.from({ length: Number(last - from.number) }, (_, index) => from.number + 1n + BigInt(index));
  const contents = await Promise.allSettled(numbers.map((number) => readAgain(() => reader.block(number, tokens.all))));
  const [first] = contents;
  if (first?.status === 'rejected') throw first.reason;
  const read = contents.slice(
    0,
    firstIndex(contents, ({ status }) => status === 'rejected'),
  );
  const following: ChainBlockContent[] = [];
  let tip = from;
  for (const content of read) {
    const block = content.status === 'fulfilled' ? content.value : null;
    if (block?.block.parentHash !== tip.hash) break;
    following.push(block);
    tip = block.block;
  }
  if (following.length === 0) return null;
  const weighed = await weighTransfers(context, { chain, reader, tokens, blocks: following });
  const written = await appendBlocks(context, { chain, after: from, ...weighed });
  return written && following.length === read.length ? tip : null;
}

function firstIndex<Item>(items: readonly Item[], isIt: (item: Item) => boolean): number {
  const index = items.findIndex(isIt);
  return index === -1 ? items.length : index;
}

/** Pauses before a block that could not be read is asked for again. */
const PAUSES_MS = [50, 200];

async function readAgain<Answer>(read: () => Promise<Answer>): Promise<Answer> {
  for (const pause of PAUSES_MS) {
    try {
      return await read();
    } catch {
      await setTimeout(pause);
    }
  }
  return read();
}
