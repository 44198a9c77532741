import type { Hex } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { creationCode, openSigningChain, presentAs, type SigningChain, undeployed } from './signingChain.ts';
import { type Mood, openUnsteadyNode, type UnsteadyNode } from './unsteadyNode.ts';
import { isLive, newWallet, sql, submit, type Wallet } from './visitor.ts';

const NODELESS = 8453;
const MISTAKEN = 31_338;

let chain: SigningChain;
let node: UnsteadyNode;
let house: TestTollhouse;
beforeAll(async () => {
  chain = await openSigningChain();
  node = await openUnsteadyNode(chain.setting.rpcUrl);
  const behind = { ...chain.setting, rpcUrl: node.url };
  house = await startTollhouse({
    chains: [behind, { ...behind, chainId: MISTAKEN }],
    settings: { SIGN_IN_CHAIN_IDS: `31337,${NODELESS},${MISTAKEN}` },
  });
});
beforeEach(() => {
  node.mood = 'well';
});
afterAll(async () => {
  await house.stop();
  await node.stop();
  await chain.stop();
});

const signs =
  (owner: Wallet) =>
  (message: string): Promise<Hex> =>
    owner.signMessage({ message });

const MOODS: readonly Mood[] = ['away', 'silent', 'failing', 'overloaded', 'babbling'];

describe('while the node of the chain is not well', () => {
  it.each(MOODS)('(%s) nobody was checked: the nonce is given back, and good once it is well', async (mood) => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    node.mood = mood;
    const attempt = await presentAs(house, address, signs(owner));
    expect(attempt).toMatchObject({ code: 'SIGNATURE_CHECK_UNAVAILABLE', signedIn: null });
    const [error] = attempt.answer.errors;
    expect(error?.extensions).toMatchObject({ retryable: true, facts: { chainId: 31_337 } });
    expect([attempt.answer.status, attempt.answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(JSON.stringify(attempt.answer)).not.toContain('127.0.0.1');
    expect(await isLive(house, attempt.nonce)).toBe(true);

    node.mood = 'well';
    expect((await submit(house, attempt)).code).toBe('OK');
    expect(await isLive(house, attempt.nonce)).toBe(false);
    expect((await submit(house, attempt)).code).toBe('SIWE_NONCE_INVALID');
  });

  it('the nonce is given back as it was, and stays what it was for', async () => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    const challenges = (): Promise<Record<string, unknown>[]> =>
      sql(house, 'select * from challenges order by created_at desc, id desc limit 1');
    let before: unknown;
    node.mood = 'away';
    const attempt = await presentAs(house, address, async (message) => {
      before = await challenges();
      return owner.signMessage({ message });
    });
    const after = await challenges();
    expect(after).toEqual(before);
    await sql(house, 'delete from challenges where id = $1', [after[0]?.id]);
    expect((await submit(house, attempt)).code).toBe('SIWE_NONCE_INVALID');
  });

  it('a wrong signature is not told from a right one, and once it is well it is wrong, and burns the nonce', async () => {
    const address = await chain.deploy('OwnedWallet', newWallet().address);
    node.mood = 'away';
    const attempt = await presentAs(house, address, signs(newWallet()));
    expect(attempt.code).toBe('SIGNATURE_CHECK_UNAVAILABLE');
    node.mood = 'well';
    expect((await submit(house, attempt)).code).toBe('SIWE_SIGNATURE_INVALID');
    expect(await isLive(house, attempt.nonce)).toBe(false);
  });

  it('of many uses of one nonce at one moment none is let in, and afterwards one', async () => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    node.mood = 'away';
    const attempt = await presentAs(house, address, signs(owner));
    const many = (): Promise<string[]> =>
      Promise.all(Array.from({ length: 10 }, async () => (await submit(house, attempt)).code));
    const codes = new Set(await many());
    codes.delete('SIWE_NONCE_INVALID');
    expect([...codes]).toEqual(['SIGNATURE_CHECK_UNAVAILABLE']);
    expect(await isLive(house, attempt.nonce)).toBe(true);
    node.mood = 'well';
    expect((await many()).filter((code) => code === 'OK')).toEqual(['OK']);
  });

  it('a wallet that is still to be deployed waits, too', async () => {
    const owner = newWallet();
    const factory = await chain.deploy('WalletFactory');
    const wallet = undeployed(factory, creationCode('OwnedWallet', owner.address));
    node.mood = 'away';
    const attempt = await presentAs(house, wallet.address, async (message) => wallet.wrap(await signs(owner)(message)));
    expect(attempt.code).toBe('SIGNATURE_CHECK_UNAVAILABLE');
    node.mood = 'well';
    expect((await submit(house, attempt)).code).toBe('OK');
  });

  it.each<Mood>(['away', 'silent'])('(%s) an account of its own key signs in', async (mood) => {
    const account = newWallet();
    node.mood = mood;
    expect((await presentAs(house, account.address, signs(account))).code).toBe('OK');
  });

  it('an account of its own key is not even asked about', async () => {
    const account = newWallet();
    const asked = (): number => node.asked.filter((method) => method === 'eth_call').length;
    const before = asked();
    expect((await presentAs(house, account.address, signs(account))).code).toBe('OK');
    expect(asked()).toBe(before);
    await presentAs(house, account.address, signs(newWallet()));
    expect(asked()).toBe(before + 1);
  });

  it('each attempt leaves its row in the trail', async () => {
    const address = await chain.deploy('OwnedWallet', newWallet().address);
    node.mood = 'away';
    await presentAs(house, address, signs(newWallet()));
    const rows = await sql(house, 'select outcome from sign_in_attempts where address = $1', [address.toLowerCase()]);
    expect(rows).toEqual([{ outcome: 'SIGNATURE_CHECK_UNAVAILABLE' }]);
  });
});

describe('a node of another chain than the settings say', () => {
  it('checks nobody', async () => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    const attempt = await presentAs(house, address, signs(owner), MISTAKEN);
    expect(attempt.code).toBe('SIGNATURE_CHECK_UNAVAILABLE');
    expect(await isLive(house, attempt.nonce)).toBe(true);
  });
});

describe('on a chain without a node', () => {
  it('accounts of their own key sign in', async () => {
    const account = newWallet();
    expect((await presentAs(house, account.address, signs(account), NODELESS)).code).toBe('OK');
  });

  it('whatever else comes is refused by a code of its own, for good', async () => {
    const owner = newWallet();
    const address = await chain.deploy('OwnedWallet', owner.address);
    const attempt = await presentAs(house, address, signs(owner), NODELESS);
    expect(attempt).toMatchObject({ code: 'SIGNATURE_CHECK_UNSUPPORTED', signedIn: null, answer: { status: 200 } });
    const [error] = attempt.answer.errors;
    expect(error?.extensions).toMatchObject({ retryable: false, facts: { chainId: NODELESS } });
    expect(await isLive(house, attempt.nonce)).toBe(false);
  });
});
