import { describe, expect, it } from 'vitest';
import {
  readRefreshToken,
  readSiweMessage,
  refusalOf,
  type SignInPolicy,
  type SiweMessage,
  writeRefreshToken,
  writeSiweMessage,
} from '../../src/identity/model.ts';
import { goodTerms, newWallet, type Terms, writeText } from './visitor.ts';

const NONCE = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
const SECONDS = 1_000;
const wallet = newWallet();
const now = Date.parse('2026-05-04T10:00:00.000Z');
const moment = (offset: number): string => new Date(now + offset).toISOString();

function termsOf(changes: Partial<Terms> = {}): Terms {
  return { ...goodTerms({ url: 'https://app.example' }, wallet, NONCE), issuedAt: moment(0), ...changes };
}

function read(text: string, signature = '0x'): SiweMessage {
  const message = readSiweMessage(text, signature);
  if (!message) throw new Error('malformed');
  return message;
}

const POLICY: SignInPolicy = {
  origins: ['https://app.example', 'http://localhost:3000', 'https://pay.app.example:8443', 'http://[::1]:4000'],
  chainIds: [31_337, 8453],
  origin: null,
  challengeDomain: null,
  challengeChainId: null,
  now,
};

/** The code that the message is refused with, or `OK`. */
function judge(changes: Partial<Terms>, policy: Partial<SignInPolicy> = {}): string {
  return refusalOf(read(writeText(termsOf(changes))), { ...POLICY, ...policy })?.code ?? 'OK';
}

describe('the text', () => {
  it('is read as it says, with the address as it is stored', () => {
    const changes = {
      scheme: 'https',
      statement: 'Come in.',
      expirationTime: moment(60 * SECONDS),
      notBefore: moment(0),
      requestId: 'r-1',
      resources: ['https://app.example/terms', 'ipfs://Qme7ss3ARVgxv6rXqVPiikMJ8u2NLgmgszg13pYrDKEoiu'],
    };
    expect(read(writeText(termsOf(changes)))).toMatchObject({
      scheme: 'https',
      domain: 'app.example',
      address: wallet.address.toLowerCase(),
      uri: 'https://app.example',
      chainId: 31_337,
      nonce: NONCE,
      issuedAt: moment(0),
      expirationTime: moment(60 * SECONDS),
      notBefore: moment(0),
      resources: changes.resources,
    });
  });

  it.each([
    'https://app.example',
    'https://app.pay.example.co.uk:8443',
    'https://xn--bcher-kva.example',
    'http://localhost:4000',
    'http://gateway:4000',
    'http://127.0.0.1:4000',
    'http://[::1]:4000',
  ])('that we give out for %s is one that we read, and take', (origin) => {
    const { address } = wallet;
    const times = { issuedAt: now, expiresAt: now + 300 * SECONDS };
    const text = writeSiweMessage({ origin, address, chainId: 8453, nonce: NONCE, statement: 'Come in.', ...times });
    expect(text).toBe(
      writeText({
        domain: new URL(origin).host,
        address,
        statement: 'Come in.',
        uri: origin,
        chainId: 8453,
        nonce: NONCE,
        issuedAt: moment(0),
        expirationTime: moment(300 * SECONDS),
      }),
    );
    expect(refusalOf(read(text), { ...POLICY, origins: [origin], origin })).toBeNull();
  });

  it('may have 4096 bytes, and not one more', () => {
    const length = 4096 - writeText(termsOf({ statement: '' })).length;
    const longest = writeText(termsOf({ statement: 'x'.repeat(length) }));
    expect(Buffer.byteLength(longest)).toBe(4096);
    expect(readSiweMessage(longest, '0x')).not.toBeNull();
    expect(readSiweMessage(writeText(termsOf({ statement: 'x'.repeat(length + 1) })), '0x')).toBeNull();
  });

  it('may come with a signature of 16,384 bytes, and not one more', () => {
    const text = writeText(termsOf());
    expect(readSiweMessage(text, `0x${'00'.repeat(16_384)}`)).not.toBeNull();
    expect(readSiweMessage(text, `0x${'00'.repeat(16_385)}`)).toBeNull();
  });

  it.each<[string, string]>([
    ['a line more at its end', `${writeText(termsOf())}\n`],
    ['a space before it', ` ${writeText(termsOf())}`],
    ['lines that end as in Windows', writeText(termsOf()).replaceAll('\n', '\r\n')],
    ['an address in lower case', writeText(termsOf({ address: wallet.address.toLowerCase() }))],
    ['an address without 0x', writeText(termsOf({ address: wallet.address.slice(2) }))],
    ['another version', writeText(termsOf({ version: '2' }))],
    ['a nonce of seven characters', writeText(termsOf({ nonce: 'abcdefg' }))],
    ['a nonce with a sign in it', writeText(termsOf({ nonce: 'abcdefgh-ijk' }))],
    ['a chain id in hexadecimal', writeText(termsOf({ chainId: '0x7a69' }))],
    ['a negative chain id', writeText(termsOf({ chainId: -1 }))],
    ['a chain id beyond every number', writeText(termsOf({ chainId: '9'.repeat(400) }))],
    ['a statement of two lines', writeText(termsOf({ statement: 'Come\nin.' }))],
    ['a statement that is not ASCII', writeText(termsOf({ statement: 'Kommen Sie herein, bitte schön.' }))],
    ['a day that does not exist', writeText(termsOf({ issuedAt: '2026-02-30T10:00:00Z' }))],
    ['a date without a zone', writeText(termsOf({ issuedAt: '2026-05-04T10:00:00' }))],
    ['a date in words', writeText(termsOf({ expirationTime: 'tomorrow' }))],
    ['the fields twice', `${writeText(termsOf())}\nNonce: ${NONCE}`],
    ['JSON', JSON.stringify(termsOf())],
    ['nothing', ''],
  ])('is refused with %s', (_name, text) => {
    expect(readSiweMessage(text, '0x')).toBeNull();
  });
});

describe('domain and URI', () => {
  it.each<[string, Partial<Terms>]>([
    ['an allowed origin', {}],
    ['its scheme before the domain', { scheme: 'https' }],
    ['a path, a query and a fragment in the URI', { uri: 'https://app.example/sign-in?from=here#now' }],
    ['the port that its scheme implies in the URI', { uri: 'https://app.example:443/' }],
    ['an origin with a port', { domain: 'localhost:3000', uri: 'http://localhost:3000' }],
    ['a deeper origin with a port', { domain: 'pay.app.example:8443', uri: 'https://pay.app.example:8443/x' }],
    ['an IPv6 address', { domain: '[::1]:4000', uri: 'http://[::1]:4000' }],
  ])('agree with %s', (_name, changes) => {
    expect(judge(changes)).toBe('OK');
  });

  it.each<[string, Partial<Terms>]>([
    ['a stranger', { domain: 'evil.example' }],
    ['a subdomain', { domain: 'x.app.example' }],
    ['a longer name', { domain: 'app.example.evil.example' }],
    ['a longer beginning', { domain: 'evil-app.example' }],
    ['the parent', { domain: 'example' }],
    ['capitals', { domain: 'APP.example' }],
    ['a point at the end', { domain: 'app.example.' }],
    ['the port that its scheme implies', { domain: 'app.example:443' }],
    ['a port too many', { domain: 'app.example:8443' }],
    ['a port too few', { domain: 'localhost', uri: 'http://localhost:3000' }],
    ['another port', { domain: 'localhost:3001', uri: 'http://localhost:3001' }],
    ['somebody before an @', { domain: 'app.example@evil.example' }],
    ['ourselves after an @', { domain: 'evil.example@app.example' }],
    ['another scheme', { scheme: 'http' }],
    ['a scheme in capitals', { scheme: 'HTTPS' }],
    ['a scheme of no web', { scheme: 'javascript' }],
  ])('refuse as domain: %s', (_name, changes) => {
    expect(judge(changes)).toBe('SIWE_DOMAIN_MISMATCH');
  });

  it.each<[string, string]>([
    ['a stranger', 'https://evil.example'],
    ['another scheme', 'http://app.example'],
    ['another port', 'https://app.example:8443'],
    ['a subdomain', 'https://x.app.example'],
    ['ourselves before an @', 'https://app.example@evil.example/'],
    ['another origin that is allowed', 'http://localhost:3000'],
    ['a URI without an origin', 'urn:app.example'],
    ['a file', 'file:///app.example'],
    ['a script', 'javascript:app.example'],
  ])('refuse as URI: %s', (_name, uri) => {
    expect(judge({ uri })).toBe('SIWE_URI_MISMATCH');
  });

  it('agree with the Origin header, when one came', () => {
    expect(judge({}, { origin: 'https://app.example' })).toBe('OK');
    for (const origin of ['http://app.example', 'http://localhost:3000', 'https://evil.example', 'null', '']) {
      expect(judge({}, { origin })).toBe('SIWE_DOMAIN_MISMATCH');
    }
  });

  it('agree with the domain that the challenge was made for, when it was for one', () => {
    expect(judge({}, { challengeDomain: 'app.example' })).toBe('OK');
    expect(judge({}, { challengeDomain: 'localhost:3000' })).toBe('SIWE_DOMAIN_MISMATCH');
  });
});

describe('the chain', () => {
  it.each([31_337, 8453, '031337'])('may be an allowed one: %s', (chainId) => {
    expect(judge({ chainId })).toBe('OK');
  });

  it.each([1, 0, 313_370, '9007199254740993', '340282366920938463463374607431768211456'])('is not: %s', (chainId) => {
    expect(judge({ chainId })).toBe('SIWE_CHAIN_NOT_ALLOWED');
  });

  it('is the challenge’s, when that named one', () => {
    expect(judge({ chainId: 8453 }, { challengeChainId: 8453 })).toBe('OK');
    expect(judge({ chainId: 8453 }, { challengeChainId: 31_337 })).toBe('SIWE_CHAIN_NOT_ALLOWED');
  });
});

describe('the times', () => {
  it.each<[string, Partial<Terms>]>([
    ['issued five minutes ago', { issuedAt: moment(-300 * SECONDS) }],
    ['issued sixty seconds ahead', { issuedAt: moment(60 * SECONDS) }],
    ['issued now, in another zone', { issuedAt: '2026-05-04T15:30:00+05:30' }],
    ['issued now, in lower case', { issuedAt: '2026-05-04t10:00:00z' }],
    ['issued now, to the nanosecond', { issuedAt: '2026-05-04T10:00:00.000000001Z' }],
    ['expiring in a millisecond', { expirationTime: moment(1) }],
    ['valid from now on', { notBefore: moment(0) }],
    ['valid from before, and for long', { notBefore: moment(-1), expirationTime: moment(9e9) }],
  ])('hold when %s', (_name, changes) => {
    expect(judge(changes)).toBe('OK');
  });

  it.each<[string, Partial<Terms>, string]>([
    ['issued a millisecond more than five minutes ago', { issuedAt: moment(-300 * SECONDS - 1) }, 'SIWE_ISSUED_AT'],
    ['issued a millisecond more than a minute ahead', { issuedAt: moment(60 * SECONDS + 1) }, 'SIWE_ISSUED_AT'],
    ['issued at a second that no calendar has', { issuedAt: '2026-05-04T10:00:60Z' }, 'SIWE_ISSUED_AT'],
    ['expired now', { expirationTime: moment(0) }, 'SIWE_EXPIRED'],
    ['expired long ago', { expirationTime: moment(-9e9) }, 'SIWE_EXPIRED'],
    ['expired, with a beginning', { expirationTime: moment(0), notBefore: moment(-1) }, 'SIWE_EXPIRED'],
    ['expiring at a second that no calendar has', { expirationTime: '2026-05-04T10:00:60Z' }, 'SIWE_EXPIRED'],
    ['valid in a millisecond', { notBefore: moment(1) }, 'SIWE_NOT_YET_VALID'],
    ['valid later, with an end', { notBefore: moment(1), expirationTime: moment(2) }, 'SIWE_NOT_YET_VALID'],
    ['valid from a second that no calendar has', { notBefore: '2026-05-04T10:00:60Z' }, 'SIWE_NOT_YET_VALID'],
  ])('fail when %s', (_name, changes, code) => {
    expect(judge(changes)).toBe(code);
  });
});

describe('a refresh token', () => {
  const parts = {
    sessionId: '01890a5d-ac96-774b-bcce-b302099a8057',
    generation: 7,
    secret: 'A-_0'.repeat(10).concat('xyz'),
  };
  const token = writeRefreshToken(parts);

  it('is read as it was written', () => {
    expect(readRefreshToken(token)).toEqual(parts);
  });

  it.each([
    '',
    'th_rt_',
    token.slice(1),
    `${token}x`,
    token.slice(0, -1),
    token.replace('.7.', '.07.'),
    token.replace('.7.', '.-7.'),
    token.replace('.7.', '.7000000000.'),
    token.replace('.7.', '..'),
    token.toUpperCase(),
    token.replace('01890a5d-', '01890a5d0'),
    ` ${token}`,
    `${token}\n`,
    token.repeat(1_000),
  ])('is no other text (%#)', (text) => {
    expect(readRefreshToken(text)).toBeNull();
  });
});
