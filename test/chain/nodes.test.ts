import type { Hex } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RegisteredChain, registerChain } from '../../src/chain/commands/registerChain.ts';
import { followChain } from '../../src/chain/jobs.ts';
import { createNodeReader } from '../../src/chain/providers/nodeReader.ts';
import type { ChainSetting } from '../../src/environment.ts';
import type { ChainReader } from '../../src/ports.ts';
import { newPayer, type Payer } from '../payments/market.ts';
import { type DevelopmentChain, openDevelopmentChain } from '../support/chain.ts';
import { answer, type Door, openDoor } from './door.ts';
import { keptOf, type Ledger, openLedger, range } from './ledger.ts';

const PAYEE: Hex = `0x${'aa'.repeat(20)}`;

let chain: DevelopmentChain;
let other: DevelopmentChain;
let ledger: Ledger;
/** Two nodes of the chain: the first is asked until it fails. */
let first: Door;
let second: Door;
let payer: Payer;

beforeAll(async () => {
  [chain, other, ledger] = await Promise.all([
    openDevelopmentChain(),
    openDevelopmentChain({ chainId: 31_338 }),
    openLedger(),
  ]);
  [first, second] = [await openDoor(chain.rpcUrl), await openDoor(chain.rpcUrl)];
  payer = await newPayer({ chain });
});
afterEach(() => {
  for (const door of [first, second])
    Object.assign(door, { intercept: () => false, rewrite: null, target: chain.rpcUrl });
});
afterAll(async () => {
  await ledger.close();
  await Promise.all([first.close(), second.close()]);
  await Promise.all([chain.stop(), other.stop()]);
});

const setting = (): ChainSetting => ({ ...chain.setting, rpcUrl: first.url, otherRpcUrls: [second.url] });

async function begin(): Promise<{ reader: ChainReader; registered: RegisteredChain; follow: () => Promise<string> }> {
  const reader = createNodeReader(setting());
  const registered = await registerChain(ledger.worker, { setting: setting(), reader });
  await ledger.sql('insert into watched_accounts (address) values ($1) on conflict do nothing', PAYEE);
  const follow = () => followChain(ledger.worker, registered, reader);
  await follow();
  return { reader, registered, follow };
}

/** Has a node fail from so many calls on. */
function fail(door: Door, after = 0): void {
  let calls = 0;
  door.intercept = (_, response) => {
    calls += 1;
    if (calls <= after) return false;
    response.writeHead(503).end();
    return true;
  };
}

/** What is kept is the chain's, without a gap. */
async function expectTruth(registered: RegisteredChain): Promise<void> {
  const { blocks, hashes } = await keptOf(ledger, registered);
  expect(blocks).toEqual(range(blocks[0] ?? 0, blocks.at(-1) ?? 0));
  const truth = blocks.map((number) => chain.public.getBlock({ blockNumber: BigInt(number) }));
  expect(hashes).toEqual((await Promise.all(truth)).map(({ hash }) => hash));
}

/** Counts what a node is asked. */
function count(door: Door): () => number {
  let calls = 0;
  door.intercept = () => {
    calls += 1;
    return false;
  };
  return () => calls;
}

describe('a chain of two nodes', () => {
  it('is read from the first alone while it answers', async () => {
    const { follow } = await begin();
    const [askedFirst, askedSecond] = [count(first), count(second)];
    await payer.send({ to: PAYEE, value: 1n });
    expect(await follow()).toBe('following');
    expect([askedFirst() > 0, askedSecond()]).toEqual([true, 0]);
  });

  it('is read from the second when the first fails, and stays there', async () => {
    const { follow, registered } = await begin();
    fail(first);
    await expect(follow()).rejects.toThrow('The node of chain 31337 failed at');
    await payer.send({ to: PAYEE, value: 2n });
    expect(await follow()).toBe('following');
    expect(await keptOf(ledger, registered)).toMatchObject({ head: Number(await chain.public.getBlockNumber()) });
    first.intercept = () => false;
    const askedFirst = count(first);
    expect(await follow()).toBe('following');
    expect(askedFirst()).toBe(0);
  });

  it.each([3, 5, 8, 12, 20])(
    'mixes nothing of another past in when one fails after %i calls of a round',
    async (calls) => {
      const { follow, registered } = await begin();
      const { head: before } = await keptOf(ledger, registered);
      for (let sent = 0; sent < 12; sent += 1) await payer.send({ to: PAYEE, value: 3n });
      // The second one has another past of late: nothing it says may stand beside what the first one said.
      const strange = `0x${'11'.repeat(32)}`;
      second.rewrite = ({ method, params }, result) => {
        const number = Number(params[0]);
        if (method !== 'eth_getBlockByNumber' || !(number > (before ?? 0))) return result;
        return { ...(result as object), hash: strange, parentHash: strange };
      };
      fail(first, calls);
      await follow().catch((error: unknown) => expect(String(error)).toContain('failed at'));
      await expectTruth(registered);
      expect((await keptOf(ledger, registered)).head).toBeGreaterThanOrEqual(before ?? 0);
      Object.assign(second, { rewrite: null });
      while ((await keptOf(ledger, registered)).head !== Number(await chain.public.getBlockNumber())) await follow();
      await expectTruth(registered);
      expect(await ledger.sql('select from chain_transfers where orphaned')).toEqual([]);
    },
  );

  it('is not walked back when the node that takes over lags behind', async () => {
    const { follow, registered, reader } = await begin();
    await payer.send({ to: PAYEE, value: 4n });
    await payer.send({ to: PAYEE, value: 5n });
    await follow();
    const before = await keptOf(ledger, registered);
    const behind = (before.head ?? 0) - 2;
    second.intercept = (call, response) => {
      if (call.method === 'eth_blockNumber') return answer(response, call, `0x${behind.toString(16)}`);
      const isBeyond = call.method === 'eth_getBlockByNumber' && Number(call.params[0]) > behind;
      return isBeyond && answer(response, call, null);
    };
    fail(first);
    await expect(follow()).rejects.toThrow('failed at');
    expect(await follow()).toBe('waiting');
    const orphaned = await ledger.sql('select from chain_transfers where orphaned');
    expect(orphaned).toEqual([]);
    expect(await keptOf(ledger, registered)).toMatchObject({ head: before.head, hashes: before.hashes });
    // What the worker does with a node that has nothing to tell.
    first.intercept = () => false;
    reader.turn();
    expect(await follow()).toBe('following');
  });

  it('is not registered when one of them is of another chain', async () => {
    second.target = other.rpcUrl;
    await expect(begin()).rejects.toThrow('CHAINS says chain 31337, but its node is of chain 31338.');
  });

  it('is not registered when they have different histories', async () => {
    second.rewrite = ({ params }, result) =>
      params[0] === '0x0' ? { ...(result as object), hash: `0x${'22'.repeat(32)}` } : result;
    await expect(begin()).rejects.toThrow('The nodes of chain 31337 in CHAINS have different genesis blocks.');
  });

  it('is registered while one of them cannot be reached, and not while neither can', async () => {
    fail(second);
    await begin();
    fail(first);
    await expect(begin()).rejects.toThrow('The node of chain 31337 failed at eth_chainId');
  });
});
