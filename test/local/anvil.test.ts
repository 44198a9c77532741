import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestClient, createWalletClient, type Hash, http, publicActions } from 'viem';
import { anvil } from 'viem/chains';
import { afterAll, describe, expect, it } from 'vitest';
import { type LocalChain, startAnvil, startEphemeralAnvil } from '../../src/chain/providers/anvil.ts';
import { prepareState } from '../../src/chain/providers/anvilState.ts';
import { devAccount } from '../../src/chain/providers/devAccounts.ts';
import { claimFolder, type LocalFolder } from '../../src/local/folder.ts';
import { LocalError } from '../../src/local/localError.ts';
import { identifyProcess } from '../../src/local/process.ts';
import { clearLeftovers, leftovers, listen, makeRoot, pidOf, until } from './children.ts';

afterAll(clearLeftovers);

const log = listen();
const folder: LocalFolder = await claimFolder(makeRoot(), log);
const state = join(folder.dataPath, 'anvil/state.json');
const { account } = devAccount(9);

async function start(): Promise<LocalChain> {
  const chain = await startAnvil({ folder, log, binary: process.env.ANVIL_BIN });
  if (!chain) throw new Error('these tests need an anvil');
  leftovers.push(chain.stop);
  return chain;
}

function clientOf({ url }: { url: string }) {
  return createTestClient({ mode: 'anvil', chain: anvil, transport: http(url), cacheTime: 0 }).extend(publicActions);
}

/** Makes a contract whose making says one log. */
async function sayLog({ url }: { url: string }): Promise<Hash> {
  const wallet = createWalletClient({ account, chain: anvil, transport: http(url) });
  const hash = await wallet.sendTransaction({ data: '0x5f5fa0' });
  await clientOf({ url }).waitForTransactionReceipt({ hash, pollingInterval: 20, checkReplacement: false });
  return hash;
}

async function genesisOf(chain: { url: string }): Promise<Hash> {
  return (await clientOf(chain).getBlock({ blockNumber: 0n })).hash;
}

describe('the local chain', () => {
  it('mines a transaction at once, and goes on by itself', async () => {
    const chain = await start();
    const client = clientOf(chain);
    expect(await client.getChainId()).toBe(31337);
    const { blockNumber } = await client.getTransactionReceipt({ hash: await sayLog(chain) });
    await until(async () => (await client.getBlockNumber()) >= blockNumber + 2n);
    await chain.stop();
  });

  it('stands still while somebody has switched mining off, and goes on when it is switched on', async () => {
    const chain = await start();
    const client = clientOf(chain);
    await client.setAutomine(false);
    const still = await client.getBlockNumber();
    const calls = (): number =>
      readFileSync(join(folder.dataPath, 'anvil.log'), 'utf8').split('anvil_getAutomine').length;
    const before = calls();
    await until(() => calls() >= before + 2);
    expect((await client.getBlockNumber()) - still).toBeLessThanOrEqual(1n);
    const now = await client.getBlockNumber();
    await client.setAutomine(true);
    await until(async () => (await client.getBlockNumber()) > now);
    await chain.stop();
  });

  it('is the same chain after a stop: its blocks, transactions, receipts and logs are found by hash and number', async () => {
    const chain = await start();
    const before = clientOf(chain);
    const receipt = await before.getTransactionReceipt({ hash: await sayLog(chain) });
    const [genesis, head] = [await genesisOf(chain), await before.getBlock()];
    const pid = pidOf(folder.dataPath, 'anvil');
    await Promise.all([chain.stop(), chain.stop()]);
    expect(identifyProcess(pid)).toBeNull();

    const again = await start();
    const after = clientOf(again);
    expect(await genesisOf(again)).toBe(genesis);
    expect((await after.getBlock({ blockNumber: head.number })).hash).toBe(head.hash);
    expect((await after.getBlock({ blockHash: head.hash })).number).toBe(head.number);
    expect(await after.getTransactionReceipt({ hash: receipt.transactionHash })).toEqual(receipt);
    expect(await after.getLogs({ blockHash: receipt.blockHash })).toEqual(receipt.logs);
    expect((await after.getBlock()).timestamp).toBeGreaterThanOrEqual(head.timestamp);
    await again.stop();

    for (let times = 0; times < 4; times += 1) {
      const later = await start();
      expect(await genesisOf(later)).toBe(genesis);
      await later.stop();
    }
  });

  it('remembers the states of its last hundred blocks, so that it can be asked about them and reorganised', async () => {
    const chain = await start();
    const client = clientOf(chain);
    await client.mine({ blocks: 110 });
    const head = await client.getBlockNumber();
    expect(await client.getBalance({ address: account.address, blockNumber: head - 100n })).toBeGreaterThan(0n);
    const { hash } = await client.getBlock({ blockNumber: head });
    await client.request({ method: 'anvil_reorg', params: [50, []] } as never);
    expect((await client.getBlock({ blockNumber: head })).hash).not.toBe(hash);
    await chain.stop();
  });

  it('killed without warning rolls back to its last dump, and is still the same chain', async () => {
    const chain = await start();
    const hash = await sayLog(chain);
    const genesis = await genesisOf(chain);
    const holds = (): boolean => readFileSync(state, 'utf8').includes(hash);
    await until(holds);
    process.kill(pidOf(folder.dataPath, 'anvil'), 'SIGKILL');
    await until(() => log.sentences.some((sentence) => sentence.includes('ended by itself')));
    await chain.stop();

    const again = await start();
    expect(again.adopted).toBe(false);
    expect(await genesisOf(again)).toBe(genesis);
    expect((await clientOf(again).getTransactionReceipt({ hash })).status).toBe('success');
    await again.stop();
  });

  it('whose saved state is torn says so and begins anew, as another chain', async () => {
    const chain = await start();
    const genesis = await genesisOf(chain);
    await chain.stop();
    truncateSync(state, 1000);
    const fresh = await start();
    expect(log.sentences.at(-2)).toContain('set aside: beginning a new chain');
    expect(existsSync(`${state}.broken`)).toBe(true);
    expect(await genesisOf(fresh)).not.toBe(genesis);
    await fresh.stop();
  });

  it('whose saved state anvil refuses says so and begins anew', async () => {
    writeFileSync(
      state,
      JSON.stringify({ accounts: {}, blocks: [{ header: { number: '0x0', gasLimit: '0x1' }, transactions: [] }] }),
    );
    const fresh = await start();
    expect(log.sentences.at(-2)).toContain('set aside: beginning a new chain');
    await fresh.stop();
  });

  it('is another chain each time it begins anew, within the same second too', async () => {
    const seen = new Set<Hash>();
    for (let times = 0; times < 2; times += 1) {
      rmSync(state, { force: true });
      const chain = await start();
      seen.add(await genesisOf(chain));
      await chain.stop();
    }
    expect(seen.size).toBe(2);
  });

  it('is refused, and its state kept, when the binary that was asked for cannot run', async () => {
    const before = readFileSync(state);
    await expect(startAnvil({ folder, log, binary: '/nowhere/anvil' })).rejects.toThrow(LocalError);
    await expect(startAnvil({ folder, log, binary: '/bin/false' })).rejects.toThrow('does not run here');
    expect(readFileSync(state)).toEqual(before);
  });
});

describe('a saved state', () => {
  it('sheds empty blocks when they are most of it, and never the first, the newest or one with a transaction', () => {
    const file = join(makeRoot(), 'state.json');
    const blocks = Array.from({ length: 10_000 }, (_, number) => ({
      header: { number: `0x${number.toString(16)}`, gasLimit: '0x1' },
      transactions: number === 77 ? ['a transaction'] : [],
    }));
    writeFileSync(file, JSON.stringify({ accounts: {}, blocks, transactions: ['a receipt'] }));
    expect(prepareState(file, log)).toBe(true);
    const kept = JSON.parse(readFileSync(file, 'utf8'));
    const numbers = kept.blocks.map((block: { header: { number: string } }) => Number(block.header.number));
    expect(numbers.slice(0, 3)).toEqual([0, 77, 8_000]);
    expect(numbers).toHaveLength(2_002);
    expect(kept.transactions).toEqual(['a receipt']);
  });

  it('sheds the genesis block that anvil made only to load it, and is broken without another', () => {
    const file = join(makeRoot(), 'state.json');
    const [own, passing] = [30_000_001, 30_000_000].map((gasLimit) => ({
      header: { number: '0x0', gasLimit: `0x${gasLimit.toString(16)}` },
      transactions: [],
    }));
    writeFileSync(file, JSON.stringify({ accounts: {}, blocks: [passing, own] }));
    expect(prepareState(file, log)).toBe(true);
    expect(JSON.parse(readFileSync(file, 'utf8')).blocks).toEqual([own]);
    writeFileSync(file, JSON.stringify({ accounts: {}, blocks: [passing] }));
    expect(prepareState(file, log)).toBe(false);
    expect(existsSync(file)).toBe(false);
  });

  it('that is small stays as it is, and none is none', () => {
    const file = join(makeRoot(), 'state.json');
    expect(prepareState(file, log)).toBe(false);
    const contents =
      '{ "accounts": {}, "blocks": [{ "header": { "number": "0x0", "gasLimit": "0x1" }, "transactions": [] }] }';
    writeFileSync(file, contents);
    expect(prepareState(file, log)).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe(contents);
  });
});

describe('an ephemeral anvil', () => {
  it('takes flags of its own, in place of the usual ones too', async () => {
    const chain = await startEphemeralAnvil({ flags: ['--chain-id', '4242', '--block-time', '1', '--mixed-mining'] });
    leftovers.push(chain.stop);
    expect(await clientOf(chain).getChainId()).toBe(4242);
    await Promise.all([chain.stop(), chain.stop()]);
    await expect(fetch(chain.url)).rejects.toThrow();
  });

  it('that refuses its flags says why', async () => {
    await expect(startEphemeralAnvil({ flags: ['--no-such-flag'] })).rejects.toThrow('--no-such-flag');
  });
});
