import type { WorkerContext } from '../../context.ts';
import type { ChainBlockContent, ChainReader } from '../../ports.ts';
import { creditArrivals, holdingOf } from '../model.ts';
import type { KnownTokens } from './findTokens.ts';
import { findWatched, type Watched } from './findWatched.ts';
import type { RegisteredChain } from './registerChain.ts';

/** Blocks whose transfers say what arrived. */
export interface WeighedBlocks {
  readonly blocks: readonly ChainBlockContent[];
  /** Who was watched when transfers to others were left out; null when nothing was left out. */
  readonly watched: Watched | null;
}

/**
 * Has transfers of tokens whose logs do not say what arrived say it, by what the balances of watched accounts were
 * before and after each block. Such transfers to other accounts are left out.
 * @param input.blocks with all transfers of the tokens that are in them
 */
export async function weighTransfers(
  context: WorkerContext,
  input: {
    readonly chain: RegisteredChain;
    readonly reader: ChainReader;
    readonly tokens: KnownTokens;
    readonly blocks: readonly ChainBlockContent[];
  },
): Promise<WeighedBlocks> {
  const { chain, reader, tokens, blocks } = input;
  const isWeighed = ({ token }: { readonly token: string | null }): boolean =>
    token !== null && tokens.byBalance.has(token);
  if (!blocks.some(({ transfers }) => transfers.some(isWeighed))) return { blocks, watched: null };

  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const watched = await findWatched(scope, chain.chainId);
  const { accounts } = watched;
  const weighed: ChainBlockContent[] = [];
  for (const content of blocks) {
    const concerned = content.transfers.filter((transfer) => isWeighed(transfer) && accounts.has(transfer.recipient));
    const differences = await differencesIn(reader, content, concerned);
    const transfers = creditArrivals(content.transfers, differences).filter(
      (transfer) => !isWeighed(transfer) || accounts.has(transfer.recipient),
    );
    weighed.push({ ...content, transfers });
  }
  return { blocks: weighed, watched };
}

async function differencesIn(
  reader: ChainReader,
  { block }: ChainBlockContent,
  transfers: ChainBlockContent['transfers'],
): Promise<ReadonlyMap<string, bigint>> {
  const holdings = new Map(
    transfers.flatMap((transfer) =>
      transfer.token === null
        ? []
        : [[holdingOf(transfer), { token: transfer.token, account: transfer.recipient }] as const],
    ),
  );
  if (holdings.size === 0) return new Map();
  const asked = [...holdings.values()];
  const [before, after] = await Promise.all([
    reader.balances(block.parentHash, asked),
    reader.balances(block.hash, asked),
  ]);
  return new Map([...holdings.keys()].map((holding, index) => [holding, (after[index] ?? 0n) - (before[index] ?? 0n)]));
}
