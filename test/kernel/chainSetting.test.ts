import { describe, expect, it } from 'vitest';
import { EnvironmentError, readEnvironment } from '../../src/environment.ts';

const TOKEN = `0x${'7F'.repeat(20)}`;
const COIN = { symbol: 'ETH', name: 'Ether', decimals: 18 };
const USDC = { address: TOKEN, symbol: 'USDC', name: 'USD Coin', decimals: 6 };
const CHAIN = {
  chainId: 31_337,
  name: 'Local chain',
  rpcUrl: 'https://rpc.example/secret',
  publicRpcUrl: 'https://rpc.example',
  assets: [COIN],
};

const chainsOf = (...chains: unknown[]) => readEnvironment({ CHAINS: JSON.stringify(chains) }).CHAINS;

/** Where each fault is and what it says. */
function faultsOf(...chains: unknown[]): readonly string[] {
  try {
    chainsOf(...chains);
    return [];
  } catch (error) {
    if (error instanceof EnvironmentError) return error.faults;
    throw error;
  }
}

describe('CHAINS', () => {
  it('takes a chain in full, with twelve confirmations and a coin that is worth something unless it says otherwise', () => {
    const finality = { kind: 'CONFIRMATIONS', confirmations: 12 };
    expect(chainsOf(CHAIN)).toEqual([{ ...CHAIN, testnet: false, finality }]);
  });

  it('takes that a chain mines on demand, as a yes or a no alone', () => {
    expect(chainsOf({ ...CHAIN, minesOnDemand: true })).toMatchObject([{ minesOnDemand: true }]);
    expect(() => chainsOf({ ...CHAIN, minesOnDemand: 'yes' })).toThrow('minesOnDemand');
  });

  it('knows chains of viem by name: id, name, coin, public node, and whether it is a test network', () => {
    const rpcUrl = 'https://rpc.example/secret';
    const chains = chainsOf(
      { chain: 'base', rpcUrl, finality: 'SAFE', assets: [{}, USDC] },
      { chain: 'sepolia', rpcUrl, name: 'Sandbox', publicRpcUrl: 'https://mine.example', assets: [{ symbol: 'SEP' }] },
      { chain: 'polygon', chainId: 137, rpcUrl, assets: [{}] },
    );
    expect(chains).toEqual([
      {
        chainId: 8453,
        name: 'Base',
        testnet: false,
        rpcUrl,
        publicRpcUrl: 'https://mainnet.base.org',
        explorerUrl: 'https://basescan.org',
        finality: { kind: 'SAFE' },
        assets: [COIN, USDC],
      },
      expect.objectContaining({
        chainId: 11_155_111,
        name: 'Sandbox',
        testnet: true,
        publicRpcUrl: 'https://mine.example',
        assets: [{ symbol: 'SEP', name: 'Sepolia Ether', decimals: 18 }],
      }),
      expect.objectContaining({ chainId: 137, assets: [{ symbol: 'POL', name: 'POL', decimals: 18 }] }),
    ]);
  });

  it('takes where people look up transactions, of a chain that viem knows as well', () => {
    const explorerUrl = 'https://scan.example/mine/';
    const chains = chainsOf(
      { ...CHAIN, explorerUrl },
      { chain: 'base', rpcUrl: 'https://rpc.example', explorerUrl, assets: [{}] },
    );
    expect(chains?.map((chain) => chain.explorerUrl)).toEqual([
      'https://scan.example/mine',
      'https://scan.example/mine',
    ]);
    expect(() => chainsOf({ ...CHAIN, explorerUrl: 'javascript:alert(1)' })).toThrow('explorerUrl');
  });

  it('takes several nodes of a chain, the first of which is asked first', () => {
    const rpcUrl = ['https://one.example', 'https://two.example', 'https://three.example'];
    expect(chainsOf({ ...CHAIN, rpcUrl })).toMatchObject([{ rpcUrl: rpcUrl[0], otherRpcUrls: rpcUrl.slice(1) }]);
  });

  it('takes what payments need from certain amounts on, in whole tokens', () => {
    const finality = [
      { from: '1000', needs: 'FINALIZED' },
      { from: '0.5', needs: 'INCLUDED' },
    ];
    expect(chainsOf({ ...CHAIN, assets: [{ ...USDC, finality, creditsBalanceDifference: true }] })).toMatchObject([
      {
        assets: [
          {
            ...USDC,
            creditsBalanceDifference: true,
            thresholds: [
              { fromUnits: 1_000_000_000n, finality: { kind: 'FINALIZED' } },
              { fromUnits: 500_000n, finality: { kind: 'CONFIRMATIONS', confirmations: 1 } },
            ],
          },
        ],
      },
    ]);
  });

  it('tells all faults of all chains at once', () => {
    const faults = faultsOf(
      {
        rpcUrl: 'https://rpc.example',
        assets: [{ symbol: 'X' }, { ...USDC, finality: [{ from: '0', needs: 'SAFE' }] }],
      },
      { chain: 'nowhere', rpcUrl: 'https://rpc.example', assets: [COIN] },
      { chain: 'base', chainId: 1, rpcUrl: 'https://rpc.example', assets: [{}, {}] },
    );
    expect(faults).toEqual([
      'CHAINS.0.assets.0.name: is needed',
      'CHAINS.0.assets.0.decimals: is needed',
      'CHAINS.0.assets.1.finality.0.from: must be an amount such as "1000", of at most 6 decimals',
      'CHAINS.0.chainId: is needed',
      'CHAINS.0.name: is needed',
      'CHAINS.0.publicRpcUrl: is needed',
      'CHAINS.1.chain: is no chain that viem/chains knows by this name',
      'CHAINS.2.chainId: must be 8453, or be left out',
      'CHAINS.2.assets.1: names an asset that stands before it already',
    ]);
  });

  it.each<[string, unknown, string]>([
    ['a finality that is none', { ...CHAIN, finality: 'CONFIRMATIONS(0)' }, 'CHAINS.0.finality'],
    ['a word that is none of ours', { ...CHAIN, confirmations: 12 }, 'CHAINS.0'],
    ['a name of an object’s own', { ...CHAIN, chain: 'constructor' }, 'CHAINS.0.chain'],
    ['a node that is none', { ...CHAIN, rpcUrl: ['https://one.example', 'two.example'] }, 'CHAINS.0.rpcUrl.1'],
    ['no node', { ...CHAIN, rpcUrl: [] }, 'CHAINS.0.rpcUrl'],
    [
      'a coin that takes fees',
      { ...CHAIN, assets: [{ ...COIN, creditsBalanceDifference: true }] },
      'CHAINS.0.assets.0',
    ],
    [
      'two thresholds at one amount',
      {
        ...CHAIN,
        assets: [
          {
            ...USDC,
            finality: [
              { from: '1', needs: 'SAFE' },
              { from: '1.0', needs: 'FINALIZED' },
            ],
          },
        ],
      },
      'CHAINS.0.assets.0.finality.1',
    ],
    [
      'an amount that is too precise',
      { ...CHAIN, assets: [{ ...USDC, finality: [{ from: '0.0000001', needs: 'SAFE' }] }] },
      'CHAINS.0.assets.0.finality.0.from',
    ],
    [
      'a token twice, in other letters',
      { ...CHAIN, assets: [USDC, { ...USDC, address: TOKEN.toLowerCase() }] },
      'CHAINS.0.assets.1',
    ],
  ])('refuses %s', (_, chain, place) => {
    const faults = faultsOf(chain);
    expect(faults.map((fault) => fault.split(': ', 1)[0]?.replace('creditsBalanceDifference', ''))).toEqual([
      expect.stringContaining(place),
    ]);
  });

  it('refuses a chain that stands there twice', () => {
    expect(faultsOf(CHAIN, { ...CHAIN, name: 'Again' })).toEqual([
      'CHAINS.1: names a chain that stands before it already',
    ]);
  });
});
