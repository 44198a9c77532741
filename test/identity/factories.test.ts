import type { Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { creationCode, openSigningChain, presentAs, type SigningChain, undeployed } from './signingChain.ts';
import { newWallet, sql, type Wallet } from './visitor.ts';

/** The ways of `FactoryWallet`, in its order. */
const WAYS = [
  'SAYS_IT',
  'REVERTS',
  'BURNS_GAS',
  'SAYS_NOTHING',
  'SAYS_FOUR_BYTES',
  'SAYS_TOO_LARGE',
  'SAYS_TOO_MUCH',
] as const;

let chain: SigningChain;
let house: TestTollhouse;
/** One that the installation knows as thirdweb's, and one that nobody knows. */
let known: Hex;
let unknown: Hex;
beforeAll(async () => {
  chain = await openSigningChain();
  [known, unknown] = [await chain.deploy('WalletFactory'), await chain.deploy('WalletFactory')];
  house = await startTollhouse({ chains: [chain.setting], settings: { THIRDWEB_ACCOUNT_FACTORIES: known } });
});
afterAll(async () => {
  await house.stop();
  await chain.stop();
});

const signs =
  (owner: Wallet, wrap = (signature: Hex): Hex => signature) =>
  async (message: string): Promise<Hex> =>
    wrap(await owner.signMessage({ message }));

const codeOf = (owner: Wallet, said: Hex, way: (typeof WAYS)[number] = 'SAYS_IT'): Hex =>
  creationCode('FactoryWallet', owner.address, WAYS.indexOf(way), said);

const deploy = (owner: Wallet, said: Hex, way: (typeof WAYS)[number] = 'SAYS_IT'): Promise<Hex> =>
  chain.deploy('FactoryWallet', owner.address, WAYS.indexOf(way), said);

async function enter(address: Hex, sign: (message: string) => Promise<Hex>): Promise<unknown> {
  expect((await presentAs(house, address, sign)).code).toBe('OK');
  const [row] = await sql(house, 'select wallet_kind, wallet_source from identities where subject = $1', [
    address.toLowerCase(),
  ]);
  return row;
}

const CALLED_THIRDWEBS = { wallet_kind: 'CONTRACT', wallet_source: 'THIRDWEB_SMART' };
const CALLED_EXTERNAL = { wallet_kind: 'CONTRACT', wallet_source: 'EXTERNAL' };

describe('a contract wallet that is there', () => {
  it('is called thirdweb’s when it says that a factory of thirdweb’s has made it', async () => {
    const owner = newWallet();
    expect(await enter(await deploy(owner, known), signs(owner))).toEqual(CALLED_THIRDWEBS);
  });

  it('is not, when it says that another has', async () => {
    const owner = newWallet();
    expect(await enter(await deploy(owner, unknown), signs(owner))).toEqual(CALLED_EXTERNAL);
  });

  it.each(WAYS.slice(1, 6))('is not, and signs in all the same, when it is asked and %s', async (way) => {
    const owner = newWallet();
    expect(await enter(await deploy(owner, known, way), signs(owner))).toEqual(CALLED_EXTERNAL);
  });

  it('is, when it says so in many words', async () => {
    const owner = newWallet();
    expect(await enter(await deploy(owner, known, 'SAYS_TOO_MUCH'), signs(owner))).toEqual(CALLED_THIRDWEBS);
  });

  it('gains nothing by lying about it: its owner’s signature counts, and no other', async () => {
    const owner = newWallet();
    const liar = await deploy(owner, known);
    expect((await presentAs(house, liar, signs(newWallet()))).code).toBe('SIWE_SIGNATURE_INVALID');
    const [row] = await sql(house, 'select count(*)::int as identities from identities where subject = $1', [
      liar.toLowerCase(),
    ]);
    expect(row).toEqual({ identities: 0 });
  });
});

describe('a contract wallet that is still to be deployed', () => {
  it('is called what it says itself, whoever is said to deploy it', async () => {
    for (const [said, factory, called] of [
      [known, unknown, CALLED_THIRDWEBS],
      [unknown, known, CALLED_EXTERNAL],
    ] as const) {
      const owner = newWallet();
      const { address, wrap } = undeployed(factory, codeOf(owner, said));
      expect(await enter(address, signs(owner, wrap))).toEqual(called);
    }
  });

  it('is called after who deploys it, when it says nothing', async () => {
    for (const [factory, called] of [
      [known, CALLED_THIRDWEBS],
      [unknown, CALLED_EXTERNAL],
    ] as const) {
      const owner = newWallet();
      const { address, wrap } = undeployed(factory, codeOf(owner, known, 'SAYS_NOTHING'));
      expect(await enter(address, signs(owner, wrap))).toEqual(called);
    }
  });
});

it('an account of its own key that has delegated to such a contract is not asked, and is external', async () => {
  const account = newWallet();
  await chain.delegate(account, await deploy(newWallet(), known));
  const { wrap } = undeployed(known, '0x');
  expect(await enter(account.address, signs(account, wrap))).toEqual({
    wallet_kind: 'EOA_7702',
    wallet_source: 'EXTERNAL',
  });
});
