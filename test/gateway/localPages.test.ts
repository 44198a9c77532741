import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEnvironment } from '../../src/environment.ts';
import { admitLocalPage } from '../../src/gateway/localPages.ts';
import { type Answer, startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

const LOCAL = ['http://localhost:5173', 'http://127.0.0.1:8080', 'http://localhost'];
const FOREIGN = [
  'https://evil.example',
  'http://evil.example:5173',
  'http://localhost.evil.example:5173',
  'http://localhost@evil.example',
  'http://127.0.0.1.evil.example',
  'https://localhost:5173',
  'http://LOCALHOST:5173',
  'http://localhost:5173/',
  'http://192.168.0.1:5173',
  'http://0.0.0.0:5173',
  'file://localhost',
  'null',
  '',
];

let open: TestTollhouse;
let named: TestTollhouse;
let cookied: TestTollhouse;
beforeAll(async () => {
  open = await startTollhouse();
  named = await startTollhouse({ settings: { SIGN_IN_ORIGINS: 'https://app.example' } });
  cookied = await startTollhouse({ settings: { COOKIES: '1' } });
});
afterAll(async () => {
  for (const house of [open, named, cookied]) await house.stop();
});

type Asked = (house: TestTollhouse, origin: string) => Promise<Answer<Record<string, unknown>>>;

const ask: Asked = (house, origin) => house.ask('{ __typename }', {}, { headers: { origin } });
const allowedOrigin = async (house: TestTollhouse, origin: string): Promise<string | null> =>
  (await ask(house, origin)).headers.get('access-control-allow-origin');

/** Signs in as a page of this origin does: with the text that the gateway has made for it. */
async function signInFrom(house: TestTollhouse, origin: string): Promise<{ text: string; code: string }> {
  const account = privateKeyToAccount(generatePrivateKey());
  const headers = { origin };
  const given = await house.ask<{ createSignInChallenge: { challenge: { message: string } } }>(
    `mutation ($input: CreateSignInChallengeInput!) { createSignInChallenge(input: $input) { challenge { message } } }`,
    { input: { address: account.address } },
    { headers },
  );
  const message = given.data?.createSignInChallenge.challenge.message ?? '';
  const { errors } = await house.ask(
    `mutation ($input: SignInWithEthereumInput!) { signInWithEthereum(input: $input) { isNewUser } }`,
    { input: { message, signature: await account.signMessage({ message }) } },
    { headers },
  );
  return { text: message.split('\n', 1).join(''), code: errors[0]?.extensions.code ?? 'OK' };
}

describe('a page that this machine serves', () => {
  it.each(LOCAL)('at %s may read answers, and people sign in from it', async (origin) => {
    expect(await allowedOrigin(open, origin)).toBe(origin);
    const { host } = new URL(origin);
    const text = `${host} wants you to sign in with your Ethereum account:`;
    expect(await signInFrom(open, origin)).toEqual({ text, code: 'OK' });
  });

  it('is none where an operator has named the pages', async () => {
    for (const origin of LOCAL) expect(await allowedOrigin(named, origin)).toBeNull();
    expect((await signInFrom(named, 'http://localhost:5173')).code).toBe('SIWE_DOMAIN_MISMATCH');
    expect(await allowedOrigin(named, 'https://app.example')).toBe('https://app.example');
  });

  it('is none where tokens are kept in cookies, which know no port', async () => {
    for (const origin of LOCAL) expect(await allowedOrigin(cookied, origin)).toBeNull();
    const own = new URL(cookied.url).origin;
    expect(await allowedOrigin(cookied, own)).toBe(own);
  });

  it('is none in production', () => {
    const environment = readEnvironment({ NODE_ENV: 'test' });
    const resources = { ...open.resources, environment: { ...environment, production: true } };
    expect(admitLocalPage(resources, 'http://localhost:5173')).toBe(resources);
  });
});

describe('a page of another machine', () => {
  it.each(FOREIGN)('at "%s" may read nothing', async (origin) => {
    expect(await allowedOrigin(open, origin)).toBeNull();
  });

  it('has nobody sign in from it', async () => {
    expect((await signInFrom(open, 'http://evil.example:5173')).code).toBe('SIWE_DOMAIN_MISMATCH');
  });
});
