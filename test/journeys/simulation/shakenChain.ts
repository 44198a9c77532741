import { setTimeout as sleep } from 'node:timers/promises';
import type { Hex } from 'viem';
import type { DevelopmentChain } from '../../support/chain.ts';

/** A chain whose newest blocks are replaced now and then; whoever changes it takes turns. */
export interface ShakenChain {
  /** Sends a signed transaction, which is mined into a block of its own. */
  send(raw: Hex): Promise<void>;
  mine(blocks: number): Promise<void>;
  /** Replaces so many of the newest blocks by empty ones. */
  reorganize(depth: number, random: () => number): Promise<void>;
  /** Puts back what reorganizations took away and nobody has put back yet. */
  putBack(): Promise<void>;
}

/** Takes a chain over: while it is shaken, nobody else may change it. */
export function shake(chain: DevelopmentChain): ShakenChain {
  /** The signed transactions by their hashes, since the chain forgets those that it drops. */
  const signed = new Map<string, Hex>();
  /** What is in no block, in the order in which it must come. */
  const homeless: Hex[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };

  const send = async (raw: Hex): Promise<void> => {
    const hash = await chain.public.sendRawTransaction({ serializedTransaction: raw });
    signed.set(hash, raw);
    // Nobody else mines meanwhile, so whoever waited for a further block could wait for ever.
    while (!(await receiptOf(chain, hash))) await sleep(5);
  };
  const putBack = async (): Promise<void> => {
    for (const raw of homeless.splice(0)) await send(raw);
  };
  return {
    send: (raw) =>
      inTurn(async () => {
        // What is homeless comes first: the chain takes each account's transactions in their order alone.
        await putBack();
        await send(raw);
      }),
    mine: (blocks) => inTurn(() => chain.node.mine({ blocks })),
    reorganize: (depth, random) =>
      inTurn(async () => {
        const head = await chain.public.getBlockNumber({ cacheTime: 0 });
        const dropped: Hex[] = [];
        for (let number = head - BigInt(depth) + 1n; number <= head; number += 1n) {
          const { transactions } = await chain.public.getBlock({ blockNumber: number });
          dropped.push(...transactions);
        }
        await chain.node.request({ method: 'anvil_reorg', params: [depth, []] } as never);
        homeless.unshift(...dropped.map((hash) => signed.get(hash) ?? '0x'));
        // Most come back at once, in other blocks; others when somebody sends again.
        if (random() < 0.5) await putBack();
      }),
    putBack: () => inTurn(putBack),
  };
}

function receiptOf(chain: DevelopmentChain, hash: Hex): Promise<unknown> {
  return chain.public.request({ method: 'eth_getTransactionReceipt', params: [hash] });
}
