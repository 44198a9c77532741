import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import {
  type Attempt,
  askChallenge,
  codeOf,
  getChallenge,
  goodTerms,
  inSeconds,
  isLive,
  newWallet,
  present,
  sql,
  submit,
  type Terms,
  UNKNOWN_NONCE,
  writeText,
} from './visitor.ts';

let house: TestTollhouse;
let host: string;
let loopback: string;
beforeAll(async () => {
  house = await startTollhouse({ chain: true, settings: { SIGN_IN_CHAIN_IDS: '31337,8453' } });
  host = `localhost:${house.gateway.port}`;
  loopback = `127.0.0.1:${house.gateway.port}`;
});
afterAll(() => house.stop());

/** Refused, with nothing to show and the nonce still good. */
async function expectKept(attempt: Attempt & { nonce: string }, code: string): Promise<void> {
  expect(attempt).toMatchObject({ code, signedIn: null, answer: { data: { signInWithEthereum: null } } });
  expect(attempt.answer.errors).toHaveLength(1);
  expect(await isLive(house, attempt.nonce)).toBe(true);
}

/** Signed in, with the nonce used up. */
async function expectIn(attempt: Attempt & { nonce: string }): Promise<void> {
  expect(attempt).toMatchObject({ code: 'OK', signedIn: { isNewUser: true } });
  expect(await isLive(house, attempt.nonce)).toBe(false);
}

describe('a challenge', () => {
  it('without an address is a nonce of 128 bits that ends in five minutes', async () => {
    const { nonce, message, expiresAt } = await getChallenge(house);
    expect([nonce, message]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), null]);
    const [row] = await sql(
      house,
      `select expires_at - created_at between '4 minutes' and '5 minutes' as "inFive" from challenges
       order by id desc limit 1`,
    );
    expect(row?.inFive).toBe(true);
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
  });

  it('is another one each time', async () => {
    const nonces = await Promise.all(Array.from({ length: 10 }, async () => (await getChallenge(house)).nonce));
    expect(new Set(nonces).size).toBe(10);
  });

  it('for an address is the text to sign, with an end', async () => {
    const { address } = newWallet();
    const { nonce, message, expiresAt } = await getChallenge(house, { address: address.toLowerCase(), chainId: 8453 });
    const issuedAt = /^Issued At: (.*)$/m.exec(message ?? '')?.[1] ?? '';
    expect(message).toBe(
      writeText({
        ...goodTerms(house, { address }, nonce),
        statement: 'Sign in to Tollhouse.',
        chainId: 8453,
        issuedAt,
        expirationTime: expiresAt,
      }),
    );
  });

  it('is for the page that asked, and for the first of ours when a stranger’s asked', async () => {
    const { address } = newWallet();
    const askFrom = async (origin: string) => (await getChallenge(house, { address }, { origin })).message;
    expect(await askFrom(`http://${loopback}`)).toContain(`${loopback} wants you`);
    expect(await askFrom('https://evil.example')).toContain(`${host} wants you`);
  });

  it.each([1, 0, -1])('is refused for a chain that is not allowed: %i', async (chainId) => {
    expect(codeOf(await askChallenge(house, { chainId }))).toBe('SIWE_CHAIN_NOT_ALLOWED');
  });

  it.each(['0x12', 'vitalik.eth', `0x${'Ab'.repeat(20)}`])('is refused for what is no address: %s', async (address) => {
    expect(codeOf(await askChallenge(house, { address }))).toBe('BAD_USER_INPUT');
  });
});

describe('step 1, the text', () => {
  it('is taken as it was given out', async () => {
    const wallet = newWallet();
    const { nonce, message } = await getChallenge(house, { address: wallet.address });
    const signature = await wallet.signMessage({ message: message ?? '' });
    await expectIn({ ...(await submit(house, { message, signature }, { origin: `http://${host}` })), nonce });
  });

  it.each<[string, (text: string) => string]>([
    ['another statement', (text) => text.replace('Sign in to Tollhouse.', 'Sign in to Tollhouse!')],
    ['no statement', (text) => text.replace('Sign in to Tollhouse.\n', '')],
    ['a later end', (text) => text.replace(/(Expiration Time: )\d{4}/, '$12999')],
    ['no end', (text) => text.replace(/\nExpiration Time: .*$/, '')],
    ['a request id', (text) => `${text}\nRequest ID: 1`],
    ['a resource', (text) => `${text}\nResources:\n- https://evil.example`],
    ['the scheme before the domain', (text) => `http://${text}`],
    ['the other allowed chain', (text) => text.replace('31337', '8453')],
    ['a path in the URI', (text) => text.replace(/^(URI: .*)$/m, '$1/')],
    ['another wallet', (text) => text.replace(/0x\w{40}/, newWallet().address)],
  ])('is refused with %s than was given out', async (_name, change) => {
    const wallet = newWallet();
    const { nonce, message } = await getChallenge(house, { address: wallet.address });
    const changed = change(message ?? '');
    expect(changed).not.toBe(message);
    const signature = await wallet.signMessage({ message: changed });
    await expectKept({ ...(await submit(house, { message: changed, signature })), nonce }, 'SIWE_MALFORMED');
    const honest = await wallet.signMessage({ message: message ?? '' });
    await expectIn({ ...(await submit(house, { message, signature: honest })), nonce });
  });

  it('may be the wallet’s own, with what it likes to say but no resources', async () => {
    await expectIn(await present(house, { statement: 'Mine.', requestId: 'r-1', expirationTime: inSeconds(60) }));
    await expectIn(await present(house, { resources: [] }));
    await expectKept(await present(house, { resources: ['https://evil.example'] }), 'SIWE_MALFORMED');
  });

  it('may have 4096 bytes, and not one more', async () => {
    const wallet = newWallet();
    const rest = writeText(goodTerms(house, wallet, UNKNOWN_NONCE)).length + 1;
    await expectIn(await present(house, { statement: 'x'.repeat(4096 - rest) }, { wallet }));
    await expectKept(await present(house, { statement: 'x'.repeat(4097 - rest) }), 'SIWE_MALFORMED');
  });

  it('comes with at most 16,384 bytes of signature', async () => {
    const { nonce } = await getChallenge(house);
    const message = writeText(goodTerms(house, newWallet(), nonce));
    const huge = await submit(house, { message, signature: `0x${'00'.repeat(16_385)}` });
    await expectKept({ ...huge, nonce }, 'SIWE_MALFORMED');
    const large = await submit(house, { message, signature: `0x${'00'.repeat(16_384)}` });
    expect(large.code).toBe('SIWE_SIGNATURE_INVALID');
  });

  it.each([null, 7, true, ['a'], { message: 'a' }])('is a string, not %j', async (message) => {
    expect((await submit(house, { message, signature: '0x' })).code).toBe('BAD_USER_INPUT');
  });

  it.each(['', '0x1', 'x', '0xgg', '1b'])('comes with a signature in hexadecimal, not %j', async (signature) => {
    expect((await submit(house, { message: 'a', signature })).code).toBe('BAD_USER_INPUT');
  });
});

describe('step 2, domain and URI', () => {
  it('are those of an allowed origin, all of it', async () => {
    await expectIn(await present(house, { scheme: 'http', uri: `http://${host}/sign-in?next=here` }));
    await expectIn(await present(house, { domain: loopback, uri: `http://${loopback}` }));
  });

  it.each(['evil.example', 'localhost', 'localhost:1', 'LOCALHOST'])(
    'are refused for the domain %s',
    async (domain) => {
      await expectKept(await present(house, { domain, uri: `http://${domain}` }), 'SIWE_DOMAIN_MISMATCH');
    },
  );

  it.each(['https://evil.example', 'http://localhost', 'urn:x'])('are refused for the URI %s', async (uri) => {
    await expectKept(await present(house, { uri }), 'SIWE_URI_MISMATCH');
  });

  it('are refused when each is allowed and they are not one origin’s', async () => {
    await expectKept(await present(house, { uri: `http://${loopback}` }), 'SIWE_URI_MISMATCH');
    await expectKept(await present(house, { scheme: 'https' }), 'SIWE_DOMAIN_MISMATCH');
  });

  it('agree with the page that sends them', async () => {
    await expectIn(await present(house, {}, { headers: { origin: `http://${host}` } }));
    for (const origin of [`http://${loopback}`, `https://${host}`, 'https://evil.example', 'null']) {
      await expectKept(await present(house, {}, { headers: { origin } }), 'SIWE_DOMAIN_MISMATCH');
    }
  });

  it('agree with the page that asked for the nonce', async () => {
    const wallet = newWallet();
    const { nonce } = await getChallenge(house, {}, { origin: `http://${loopback}` });
    const signInAs = async (changes: Partial<Terms>): Promise<Attempt & { nonce: string }> => {
      const message = writeText({ ...goodTerms(house, wallet, nonce), ...changes });
      return { ...(await submit(house, { message, signature: await wallet.signMessage({ message }) })), nonce };
    };
    await expectKept(await signInAs({}), 'SIWE_DOMAIN_MISMATCH');
    await expectIn(await signInAs({ domain: loopback, uri: `http://${loopback}` }));
  });

  it('never follow the Host header', async () => {
    const signInWith = async (changes: Partial<Terms>): Promise<string> => {
      const wallet = newWallet();
      const { nonce } = await getChallenge(house);
      const message = writeText({ ...goodTerms(house, wallet, nonce), ...changes });
      return submitToHost('evil.example', message, await wallet.signMessage({ message }));
    };
    expect(await signInWith({})).toBe('OK');
    const changes = { domain: 'evil.example', uri: 'http://evil.example' };
    expect(await signInWith(changes)).toBe('SIWE_DOMAIN_MISMATCH');
  });
});

/** Signs in with a Host header that `fetch` would not send; the code of the answer. */
function submitToHost(name: string, message: string, signature: string): Promise<string> {
  const query = `mutation { signInWithEthereum(input: {
    message: ${JSON.stringify(message)}, signature: "${signature}"
  }) { isNewUser } }`;
  return new Promise((resolve, reject) => {
    const headers = { host: name, 'content-type': 'application/json' };
    const sent = request(house.url, { method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(codeOf({ errors: [], ...JSON.parse(Buffer.concat(chunks).toString()) })));
    });
    sent.once('error', reject);
    sent.end(JSON.stringify({ query }));
  });
}

describe('step 3, the chain', () => {
  it.each([31_337, 8453])('may be an allowed one: %i', async (chainId) => {
    await expectIn(await present(house, { chainId }));
  });

  it.each([1, 0, '9007199254740993', '340282366920938463463374607431768211456'])('is not: %s', async (chainId) => {
    await expectKept(await present(house, { chainId }), 'SIWE_CHAIN_NOT_ALLOWED');
  });

  it('is the one that the nonce was asked for with', async () => {
    const wallet = newWallet();
    const { nonce } = await getChallenge(house, { chainId: 8453 });
    const signInAs = async (chainId: number): Promise<Attempt & { nonce: string }> => {
      const message = writeText({ ...goodTerms(house, wallet, nonce), chainId });
      return { ...(await submit(house, { message, signature: await wallet.signMessage({ message }) })), nonce };
    };
    await expectKept(await signInAs(31_337), 'SIWE_CHAIN_NOT_ALLOWED');
    await expectIn(await signInAs(8453));
  });
});

describe('step 4, the times', () => {
  it.each<[string, () => Partial<Terms>]>([
    ['issued four minutes ago', () => ({ issuedAt: inSeconds(-240) })],
    ['issued half a minute ahead', () => ({ issuedAt: inSeconds(30) })],
    ['ending in a minute', () => ({ expirationTime: inSeconds(60) })],
    ['begun and not ended', () => ({ notBefore: inSeconds(-60), expirationTime: inSeconds(60) })],
  ])('hold when %s', async (_name, changes) => {
    await expectIn(await present(house, changes()));
  });

  it.each<[string, string, () => Partial<Terms>]>([
    ['issued six minutes ago', 'SIWE_ISSUED_AT', () => ({ issuedAt: inSeconds(-360) })],
    ['issued two minutes ahead', 'SIWE_ISSUED_AT', () => ({ issuedAt: inSeconds(120) })],
    ['issued at no time', 'SIWE_ISSUED_AT', () => ({ issuedAt: inSeconds(0).replace(/:\d\d\.\d+Z/, ':60Z') })],
    ['ended, without a beginning', 'SIWE_EXPIRED', () => ({ expirationTime: inSeconds(-1) })],
    ['ending at no time', 'SIWE_EXPIRED', () => ({ expirationTime: '2999-05-04T10:00:60Z' })],
    ['not begun, without an end', 'SIWE_NOT_YET_VALID', () => ({ notBefore: inSeconds(60) })],
    ['beginning at no time', 'SIWE_NOT_YET_VALID', () => ({ notBefore: '2001-05-04T10:00:60Z' })],
  ])('fail when %s', async (_name, code, changes) => {
    await expectKept(await present(house, changes()), code);
  });
});
