import { createHash, randomUUID } from 'node:crypto';
import type { ChainBlockContent, ChainReader, ChainTransferData } from '../../src/ports.ts';

/** What a faulty node does with a call instead of answering it; `null` is an answer of nodes that know less. */
export type Fault = 'fail' | 'null' | undefined;

/** A chain in memory, whose node does what a test says: for faults that a real one cannot be made to have. */
export interface ScriptedChain {
  readonly reader: ChainReader;
  /** All blocks as they are now, from genesis on. */
  readonly blocks: readonly ChainBlockContent[];
  /** Adds blocks; the transfers are in the first of them. */
  mine(count?: number, transfers?: readonly ChainTransferData[]): void;
  /** Takes so many of the newest blocks away, and answers with their transfers. */
  drop(depth: number): ChainTransferData[];
  /** Begins anew from another genesis block. */
  reset(): void;
  /** What the node calls final; the head minus eight unless this was said. */
  finalized: bigint | null;
  /** What the node calls safe; the head minus four unless this was said. */
  safe: bigint | null;
  /** How many blocks the node's head is behind. */
  lag: bigint;
  /** What an account has of a token after a block. */
  balanceOf: (blockHash: string, token: string, account: string) => bigint;
  /** Asked before each call. */
  fault: (call: 'head' | 'safe' | 'range' | 'finalized' | 'hash' | 'block' | 'genesis', number: bigint) => Fault;
}

/** Makes a chain of a genesis block. */
export function scriptedChain(chainId = 31_337): ScriptedChain {
  const blocks: ChainBlockContent[] = [];
  const add = (transfers: readonly ChainTransferData[]): void => {
    const parentHash = blocks.at(-1)?.block.hash ?? hashOf('nothing');
    const number = BigInt(blocks.length);
    const hash = hashOf(`${parentHash} ${randomUUID()}`);
    blocks.push({ block: { number, hash, parentHash, timestamp: 1_700_000_000n + number }, transfers });
  };
  add([]);
  const head = (): bigint => BigInt(blocks.length - 1);
  const ask = (...[call, number]: Parameters<ScriptedChain['fault']>): boolean => {
    const fault = chain.fault(call, number);
    if (fault === 'fail') throw new Error(`The node of chain ${chainId} failed at ${call}.`);
    return fault !== 'null';
  };
  const at = (number: bigint): ChainBlockContent | undefined => blocks[Number(number)];
  const chain: ScriptedChain = {
    blocks,
    finalized: null,
    safe: null,
    lag: 0n,
    balanceOf: () => 0n,
    fault: () => undefined,
    mine(count = 1, transfers = []) {
      for (let index = 0; index < count; index += 1) add(index === 0 ? transfers : []);
    },
    drop: (depth) => blocks.splice(blocks.length - depth).flatMap(({ transfers }) => transfers),
    reset() {
      blocks.splice(0);
      add([]);
    },
    reader: {
      chainId,
      async histories() {
        ask('genesis', 0n);
        return [{ chainId, genesisHash: at(0n)?.block.hash ?? '' }];
      },
      async genesisHash() {
        ask('genesis', 0n);
        return at(0n)?.block.hash ?? '';
      },
      async headNumber() {
        ask('head', 0n);
        return head() - chain.lag;
      },
      async finalizedNumber() {
        ask('finalized', 0n);
        const usual = head() - 8n;
        return chain.finalized ?? (usual > 0n ? usual : 0n);
      },
      hashOf: async (number) => (ask('hash', number) && at(number)?.block.hash) || null,
      async block(number, tokens) {
        const found = ask('block', number) ? at(number) : undefined;
        const transfers = found?.transfers.filter(({ token }) => token === null || tokens.has(token));
        return found && transfers ? { ...found, transfers } : null;
      },
      turn() {},
      async range({ after, last, tokens, accounts }) {
        if (!ask('range', last)) return null;
        const wanted = blocks.slice(Number(after.number) + 1, Number(last) + 1);
        if (wanted[0]?.block.parentHash !== after.hash || wanted.at(-1)?.block.number !== last) return null;
        const contents = wanted.map(({ block, transfers }) => ({
          block,
          transfers: transfers.filter(
            ({ token, recipient }) => accounts.has(recipient) && (token === null || tokens.has(token)),
          ),
        }));
        return contents.filter(({ block, transfers }) => transfers.length > 0 || block.number === last);
      },
      balances: async (blockHash, holdings) =>
        holdings.map(({ token, account }) => chain.balanceOf(blockHash, token, account)),
      async safeNumber() {
        ask('safe', 0n);
        const usual = head() - 4n;
        return chain.safe ?? (usual > 0n ? usual : 0n);
      },
      decimalsOf: async () => 6,
      symbolOf: async () => 'TUSD',
      codeAt: async () => null,
    },
  };
  return chain;
}

/** Thirty-two bytes that stand for a text. */
function hashOf(text: string): string {
  return `0x${createHash('sha256').update(text).digest('hex')}`;
}

/** A transfer of the native coin in a transaction of its own, unless something else is said. */
export function transferTo(recipient: string, given: Partial<ChainTransferData> = {}): ChainTransferData {
  return {
    transactionHash: hashOf(randomUUID()),
    ordinal: -1,
    token: null,
    sender: `0x${'5e'.repeat(20)}`,
    recipient,
    units: 1n,
    input: new Uint8Array(),
    ...given,
  };
}
