import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RegisteredChain } from '../../src/chain/commands/registerChain.ts';
import { followChain } from '../../src/chain/jobs.ts';
import type { ChainTransferData } from '../../src/ports.ts';
import { FULL, seeded } from '../support/scale.ts';
import { calm, changeable, disturb } from './chance.ts';
import { expectTruthOf, type Kept, keptOf, type Ledger, openLedger, type Transfer, transfersOf } from './ledger.ts';
import { type ScriptedChain, scriptedChain, transferTo } from './scriptedChain.ts';

const PAYEE = `0x${'aa'.repeat(20)}`;

let ledger: Ledger;
let node: ScriptedChain;
let chain: RegisteredChain;

beforeAll(async () => {
  ledger = await openLedger();
});
// Each test has a history of its own: to the ledger it is the chain, reset.
beforeEach(async () => {
  node = scriptedChain();
  chain = await ledger.register(node.reader);
  await ledger.sql(`insert into watched_accounts (chain_id, address) values (31337, $1) on conflict do nothing`, PAYEE);
});
afterAll(() => ledger.close());

const follow = (): ReturnType<typeof followChain> => followChain(ledger.worker, chain, node.reader);

const kept = (): Promise<Kept> => keptOf(ledger, chain);
const transfers = (): Promise<Transfer[]> => transfersOf(ledger, chain);
const expectTruth = (): Promise<void> => expectTruthOf(ledger, chain, node);

describe('a reorganization', () => {
  it('is walked back to the common ancestor, and its transfers are marked', async () => {
    await follow();
    node.mine(10, [transferTo(PAYEE)]);
    const gone = transferTo(PAYEE);
    node.mine(3, [gone]);
    await follow();
    await ledger.sql('update chain_transfers set judged_at = now()');
    node.drop(4);
    node.mine(4);
    expect(await follow()).toBe('following');
    expect(await kept()).toMatchObject({ head: 9 });
    expect(await transfers()).toMatchObject([
      { block: 1, orphaned: false, judged: true },
      { block: 11, orphaned: true, judged: false, hash: gone.transactionHash },
    ]);
    await follow();
    expect(await kept()).toMatchObject({ head: 13 });
    await expectTruth();
  });

  it('moves a transfer that is mined again, and gives news of it', async () => {
    await follow();
    const moved = transferTo(PAYEE);
    node.mine(3, [moved]);
    await follow();
    await ledger.sql('update chain_transfers set judged_at = now()');
    node.drop(3);
    node.mine(2);
    node.mine(1, [moved]);
    await follow();
    await follow();
    const blockHash = node.blocks[3]?.block.hash;
    expect(await transfers()).toEqual([
      { hash: moved.transactionHash, ordinal: -1, block: 3, blockHash, orphaned: false, judged: false },
    ]);
    await expectTruth();
  });

  it('to fewer blocks is walked back too', async () => {
    node.mine(20);
    await follow();
    node.drop(6);
    node.mine(3);
    expect(await follow()).toBe('following');
    expect(await kept()).toMatchObject({ head: 14 });
    await follow();
    expect(await kept()).toMatchObject({ head: 17 });
    await expectTruth();
  });

  it('in the middle of reading writes no block whose parent was not read', async () => {
    await follow();
    node.mine(5);
    let replaced = false;
    node.fault = (call, number) => {
      if (call === 'block' && number === 4n && !replaced) {
        replaced = true;
        node.drop(4);
        node.mine(4);
      }
      return undefined;
    };
    await follow();
    expect(await kept()).toMatchObject({ head: 3 });
    node.fault = () => undefined;
    await follow();
    await follow();
    expect(await kept()).toMatchObject({ head: 5 });
    await expectTruth();
  });

  it('down to what was called safe makes what comes instead wait to be safe', async () => {
    await follow();
    node.mine(20);
    await follow();
    expect(await kept()).toMatchObject({ head: 20, safe: 16 });
    node.drop(6);
    node.mine(5);
    node.safe = 13n;
    await follow();
    await follow();
    expect(await kept()).toMatchObject({ head: 19, safe: 14 });
    node.safe = 17n;
    await follow();
    expect(await kept()).toMatchObject({ safe: 17 });
  });

  it('of what was final halts the watcher, with nothing rolled back', async () => {
    await follow();
    node.mine(30, [transferTo(PAYEE)]);
    await follow();
    const before = await kept();
    const recorded = await transfers();
    node.drop(9);
    node.mine(12);
    expect(await follow()).toBe('halted');
    const haltReason = 'The chain was reorganized deeper than the 9 blocks that may still change.';
    expect(await kept()).toEqual({ ...before, haltReason });
    expect(await transfers()).toEqual(recorded);
    node.mine(5);
    expect(await follow()).toBe('halted');
    expect(await kept()).toEqual({ ...before, haltReason });
  });

  it('of more than is kept halts it', async () => {
    node.mine(30);
    await follow();
    await ledger.sql('delete from chain_blocks where incarnation_id = $1 and number < 29', chain.incarnationId);
    node.drop(3);
    node.mine(3);
    expect(await follow()).toBe('halted');
    expect(await kept()).toMatchObject({
      head: 30,
      blocks: [29, 30],
      haltReason: 'The chain was reorganized deeper than the 2 blocks that may still change.',
    });
  });

  it('that halted it is looked at again by the next start, which goes on when the chain is back', async () => {
    node.mine(30);
    await follow();
    const blocks = node.blocks.slice(20);
    node.drop(11);
    node.mine(11);
    expect(await follow()).toBe('halted');
    await ledger.register(node.reader);
    expect(await kept()).toMatchObject({ haltReason: null, caughtUp: null });
    expect(await follow()).toBe('halted');

    node.drop(11);
    (node.blocks as unknown[]).push(...blocks);
    await ledger.register(node.reader);
    expect(await follow()).toBe('following');
    expect(await kept()).toMatchObject({ head: 30, haltReason: null });
    await expectTruth();
  });
});

describe('a chain that was reset', () => {
  it('halts nobody: it is waited with until it is registered anew, as another history', async () => {
    node.mine(30);
    await follow();
    const before = await kept();
    node.reset();
    node.mine(40);
    expect(await follow()).toBe('waiting');
    expect(await kept()).toEqual(before);
    const anew = await ledger.register(node.reader);
    expect(anew).toMatchObject({ reset: true, chainId: 31_337 });
    expect(anew.incarnationId).not.toBe(chain.incarnationId);
    chain = anew;
    expect(await follow()).toBe('following');
    expect(await kept()).toMatchObject({ head: 40 });
    await expectTruth();
  });

  it('to fewer blocks than were read is told apart as well', async () => {
    node.mine(5);
    await follow();
    node.reset();
    expect(await follow()).toBe('waiting');
    expect((await kept()).haltReason).toBeNull();
  });
});

describe('two watchers at once', () => {
  it('walk back once', async () => {
    node.mine(12, [transferTo(PAYEE)]);
    await follow();
    node.drop(2);
    node.mine(3);
    await Promise.allSettled([follow(), follow()]);
    await Promise.allSettled([follow(), follow()]);
    await follow();
    expect(await kept()).toMatchObject({ head: 13 });
    await expectTruth();
  });
});

describe('any sequence of blocks, reorganizations and faults', () => {
  const ROUNDS = FULL ? 200 : 12;

  it.each(Array.from({ length: ROUNDS }, (_, seed) => seed + 1))('of seed %i ends in the truth', async (seed) => {
    const random = seeded(seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    await follow();
    const pool: ChainTransferData[] = [];
    for (let step = 0; step < 40; step += 1) {
      if (below(3) === 0) {
        const depth = Math.min(below(5), changeable(node));
        if (depth > 0) pool.push(...node.drop(depth));
      }
      for (let blocks = below(4); blocks > 0; blocks -= 1) {
        const again = pool.length > 0 && below(2) === 0 ? pool.splice(below(pool.length), 1) : [];
        const fresh = below(2) === 0 ? [transferTo(PAYEE)] : [];
        node.mine(1, [...again, ...fresh]);
      }
      disturb(node, below, 25);
      await follow().catch(() => undefined);
    }
    calm(node);
    node.mine();
    await follow();
    await follow();
    await expectTruth();
    const truth = node.blocks.flatMap(({ block, transfers: inside }) =>
      inside.map(({ transactionHash }) => ({
        hash: transactionHash,
        block: Number(block.number),
        blockHash: block.hash,
      })),
    );
    const recorded = await transfers();
    const standing = recorded.filter(({ orphaned }) => !orphaned);
    const byHash = (one: { hash: string }, other: { hash: string }): number => (one.hash < other.hash ? -1 : 1);
    expect(standing.map(({ hash, block, blockHash }) => ({ hash, block, blockHash })).sort(byHash)).toEqual(
      truth.sort(byHash),
    );
    for (const { hash } of recorded.filter(({ orphaned }) => orphaned)) {
      expect(truth.map((one) => one.hash)).not.toContain(hash);
    }
    expect((await kept()).haltReason).toBeNull();
  });
});
