import { viemAdapter } from 'thirdweb/adapters/viem';
import { createWalletClient, custom, hexToString } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTollhouseClient,
  graphql,
  type Session,
  type SigningAccount,
  type Wallet,
  type WalletProvider,
} from '../../src/client/tollhouseClient.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

const WHO = graphql('query Who { viewer { user { id wallets { address } } } }');

/** A provider with the account of a key, as browsers' wallets are. */
function providerOf(key: `0x${string}`, more: (method: string) => unknown = () => undefined): WalletProvider {
  const account = privateKeyToAccount(key);
  return {
    async request({ method, params }: { method: string; params?: [`0x${string}`, string] }) {
      const said = more(method);
      if (said !== undefined) return said;
      if (/^eth_(requestAccounts|accounts)$/.test(method)) return [account.address];
      if (method !== 'personal_sign' || !params) throw Object.assign(new Error('unsupported'), { code: 4200 });
      if (params[1] !== account.address) throw new Error('another account');
      return account.signMessage({ message: hexToString(params[0]) });
    },
  };
}

/** As thirdweb's library makes it. */
function thirdwebAccountOf(key: `0x${string}`): SigningAccount {
  const walletClient = createWalletClient({
    account: privateKeyToAccount(key),
    transport: custom(providerOf(key) as never),
  });
  return viemAdapter.walletClient.fromViem({ walletClient: walletClient as never });
}

const wallets: [kind: string, open: (key: `0x${string}`) => Wallet][] = [
  ['a LocalAccount of viem', privateKeyToAccount],
  [
    'a WalletClient of viem with an account',
    (key) => createWalletClient({ account: privateKeyToAccount(key), transport: custom(providerOf(key) as never) }),
  ],
  [
    'a WalletClient of viem that asks its provider for one',
    (key) => createWalletClient({ transport: custom(providerOf(key) as never) }),
  ],
  ['a provider of EIP-1193', providerOf],
  ['an Account of thirdweb', thirdwebAccountOf],
  ['a Wallet of thirdweb', (key) => ({ getAccount: () => thirdwebAccountOf(key) })],
];

describe('signing in', () => {
  it.each(wallets)('takes %s', async (_kind, open) => {
    const key = generatePrivateKey();
    const { address } = privateKeyToAccount(key);
    const client = createTollhouseClient({ url: house.url, wallet: open(key) });
    expect(client.session).toBeNull();
    expect(await client.query(WHO)).toEqual({ viewer: null });
    const session = await client.signIn();
    expect(session).toMatchObject({ wallet: address, role: 'OWNER', isNewUser: true, isBound: false });
    expect(client.session).toEqual(session);
    const { viewer } = await client.query(WHO);
    expect(viewer?.user).toEqual({ id: session.user.id, wallets: [{ address }] });
  });

  it('tells who listens, once, and nobody who has stopped', async () => {
    const client = createTollhouseClient({ url: house.url });
    const [heard, deaf]: [[Session | null, string][], unknown[]] = [[], []];
    const stop = client.onSessionChange((session) => deaf.push(session));
    client.onSessionChange((session, reason) => heard.push([session, reason]));
    stop();
    const session = await client.signIn({ wallet: privateKeyToAccount(generatePrivateKey()) });
    expect(heard).toEqual([[session, 'signedIn']]);
    expect(deaf).toEqual([]);
  });

  it('is not undone by a listener that fails', async () => {
    const faults: unknown[] = [];
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').once('uncaughtException', (fault) => faults.push(fault));
    const client = createTollhouseClient({ url: house.url });
    const fault = new Error('a fault of the page');
    client.onSessionChange(() => {
      throw fault;
    });
    const session = await client.signIn({ wallet: privateKeyToAccount(generatePrivateKey()) });
    expect(client.session).toEqual(session);
    expect(faults).toEqual([fault]);
    for (const listener of before) process.on('uncaughtException', listener);
  });

  it('finds somebody known again, who is no new user then', async () => {
    const wallet = privateKeyToAccount(generatePrivateKey());
    const [first, again] = [
      createTollhouseClient({ url: house.url, wallet }),
      createTollhouseClient({ url: house.url }),
    ];
    const session = await first.signIn();
    expect(await again.signIn({ wallet })).toMatchObject({ user: session.user, isNewUser: false });
  });

  it.each<[string, (method: string) => unknown, string]>([
    [
      'the person refuses to connect',
      (method) => method === 'eth_requestAccounts' && Promise.reject({ code: 4001 }),
      'WALLET_REFUSED',
    ],
    ['has no account', () => [], 'WALLET_MISSING'],
  ])('begins nothing when the wallet %s', async (_, answer, code) => {
    const wallet = providerOf(generatePrivateKey(), answer);
    const client = createTollhouseClient({ url: house.url, wallet });
    await expect(client.signIn()).rejects.toMatchObject({ name: 'TollhouseError', code, retryable: false });
    expect(client.session).toBeNull();
  });

  it('tells a refusal from a wallet that fails, through whatever wraps it', async () => {
    const refusing = (cause: unknown): WalletProvider =>
      providerOf(generatePrivateKey(), (method) => (method === 'personal_sign' ? Promise.reject(cause) : undefined));
    const codes: string[] = [];
    for (const provider of [refusing({ code: 4001 }), refusing(new Error('the device is locked'))]) {
      for (const wallet of [provider, createWalletClient({ transport: custom(provider as never) })]) {
        const client = createTollhouseClient({ url: house.url, wallet });
        codes.push(await client.signIn().then(String, ({ code }) => code));
      }
    }
    expect(codes).toEqual(['WALLET_REFUSED', 'WALLET_REFUSED', 'WALLET_FAILED', 'WALLET_FAILED']);
  });

  it('needs a wallet', async () => {
    for (const wallet of [undefined, { getAccount: () => undefined }]) {
      const client = createTollhouseClient({ url: house.url, wallet });
      await expect(client.signIn()).rejects.toMatchObject({ code: 'WALLET_MISSING' });
    }
  });

  it('hands on what the gateway refuses, with what to do', async () => {
    const { address } = privateKeyToAccount(generatePrivateKey());
    const other = privateKeyToAccount(generatePrivateKey());
    const forger: SigningAccount = { address, signMessage: (asked) => other.signMessage(asked) };
    const client = createTollhouseClient({ url: house.url, wallet: forger });
    await expect(client.signIn()).rejects.toMatchObject({
      code: 'SIGNATURE_CHECK_UNSUPPORTED',
      retryable: false,
      docs: 'docs/errors.md#signature_check_unsupported',
      remedy: expect.stringContaining('an account of its own key'),
      requestId: expect.any(String),
    });
    await expect(client.signIn({ wallet: other, chainId: 424_242 })).rejects.toMatchObject({
      code: 'SIWE_CHAIN_NOT_ALLOWED',
    });
    expect(client.session).toBeNull();
  });

  it('stops where it is aborted, with the reason that was given', async () => {
    const leaving = new AbortController();
    const key = generatePrivateKey();
    const wallet: SigningAccount = {
      address: privateKeyToAccount(key).address,
      signMessage: (asked) => {
        leaving.abort(new Error('the page was left'));
        return privateKeyToAccount(key).signMessage(asked);
      },
    };
    const client = createTollhouseClient({ url: house.url, wallet });
    await expect(client.signIn({ signal: leaving.signal })).rejects.toThrow('the page was left');
    expect(client.session).toBeNull();
  });

  it('proves a wallet again, for what asks for a fresh proof, and not with somebody else’s', async () => {
    const wallet = privateKeyToAccount(generatePrivateKey());
    const client = createTollhouseClient({ url: house.url, wallet });
    await client.signIn();
    expect((await client.stepUp()).getTime()).toBeGreaterThan(Date.now());
    await expect(client.stepUp({ wallet: privateKeyToAccount(generatePrivateKey()) })).rejects.toMatchObject({
      code: 'WALLET_NOT_YOURS',
    });
  });
});
