import type { WorkerContext } from '../../context.ts';
import type { ChainBlockContent } from '../../ports.ts';
import type { Tip } from '../model.ts';
import { appendBlocks } from './appendBlocks.ts';
import { findWatched } from './findWatched.ts';
import type { Reading } from './readBlocks.ts';
import { weighTransfers } from './weighTransfers.ts';

/**
 * Reads the blocks after `from` up to `last`, all of which the chain calls final, as one range and writes what is to be
 * kept of them; answers the last one. Null when they do not follow on `from`, when the node does not know them whole,
 * or when an account has come to be watched meanwhile.
 */
export async function readFinalBlocks(context: WorkerContext, reading: Reading): Promise<Tip | null> {
  const { chain, reader, tokens, from, last } = reading;
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const watched = await findWatched(scope, chain.chainId);
  const { all, native } = tokens;
  const found = await reader.range({ after: from, last, tokens: all, native, accounts: watched.accounts });
  const blocks = found && (await wholeBlocks(reading, found));
  const tip = blocks?.at(-1)?.block;
  if (!blocks || tip?.number !== last) return null;
  const weighed = await weighTransfers(context, { chain, reader, tokens, blocks });
  const written = await appendBlocks(context, { chain, after: from, blocks: weighed.blocks, watched });
  return written ? tip : null;
}

/** What an account spends of a token whose logs are not believed must be known, too: such blocks are read alone. */
async function wholeBlocks(
  { reader, tokens }: Reading,
  blocks: readonly ChainBlockContent[],
): Promise<readonly ChainBlockContent[] | null> {
  const whole: ChainBlockContent[] = [];
  for (const content of blocks) {
    const isWeighed = content.transfers.some(({ token }) => token !== null && tokens.byBalance.has(token));
    const known = isWeighed ? await reader.block(content.block.number, tokens.all) : content;
    if (known?.block.hash !== content.block.hash) return null;
    whole.push(known);
  }
  return whole;
}
