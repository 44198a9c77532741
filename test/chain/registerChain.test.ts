import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerChain } from '../../src/chain/commands/registerChain.ts';
import type { ChainSetting } from '../../src/environment.ts';
import type { ChainReader } from '../../src/ports.ts';
import { type Ledger, openLedger, SETTING, TOKEN } from './ledger.ts';
import { scriptedChain } from './scriptedChain.ts';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await openLedger();
});
afterAll(() => ledger.close());

const register = (reader: ChainReader, setting: Partial<ChainSetting> = {}) =>
  registerChain(ledger.worker, { setting: { ...SETTING, ...setting }, reader });

const node = scriptedChain();

describe('registering a chain', () => {
  it('writes nothing when the node is of another chain', async () => {
    const [own] = await node.reader.histories();
    const reader = { ...node.reader, histories: async () => [own, { chainId: 1, genesisHash: '0x' }] as never };
    await expect(register(reader)).rejects.toThrow('CHAINS says chain 31337, but its node is of chain 1.');
    expect(await ledger.sql('select from chains')).toEqual([]);
  });

  it.each([
    [18, 'CHAINS says that TUSD on chain 31337 has 6 decimals; its contract says 18.'],
    [null, 'CHAINS says that TUSD on chain 31337 has 6 decimals; its contract says null.'],
  ])('writes nothing when the token says that its decimals are %s', async (decimals, sentence) => {
    await expect(register({ ...node.reader, decimalsOf: async () => decimals })).rejects.toThrow(sentence);
    expect(await ledger.sql('select from chains union all select from assets')).toEqual([]);
  });

  it('writes down the chain, its assets and the history that it has now', async () => {
    const asked: string[] = [];
    const decimalsOf = async (token: string): Promise<number> => asked.push(token) && 6;
    const address = TOKEN.replace('0x70', '0x7F');
    const { reset, chainId, genesisHash } = await register(
      { ...node.reader, decimalsOf },
      { assets: [SETTING.assets[0], { ...SETTING.assets[1], address }] as ChainSetting['assets'] },
    );
    expect({ reset, chainId, genesisHash }).toEqual({
      reset: false,
      chainId: 31_337,
      genesisHash: node.blocks[0]?.block.hash,
    });
    expect(asked).toEqual([address.toLowerCase()]);
    expect(await ledger.sql('select chain_id, name, testnet, public_rpc_url, confirmations from chains')).toEqual([
      { chain_id: '31337', name: 'Local chain', testnet: true, public_rpc_url: SETTING.publicRpcUrl, confirmations: 2 },
    ]);
    expect(await ledger.sql('select caip19, address, symbol, decimals from assets order by symbol')).toEqual([
      { caip19: 'eip155:31337/slip44:60', address: null, symbol: 'ETH', decimals: 18 },
      {
        caip19: `eip155:31337/erc20:${address.toLowerCase()}`,
        address: address.toLowerCase(),
        symbol: 'TUSD',
        decimals: 6,
      },
    ]);
    expect(await ledger.sql('select current, head_number from chain_incarnations')).toEqual([
      { current: true, head_number: null },
    ]);
  });

  it('again with other words changes the words, and neither the history nor the assets', async () => {
    const before = await register(node.reader);
    const assets = await ledger.sql('select id, caip19 from assets order by caip19');
    const after = await register(node.reader, {
      name: 'Test chain',
      finality: { kind: 'CONFIRMATIONS', confirmations: 5 },
      assets: [{ symbol: 'XETH', name: 'Test ether', decimals: 18 }],
    });
    expect(after).toEqual(before);
    expect(await ledger.sql('select name, confirmations from chains')).toEqual([
      { name: 'Test chain', confirmations: 5 },
    ]);
    expect(await ledger.sql('select id, caip19 from assets order by caip19')).toEqual(assets);
    expect(await ledger.sql(`select name from assets where symbol = 'XETH'`)).toEqual([{ name: 'Test ether' }]);
  });

  it('by many at once makes one of everything', async () => {
    const reader = scriptedChain(7).reader;
    const registered = await Promise.all(
      Array.from({ length: 8 }, () => register(reader, { chainId: 7, assets: SETTING.assets.slice(0, 1) })),
    );
    expect(new Set(registered.map(({ incarnationId }) => incarnationId)).size).toBe(1);
    expect(await ledger.sql('select from chain_incarnations where chain_id = 7')).toHaveLength(1);
  });
});

describe('a chain with another genesis block', () => {
  it('is a reset one, and the only one that is watched', async () => {
    const first = await register(node.reader);
    node.reset();
    const second = await register(node.reader);
    expect(second).toMatchObject({ reset: true });
    expect(second.incarnationId).not.toBe(first.incarnationId);
    expect((await register(node.reader)).reset).toBe(false);
    const current = await ledger.sql('select id from chain_incarnations where current and chain_id = 31337');
    expect(current).toEqual([{ id: second.incarnationId }]);
  });

  it('may come back, and is gone on with where it was', async () => {
    const was = await register(node.reader);
    const { blocks } = scriptedChain();
    const genesis = node.blocks[0];
    (node.blocks as unknown[]).splice(0, 1, blocks[0]);
    expect((await register(node.reader)).incarnationId).not.toBe(was.incarnationId);
    (node.blocks as unknown[]).splice(0, 1, genesis);
    expect(await register(node.reader)).toEqual({ ...was, reset: false });
    const current = await ledger.sql('select id from chain_incarnations where current and chain_id = 31337');
    expect(current).toEqual([{ id: was.incarnationId }]);
  });
});
