import type { Hex } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { creationCode, openSigningChain, presentAs, type SigningChain, undeployed } from './signingChain.ts';
import { type Mood, openUnsteadyNode, type UnsteadyNode } from './unsteadyNode.ts';
import { isLive, newWallet, submit, type Wallet } from './visitor.ts';

// One chain behind two ways to its node, of which either may be cut; and a third that leads to another chain.

const MISLED = 31_339;

let chain: SigningChain;
let misled: SigningChain;
let nodes: readonly [UnsteadyNode, UnsteadyNode];
let house: TestTollhouse;
beforeAll(async () => {
  [chain, misled] = await Promise.all([openSigningChain(), openSigningChain(MISLED)]);
  nodes = [await openUnsteadyNode(chain.setting.rpcUrl), await openUnsteadyNode(chain.setting.rpcUrl)];
  const [first, second] = nodes;
  house = await startTollhouse({
    chains: [
      { ...chain.setting, rpcUrl: first.url, otherRpcUrls: [second.url] },
      { ...misled.setting, rpcUrl: chain.setting.rpcUrl, otherRpcUrls: [misled.setting.rpcUrl] },
    ],
    settings: { SIGN_IN_CHAIN_IDS: `31337,${MISLED}` },
  });
});
beforeEach(() => {
  for (const node of nodes) node.mood = 'well';
});
afterAll(async () => {
  await house.stop();
  await Promise.all(nodes.map((node) => node.stop()));
  await Promise.all([chain.stop(), misled.stop()]);
});

const signs =
  (owner: Wallet) =>
  (message: string): Promise<Hex> =>
    owner.signMessage({ message });

/** How many accounts each node was asked about. */
const asked = (): number[] => nodes.map((node) => node.asked.filter((method) => method === 'eth_call').length);

const MOODS: readonly Mood[] = ['away', 'silent', 'failing', 'overloaded', 'babbling'];

describe('while one node of the chain is not well', () => {
  it.each(MOODS)('(%s) the other is asked, whichever it is', async (mood) => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    for (const node of nodes) {
      node.mood = mood;
      expect((await presentAs(house, address, signs(owner))).code).toBe('OK');
      // and what is not the account's own is wrong by that node's word
      const attempt = await presentAs(house, address, signs(newWallet()));
      expect(attempt.code).toBe('SIWE_SIGNATURE_INVALID');
      expect(await isLive(house, attempt.nonce)).toBe(false);
      node.mood = 'well';
    }
  });

  it('a wallet that is still to be deployed signs in as well', async () => {
    const owner = newWallet();
    const factory = await chain.deploy('WalletFactory');
    const wallet = undeployed(factory, creationCode('OwnedWallet', owner.address));
    for (const node of nodes) node.mood = node === nodes[0] ? 'away' : 'well';
    const attempt = await presentAs(house, wallet.address, async (message) => wallet.wrap(await signs(owner)(message)));
    expect(attempt.code).toBe('OK');
  });

  it('the one that answers is asked first from then on', async () => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    const [first, second] = nodes;
    first.mood = 'away';
    expect((await presentAs(house, address, signs(owner))).code).toBe('OK');
    first.mood = 'well';
    const [firsts = 0, seconds = 0] = asked();
    expect((await presentAs(house, address, signs(owner))).code).toBe('OK');
    expect(asked()).toEqual([firsts, seconds + 1]);
    second.mood = 'away';
    expect((await presentAs(house, address, signs(owner))).code).toBe('OK');
    expect(asked()).toEqual([firsts + 1, seconds + 2]);
  });

  it('a node of another chain is passed over', async () => {
    const owner = newWallet();
    const address = await misled.deploy('OwnedWallet', owner.address);
    expect((await presentAs(house, address, signs(owner), MISLED)).code).toBe('OK');
    expect((await presentAs(house, address, signs(newWallet()), MISLED)).code).toBe('SIWE_SIGNATURE_INVALID');
  });
});

describe('a signature that a node has judged', () => {
  it('is put to no other node, whatever it was judged to be', async () => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    for (const by of [owner, newWallet()]) {
      const before = asked().reduce((sum, each) => sum + each);
      await presentAs(house, address, signs(by));
      expect(asked().reduce((sum, each) => sum + each)).toBe(before + 1);
    }
  });
});

describe('while no node of the chain is well', () => {
  it('nobody was checked, each was asked once, and the nonce is good once one is well', async () => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    for (const node of nodes) node.mood = 'away';
    const [firsts = 0, seconds = 0] = asked();
    const attempt = await presentAs(house, address, signs(owner));
    expect(attempt.code).toBe('SIGNATURE_CHECK_UNAVAILABLE');
    expect(attempt.answer.errors[0]?.extensions).toMatchObject({ retryable: true, facts: { chainId: 31_337 } });
    expect(asked()).toEqual([firsts + 1, seconds + 1]);
    expect(await isLive(house, attempt.nonce)).toBe(true);
    nodes[1].mood = 'well';
    expect((await submit(house, attempt)).code).toBe('OK');
  });
});
