import { type Hex, keccak256, numberToHex } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RpcLog } from '../../src/chain/providers/blockContent.ts';
import { bloomTest } from '../../src/chain/providers/bloom.ts';
import { createNodeReader } from '../../src/chain/providers/nodeReader.ts';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import type { ChainRange, ChainReader } from '../../src/ports.ts';
import { newPayer, type Payer, sendFrom, transferCall } from '../payments/market.ts';
import { type DevelopmentChain, openDevelopmentChain } from '../support/chain.ts';
import { type Door, openDoor } from './door.ts';

// Blocks of whose logs a node answers some and leaves others out.

const PAYEES = ['a1', 'a2'].map((byte): Hex => `0x${byte.repeat(20)}`);
const [FIRST, SECOND] = PAYEES as [Hex, Hex];
const STRANGER: Hex = `0x${'b1'.repeat(20)}`;

let chain: DevelopmentChain;
let doors: readonly [Door, Door];
let payer: Payer;
beforeAll(async () => {
  chain = await openDevelopmentChain();
  doors = [await openDoor(chain.rpcUrl), await openDoor(chain.rpcUrl)];
  payer = await newPayer({ chain });
});
afterEach(() => {
  for (const door of doors) {
    door.intercept = () => false;
    door.rewrite = null;
  }
});
afterAll(async () => {
  await Promise.all(doors.map((door) => door.close()));
  await chain.stop();
});

/** Mines one block of these transfers, each in a transaction of its own. */
async function mineTransfers(transfers: readonly (readonly [to: Hex, units: bigint])[]): Promise<void> {
  await chain.node.setAutomine(false);
  for (const [to, units] of transfers) {
    await sendFrom(chain, payer.account, { to: TEST_TOKEN_ADDRESS, data: transferCall(to, units) }, false);
  }
  await chain.node.mine({ blocks: 1 });
  await chain.node.setAutomine(true);
}

/** Blocks with transfers, of which the one in the middle is none of the ends; what a reader is to find of them. */
async function mineRange(middle: readonly (readonly [to: Hex, units: bigint])[]): Promise<ChainRange> {
  const { number, hash } = await chain.public.getBlock();
  for (const block of [[[STRANGER, 1n]], middle, [[STRANGER, 2n]]] as const) {
    await mineTransfers(block);
    await chain.node.mine({ blocks: 2 });
  }
  return {
    after: { number, hash },
    last: await chain.public.getBlockNumber({ cacheTime: 0 }),
    tokens: new Set([TEST_TOKEN_ADDRESS.toLowerCase()]),
    native: false,
    accounts: new Set(PAYEES),
  };
}

function readerOf(...rpcUrls: readonly string[]): ChainReader {
  const [rpcUrl = '', ...otherRpcUrls] = rpcUrls;
  return createNodeReader({ chainId: 31_337, rpcUrl, otherRpcUrls });
}

/** What is found; null where the range is left to be read block by block. */
async function unitsIn(reader: ChainReader, range: ChainRange): Promise<readonly bigint[] | null> {
  const contents = await reader.range(range);
  return contents?.flatMap(({ transfers }) => transfers.map(({ units }) => units)) ?? null;
}

/** Lets the node behind the door leave out the log of so many units. */
function leaveOut(door: Door, units: bigint): void {
  door.rewrite = ({ method }, result) =>
    method === 'eth_getLogs' ? (result as RpcLog[]).filter(({ data }) => BigInt(data) !== units) : result;
}

describe('a node that leaves out one log of a block of which it answers others', () => {
  it('is found out where the bloom speaks of an account that nothing was answered for', async () => {
    const range = await mineRange([
      [STRANGER, 3n],
      [FIRST, 4n],
      [SECOND, 5n],
    ]);
    const [door] = doors;
    expect(await unitsIn(readerOf(door.url), range)).toEqual([4n, 5n]);
    for (const units of [4n, 5n]) {
      leaveOut(door, units);
      expect(await unitsIn(readerOf(door.url), range)).toEqual([4n, 5n]);
    }
  });

  it('is found out by another node of the chain, whichever of the two it is', async () => {
    const range = await mineRange([
      [FIRST, 6n],
      [FIRST, 7n],
    ]);
    const [one, other] = doors;
    expect(await unitsIn(readerOf(one.url, other.url), range)).toEqual([6n, 7n]);
    // the bloom speaks of an account that was paid; so the node alone is believed
    leaveOut(one, 7n);
    expect(await unitsIn(readerOf(one.url), range)).toEqual([6n]);
    expect(await unitsIn(readerOf(one.url, other.url), range)).toBeNull();
    one.rewrite = null;
    leaveOut(other, 6n);
    expect(await unitsIn(readerOf(one.url, other.url), range)).toBeNull();
    // what nobody here is paid does not matter
    leaveOut(other, 1n);
    expect(await unitsIn(readerOf(one.url, other.url), range)).toEqual([6n, 7n]);
  });
});

describe('a chain of which one node does not answer', () => {
  it('is read by ranges from the other', async () => {
    const range = await mineRange([[FIRST, 8n]]);
    const [one, other] = doors;
    other.intercept = (_, response) => {
      response.writeHead(503).end('away');
      return true;
    };
    expect(await unitsIn(readerOf(one.url, other.url), range)).toEqual([8n]);
  });
});

describe('a bloom', () => {
  const token: Hex = `0x${'c1'.repeat(20)}`;
  const accounts = Array.from({ length: 20 }, (_, index) => `0x${keccak256(numberToHex(index)).slice(-40)}`);
  const test = (size: number) => bloomTest(new Set([token]), new Set(accounts.slice(0, size)));
  const FULL: Hex = `0x${'ff'.repeat(256)}`;
  const EMPTY: Hex = `0x${'00'.repeat(256)}`;

  it('that is full leaves everything possible, and says nothing of accounts', () => {
    expect(test(1).mayHoldTransfer(FULL)).toBe(true);
    expect(test(1).mayPayAnother(FULL, new Set())).toBe(false);
  });

  it('that is empty rules everything out', () => {
    expect(test(1).mayHoldTransfer(EMPTY)).toBe(false);
    expect(test(20).mayPayAnother(EMPTY, new Set())).toBe(false);
  });

  it('of a block never denies who was paid in it', async () => {
    await mineTransfers([
      [FIRST, 1n],
      [STRANGER, 1n],
    ]);
    const { logsBloom } = await chain.public.getBlock();
    const tokens = new Set([TEST_TOKEN_ADDRESS.toLowerCase()]);
    const all = bloomTest(tokens, new Set([FIRST, ...accounts]));
    expect(all.mayHoldTransfer(logsBloom as Hex)).toBe(true);
    expect(all.mayPayAnother(logsBloom as Hex, new Set())).toBe(true);
    expect(all.mayPayAnother(logsBloom as Hex, new Set([FIRST]))).toBe(false);
    expect(test(20).mayHoldTransfer(logsBloom as Hex)).toBe(false);
  });
});
