import { signLoginPayload } from 'thirdweb/auth';
import type { Account } from 'thirdweb/wallets';
import { getAddress, type Hex, hashMessage } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuth } from '../../examples/thirdweb/src/auth.ts';
import { linkProfile } from '../../examples/thirdweb/src/linkProfile.ts';
import { Identities } from '../../examples/thirdweb/src/operations.ts';
import { createTollhouseClient, type TollhouseClient } from '../../src/client/tollhouseClient.ts';
import { creationCode, openSigningChain, type SigningChain, undeployed } from '../identity/signingChain.ts';
import { newAddress, startThirdwebbed, type ThirdwebbedHouse } from '../identity/thirdwebbed.ts';
import { codeOf, createStorage } from './visitor.ts';

let chain: SigningChain;
let factory: Hex;
let house: ThirdwebbedHouse;
beforeAll(async () => {
  chain = await openSigningChain();
  factory = await chain.deploy('WalletFactory');
  house = await startThirdwebbed({
    chains: [chain.setting],
    settings: { THIRDWEB_ACCOUNT_FACTORIES: factory, SIGN_IN_CHAIN_IDS: '31337,8453' },
  });
});
afterAll(async () => {
  await house?.stop();
  await chain?.stop();
});

/** An account in thirdweb's shape, which signs with a key of its own. */
function newAccount(): Account {
  const { address, signMessage, signTypedData } = privateKeyToAccount(generatePrivateKey());
  const sendTransaction = (): Promise<never> => Promise.reject(new Error('Signing in sends nothing.'));
  return { address, sendTransaction, signMessage, signTypedData: signTypedData as Account['signTypedData'] };
}

/** What `ConnectButton` does with `auth` once an account is connected. */
async function connect(tollhouse: TollhouseClient, account: Account, chainId = 31_337): Promise<boolean> {
  const auth = createAuth(tollhouse);
  if (!(await auth.isLoggedIn(account.address))) {
    const payload = await auth.getLoginPayload({ address: account.address, chainId });
    await auth.doLogin(await signLoginPayload({ payload, account }));
  }
  return auth.isLoggedIn(account.address);
}

describe('the thirdweb example', () => {
  it('signs an account in, once, and out', async () => {
    const tollhouse = createTollhouseClient({ url: house.url });
    const account = newAccount();
    expect(await connect(tollhouse, account)).toBe(true);
    const { session } = tollhouse;
    expect(session?.wallet).toBe(getAddress(account.address));
    expect(await connect(tollhouse, account)).toBe(true);
    expect(tollhouse.session).toBe(session);
    await createAuth(tollhouse).doLogout();
    expect(await createAuth(tollhouse).isLoggedIn(account.address)).toBe(false);
  });

  it('knows who is signed in from an earlier page, and nobody else', async () => {
    const storage = createStorage();
    const account = newAccount();
    await connect(createTollhouseClient({ url: house.url, storage }), account);
    const later = createAuth(createTollhouseClient({ url: house.url, storage }));
    expect(await later.isLoggedIn(account.address.toLowerCase())).toBe(true);
    expect(await later.isLoggedIn(newAddress())).toBe(false);
  });

  it('signs in a smart account that is not deployed yet', async () => {
    const owner = newAccount();
    const { address, wrap } = undeployed(factory, creationCode('AccountMessageWallet', owner.address));
    const domain = { name: 'Account', version: '1', chainId: 31_337, verifyingContract: address };
    const types = { AccountMessage: [{ name: 'message', type: 'bytes' }] } as const;
    const smart: Account = {
      ...owner,
      address: getAddress(address),
      signMessage: async ({ message }) => {
        const signed = { message: hashMessage(message as string) };
        return wrap(await owner.signTypedData({ domain, types, primaryType: 'AccountMessage', message: signed }));
      },
    };
    const tollhouse = createTollhouseClient({ url: house.url });
    expect(await connect(tollhouse, smart)).toBe(true);
    const { viewer } = await tollhouse.query(Identities);
    expect(viewer?.identities.edges.map(({ node }) => node.wallet)).toEqual([
      { kind: 'CONTRACT', source: 'THIRDWEB_SMART' },
    ]);
  });

  it('does not sign in with another account’s signature, nor on a chain that is not allowed', async () => {
    const tollhouse = createTollhouseClient({ url: house.url });
    const { address } = newAccount();
    const forger: Account = { ...newAccount(), address };
    expect(await codeOf(connect(tollhouse, forger))).toBe('SIWE_SIGNATURE_INVALID');
    expect(await codeOf(connect(tollhouse, newAccount(), 10))).toBe('SIWE_CHAIN_NOT_ALLOWED');
    expect(tollhouse.session).toBeNull();
  });

  it('links what thirdweb knows of an in-app wallet’s owner, once', async () => {
    const tollhouse = createTollhouseClient({ url: house.url });
    const account = newAccount();
    await connect(tollhouse, account);
    const profile = { type: 'google', id: 'g-example', email: 'ada@example.org', emailVerified: true };
    const token = house.thirdweb.tokenOf({ address: account.address, profiles: [profile] });
    expect(await linkProfile(tollhouse, token)).toBe(true);
    expect(await linkProfile(tollhouse, token)).toBe(false);
    const { viewer } = await tollhouse.query(Identities);
    expect(viewer?.identities.edges.map(({ node: { issuer, email } }) => [issuer, email])).toEqual(
      expect.arrayContaining([['thirdweb:google', 'ada@example.org']]),
    );
    expect(await codeOf(linkProfile(tollhouse, 'eyJ.unknown.sig'))).toBe('THIRDWEB_TOKEN_INVALID');
  });
});
