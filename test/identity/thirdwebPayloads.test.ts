import { createAuth, type LoginPayload, signLoginPayload } from 'thirdweb/auth';
import { getAddress, type Hex, hashMessage } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mutate, type Outcome } from './linker.ts';
import { creationCode, openSigningChain, type SigningChain, undeployed } from './signingChain.ts';
import { identitiesOf, startThirdwebbed, submitThirdweb, type ThirdwebbedHouse } from './thirdwebbed.ts';
import {
  enterHouse,
  getChallenge,
  goodTerms,
  inSeconds,
  isLive,
  newWallet,
  present,
  type SignedIn,
  submit,
  type Wallet,
  writeText,
} from './visitor.ts';

let chain: SigningChain;
let house: ThirdwebbedHouse;
let factory: Hex;
beforeAll(async () => {
  chain = await openSigningChain();
  factory = await chain.deploy('WalletFactory');
  house = await startThirdwebbed({
    chains: [chain.setting],
    settings: { THIRDWEB_ACCOUNT_FACTORIES: factory, SIGN_IN_CHAIN_IDS: '31337,8453' },
  });
});
afterAll(async () => {
  await house.stop();
  await chain.stop();
});

const FIELDS = 'domain address statement uri version chain_id nonce issued_at expiration_time invalid_before';

/** A challenge for this wallet in thirdweb's words. */
async function getPayload({ address }: Pick<Wallet, 'address'>): Promise<LoginPayload> {
  const { code, data } = await mutate<{ challenge: { thirdwebPayload: LoginPayload } }>(
    house,
    undefined,
    'createSignInChallenge',
    { address },
    `challenge { thirdwebPayload { ${FIELDS} } }`,
  );
  if (!data) throw new Error(`No challenge: ${code}`);
  return data.challenge.thirdwebPayload;
}

/** Signs as thirdweb's libraries do. */
function sign(payload: LoginPayload, wallet: Wallet): Promise<{ payload: LoginPayload; signature: string }> {
  return signLoginPayload({ payload, account: wallet as never });
}

/** A payload that thirdweb's own library has made, around a nonce of ours. */
async function generate(wallet: Wallet, changes: Partial<LoginPayload> = {}): Promise<LoginPayload> {
  const { nonce } = await getChallenge(house);
  const { host, origin } = new URL(house.url);
  const auth = createAuth({
    domain: host,
    login: { uri: origin, payloadExpirationTimeSeconds: 240, nonce: { generate: () => nonce, validate: () => true } },
  });
  return { ...(await auth.generatePayload({ address: wallet.address, chainId: 31_337 })), ...changes };
}

const unset = (payload: LoginPayload): object => JSON.parse(JSON.stringify(payload)) as object;

async function present3(payload: LoginPayload, wallet: Wallet): Promise<Outcome<SignedIn>> {
  const { signature } = await sign(payload, wallet);
  return submitThirdweb(house, { payload: unset(payload), signature });
}

describe('a payload of a challenge', () => {
  it('signs in when thirdweb’s own library has signed it, and is good once', async () => {
    const wallet = newWallet();
    const signed = await sign(await getPayload(wallet), wallet);
    const first = await submitThirdweb(house, signed);
    expect([first.code, first.data?.isNewUser]).toEqual(['OK', true]);
    expect((await submitThirdweb(house, signed)).code).toBe('SIWE_NONCE_INVALID');
    expect((await enterHouse(house, wallet)).viewer).toEqual(first.data?.viewer);
  });

  it('is no other wallet’s', async () => {
    const payload = await getPayload(newWallet());
    expect((await present3(payload, newWallet())).code).toBe('SIWE_SIGNATURE_INVALID');
    expect(await isLive(house, payload.nonce)).toBe(false);
  });

  const ALTERED: Readonly<Record<string, [value: string | string[] | undefined, signedAnew: string]>> = {
    domain: ['elsewhere.example', 'SIWE_MALFORMED'],
    address: [newWallet().address, 'SIWE_MALFORMED'],
    statement: ['Give it all.', 'SIWE_MALFORMED'],
    uri: ['https://elsewhere.example', 'SIWE_MALFORMED'],
    version: ['2', 'SIWE_MALFORMED'],
    chain_id: ['8453', 'SIWE_MALFORMED'],
    nonce: ['0123456789abcdef', 'SIWE_NONCE_INVALID'],
    issued_at: [inSeconds(-1), 'SIWE_MALFORMED'],
    expiration_time: [inSeconds(600), 'SIWE_MALFORMED'],
    invalid_before: [inSeconds(-1), 'SIWE_MALFORMED'],
    resources: [['https://elsewhere.example'], 'SIWE_MALFORMED'],
  };
  it.each(Object.entries(ALTERED))('is refused with another %s, signed anew or not', async (field, [value, code]) => {
    const wallet = newWallet();
    const payload = await getPayload(wallet);
    const altered = { ...payload, [field]: value } as LoginPayload;
    const { signature } = await sign(payload, wallet);
    expect((await submitThirdweb(house, { payload: altered, signature })).code).toBe(code);
    expect((await present3(altered, wallet)).code).toBe(code);
    expect(await isLive(house, payload.nonce)).toBe(true);
    expect((await submitThirdweb(house, { payload, signature })).code).toBe('OK');
  });
});

describe('a payload of the page’s own', () => {
  it('signs in as thirdweb’s library has made it', async () => {
    const wallet = newWallet();
    expect((await present3(await generate(wallet), wallet)).code).toBe('OK');
  });

  const TERMS: readonly [name: string, changes: Partial<LoginPayload>, code: string][] = [
    ['another domain', { domain: 'elsewhere.example' }, 'SIWE_DOMAIN_MISMATCH'],
    ['another origin', { uri: 'https://elsewhere.example' }, 'SIWE_URI_MISMATCH'],
    ['no origin', { uri: undefined as never }, 'SIWE_MALFORMED'],
    ['a chain that is not allowed', { chain_id: '1' }, 'SIWE_CHAIN_NOT_ALLOWED'],
    ['no chain', { chain_id: undefined as never }, 'SIWE_MALFORMED'],
    ['another version', { version: '2' }, 'SIWE_MALFORMED'],
    ['no statement', { statement: '' }, 'SIWE_MALFORMED'],
    ['a statement of two lines', { statement: 'Sign.\n\nURI: https://elsewhere.example' }, 'SIWE_MALFORMED'],
    ['resources', { resources: ['https://elsewhere.example'] }, 'SIWE_MALFORMED'],
    ['a nonce of nobody’s', { nonce: '0123456789abcdef0123' }, 'SIWE_NONCE_INVALID'],
    ['a moment long ago', { issued_at: inSeconds(-900) }, 'SIWE_ISSUED_AT'],
    ['a moment to come', { issued_at: inSeconds(900) }, 'SIWE_ISSUED_AT'],
    ['an end that has come', { expiration_time: inSeconds(-1) }, 'SIWE_EXPIRED'],
    ['a beginning to come', { invalid_before: inSeconds(900) }, 'SIWE_NOT_YET_VALID'],
    ['no time of issue', { issued_at: 'soon' }, 'SIWE_MALFORMED'],
    ['no time of ending', { expiration_time: 'never' }, 'SIWE_MALFORMED'],
    ['no time of beginning', { invalid_before: '' }, 'SIWE_MALFORMED'],
    ['a time that no clock shows', { expiration_time: '2099-02-30T00:00:00.000Z' }, 'SIWE_MALFORMED'],
  ];
  it.each(TERMS)('is refused with %s', async (_, changes, code) => {
    const wallet = newWallet();
    expect((await present3(await generate(wallet, changes), wallet)).code).toBe(code);
  });

  it.each([
    ['domain', 'localhost', 'SIWE_DOMAIN_MISMATCH'],
    ['address', newWallet().address, 'SIWE_SIGNATURE_INVALID'],
    ['statement', 'Give it all.', 'SIWE_SIGNATURE_INVALID'],
    // no node of that chain to ask a contract
    ['chain_id', '8453', 'SIGNATURE_CHECK_UNSUPPORTED'],
    ['expiration_time', inSeconds(200), 'SIWE_SIGNATURE_INVALID'],
    ['invalid_before', inSeconds(-200), 'SIWE_SIGNATURE_INVALID'],
  ])('is refused when %s is another than was signed', async (field, value, refusal) => {
    const wallet = newWallet();
    const payload = await generate(wallet);
    const { signature } = await sign(payload, wallet);
    const { code } = await submitThirdweb(house, { payload: { ...unset(payload), [field]: value }, signature });
    expect(code).toBe(refusal);
  });
});

describe('an account as thirdweb’s are', () => {
  /** The owner's signature over `AccountMessage(bytes message)`. */
  const accountMessage = (owner: Wallet, account: Hex, text: string): Promise<Hex> =>
    owner.signTypedData({
      domain: { name: 'Account', version: '1', chainId: 31_337, verifyingContract: account },
      types: { AccountMessage: [{ name: 'message', type: 'bytes' }] },
      primaryType: 'AccountMessage',
      message: { message: hashMessage(text) },
    });

  /** The text of a payload, as thirdweb's library hands it to an account. */
  async function textOf(payload: LoginPayload): Promise<string> {
    let text = '';
    await sign(payload, {
      signMessage: async ({ message }: { message: string }) => {
        text = message;
        return '0x';
      },
    } as never);
    return text;
  }

  const newcomer = async () => {
    const owner = newWallet();
    const account = undeployed(factory, creationCode('AccountMessageWallet', owner.address));
    return { owner, ...account, address: getAddress(account.address) };
  };

  it('signs in undeployed by a plain text, and is called one of thirdweb’s', async () => {
    const { owner, address, wrap } = await newcomer();
    const { nonce } = await getChallenge(house);
    const message = writeText(goodTerms(house, { address }, nonce));
    const { signedIn } = await submit(house, {
      message,
      signature: wrap(await accountMessage(owner, address, message)),
    });
    if (!signedIn) throw new Error('no session');
    expect((await identitiesOf(house, signedIn))[0]?.wallet).toMatchObject({
      source: 'THIRDWEB_SMART',
      kind: 'CONTRACT',
      chainId: 31_337,
    });
  });

  it('signs in by a payload, undeployed and deployed: then its own word counts', async () => {
    const { owner, address, wrap, call } = await newcomer();
    const first = await getPayload({ address });
    const wrapped = wrap(await accountMessage(owner, address, await textOf(first)));
    expect((await submitThirdweb(house, { payload: first, signature: wrapped })).code).toBe('OK');
    await chain.sendAs(owner.address, { to: factory, data: call });
    const second = await getPayload({ address });
    const signature = await accountMessage(owner, address, await textOf(second));
    const again = await submitThirdweb(house, { payload: second, signature });
    expect([again.code, again.data?.isNewUser]).toEqual(['OK', false]);
  });

  it('does not by its owner’s signature of the text itself, nor by a stranger’s', async () => {
    const owner = newWallet();
    const address = getAddress(await chain.deploy('AccountMessageWallet', owner.address));
    for (const signed of [
      (text: string) => owner.signMessage({ message: text }),
      (text: string) => accountMessage(newWallet(), address, text),
    ]) {
      const payload = await getPayload({ address });
      const signature = await signed(await textOf(payload));
      expect((await submitThirdweb(house, { payload, signature })).code).toBe('SIWE_SIGNATURE_INVALID');
    }
  });

  it('is called external when another factory made it, or when it was there already', async () => {
    const owner = newWallet();
    const address = getAddress(await chain.deploy('AccountMessageWallet', owner.address));
    const { nonce } = await getChallenge(house);
    const message = writeText(goodTerms(house, { address }, nonce));
    const { signedIn } = await submit(house, { message, signature: await accountMessage(owner, address, message) });
    if (!signedIn) throw new Error('no session');
    expect((await identitiesOf(house, signedIn))[0]?.wallet?.source).toBe('EXTERNAL');
    const second = await chain.deploy('WalletFactory');
    const made = undeployed(second, creationCode('AccountMessageWallet', owner.address));
    const { nonce: next } = await getChallenge(house);
    const text = writeText(goodTerms(house, { address: getAddress(made.address) }, next));
    const signature = made.wrap(await accountMessage(owner, made.address, text));
    const entered = (await submit(house, { message: text, signature })).signedIn;
    if (!entered) throw new Error('no session');
    expect((await identitiesOf(house, entered))[0]?.wallet?.source).toBe('EXTERNAL');
  });
});

it('a linked wallet and a step-up have no payload', async () => {
  const person = await enterHouse(house);
  const { data } = await mutate<{ challenge: { thirdwebPayload: unknown } }>(
    house,
    person.accessToken,
    'createWalletChallenge',
    { purpose: 'LINK', address: newWallet().address },
    'challenge { thirdwebPayload { nonce } }',
  );
  expect(data?.challenge.thirdwebPayload).toBeNull();
  expect((await present(house)).code).toBe('OK');
});
