import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SigningKey } from '../../src/environment.ts';
import { generateTokenKey } from '../../src/identity/providers/tokenKeys.ts';
import { createTokens } from '../../src/identity/providers/tokens.ts';
import { newId } from '../../src/kernel/ids.ts';
import { type Answer, startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { codeOf, enterHouse, rowId, type SignedIn, sessionIdOf, sql } from './visitor.ts';

let house: TestTollhouse;
let someone: SignedIn;
let key: SigningKey;
beforeAll(async () => {
  house = await startTollhouse();
  someone = await enterHouse(house);
  key = house.supplies.tokenKeys[0] ?? generateTokenKey();
});
afterAll(() => house.stop());

const VIEWER = '{ viewer { user { id } organization { id } } }';

function askAs(authorization: string, query = VIEWER): Promise<Answer<Record<string, unknown>>> {
  return house.ask(query, {}, { headers: { authorization } });
}

type Sign = (data: string) => Buffer;

function signWith(jwk: SigningKey): Sign {
  const privateKey = createPrivateKey({ key: { ...jwk }, format: 'jwk' });
  return (data) => sign(null, Buffer.from(data), privateKey);
}

interface Minting {
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  readonly sign?: Sign;
}

const now = (): number => Math.floor(Date.now() / 1000);
const base64url = (value: string | Buffer): string => Buffer.from(value).toString('base64url');

/** A token as the house makes them, but for the changes; what is changed to undefined is left out. */
function mint({ header = {}, claims = {}, sign = signWith(key) }: Minting = {}): string {
  const head = { alg: 'EdDSA', typ: 'at+jwt', kid: key.kid, ...header };
  const body = {
    iss: house.resources.publicUrl,
    aud: 'tollhouse',
    sub: rowId(someone.viewer.user.id),
    sid: sessionIdOf(someone),
    org: rowId(someone.viewer.organization.id),
    iat: now(),
    exp: now() + 60,
    ...claims,
  };
  const data = `${base64url(JSON.stringify(head))}.${base64url(JSON.stringify(body))}`;
  return `${data}.${base64url(sign(data))}`;
}

/** The whole request is refused, before anything of it ran. */
async function expectUnauthenticated(authorization: string): Promise<void> {
  const answer = await askAs(authorization);
  expect([answer.status, answer.data, answer.errors.map(({ extensions }) => extensions.code)]).toEqual([
    401,
    null,
    ['UNAUTHENTICATED'],
  ]);
  expect(answer.headers.get('www-authenticate')).toBe('Bearer');
}

describe('a request without a token', () => {
  it('is nobody’s, and no failure', async () => {
    expect(await house.ask(VIEWER)).toMatchObject({ status: 200, data: { viewer: null }, errors: [] });
  });
});

describe('an access token', () => {
  it('says who is asking, whether it was given out or made by hand under the same key', async () => {
    for (const token of [someone.accessToken, mint()]) {
      expect(await askAs(`Bearer ${token}`)).toMatchObject({ status: 200, data: { viewer: someone.viewer } });
    }
  });

  it('carries its claims, its type and its key’s name, and lives ten minutes', async () => {
    const [header, claims] = someone.accessToken
      .split('.')
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
    expect(header).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: key.kid });
    expect(claims).toEqual({
      iss: house.resources.publicUrl,
      aud: 'tollhouse',
      sub: rowId(someone.viewer.user.id),
      sid: sessionIdOf(someone),
      org: rowId(someone.viewer.organization.id),
      iat: expect.any(Number),
      exp: claims.iat + 600,
    });
    expect(Date.parse(someone.expiresAt)).toBe(claims.exp * 1000);
  });

  it('is checked by others with the published keys, which hold nothing private', async () => {
    const { keys } = (await (await fetch(new URL('/.well-known/jwks.json', house.url))).json()) as JSONWebKeySet;
    const checks = { issuer: house.resources.publicUrl, audience: 'tollhouse', typ: 'at+jwt' };
    const { payload } = await jwtVerify(someone.accessToken, createLocalJWKSet({ keys }), checks);
    expect(payload.sub).toBe(rowId(someone.viewer.user.id));
    expect(keys.map(({ kid, x }) => ({ kid, x }))).toEqual([{ kid: key.kid, x: key.x }]);
    expect(JSON.stringify(keys)).not.toContain(key.d);
  });

  it('may come behind a scheme in any case, as HTTP has it', async () => {
    for (const scheme of ['bearer', 'BEARER']) {
      expect(await askAs(`${scheme} ${someone.accessToken}`)).toMatchObject({ data: { viewer: someone.viewer } });
    }
  });

  it('may have been issued by a clock that goes half a minute ahead', async () => {
    expect(codeOf(await askAs(`Bearer ${mint({ claims: { iat: now() + 30 } })}`))).toBe('OK');
  });
});

const hmacWith =
  (secret: string | Buffer): Sign =>
  (data) =>
    createHmac('sha256', secret).update(data).digest();
const publicPem = (): string =>
  createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key.x }, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
const stranger = generateTokenKey();

describe('a forged token', () => {
  it.each<[string, () => Minting]>([
    ['by another key of the same name', () => ({ sign: signWith(stranger) })],
    ['by another key of its own name', () => ({ header: { kid: stranger.kid }, sign: signWith(stranger) })],
    ['by a key that it brings along', () => ({ header: { jwk: { ...stranger } }, sign: signWith(stranger) })],
    ['by nobody, and says so', () => ({ header: { alg: 'none' }, sign: () => Buffer.alloc(0) })],
    ['by nobody', () => ({ sign: () => Buffer.alloc(0) })],
    ['by us, and denies it', () => ({ header: { alg: 'none' } })],
    ['by the public key as a secret', () => ({ header: { alg: 'HS256' }, sign: hmacWith(publicPem()) })],
    [
      'by the public key’s bytes as a secret',
      () => ({ header: { alg: 'HS256' }, sign: hmacWith(Buffer.from(key.x, 'base64url')) }),
    ],
    ['by another algorithm, it says', () => ({ header: { alg: 'ES256' } })],
    ['by an algorithm in lower case', () => ({ header: { alg: 'eddsa' } })],
    ['of another type', () => ({ header: { typ: 'JWT' } })],
    ['of no type', () => ({ header: { typ: undefined } })],
    ['of no key', () => ({ header: { kid: undefined } })],
    ['of a key that is not ours', () => ({ header: { kid: 'other' } })],
    ['of a key whose name every object knows', () => ({ header: { kid: 'constructor' } })],
    ['with a condition that nobody knows', () => ({ header: { crit: ['exp2'], exp2: 1 } })],
    ['with a condition that it does not carry', () => ({ header: { crit: ['exp'] } })],
    ['with a body that is not encoded', () => ({ header: { crit: ['b64'], b64: false } })],
    ['for somebody else', () => ({ claims: { aud: 'another' } })],
    ['for nobody', () => ({ claims: { aud: undefined } })],
    ['from somebody else', () => ({ claims: { iss: 'https://evil.example' } })],
    ['from nobody', () => ({ claims: { iss: undefined } })],
    ['that has expired', () => ({ claims: { iat: now() - 600, exp: now() - 1 } })],
    ['that never expires', () => ({ claims: { exp: undefined } })],
    ['that expires in words', () => ({ claims: { exp: 'tomorrow' } })],
    ['that is not valid yet', () => ({ claims: { nbf: now() + 60 } })],
    ['that was issued in the future', () => ({ claims: { iat: now() + 120, exp: now() + 600 } })],
    ['that was never issued', () => ({ claims: { iat: undefined } })],
    ['without a user', () => ({ claims: { sub: undefined } })],
    ['without a session', () => ({ claims: { sid: undefined } })],
    ['without an organization', () => ({ claims: { org: undefined } })],
    ['with an empty session', () => ({ claims: { sid: '' } })],
    ['with a session that is no id', () => ({ claims: { sid: "' or true --" } })],
    ['with a session that is a list', () => ({ claims: { sid: [sessionIdOf(someone), 'x'] } })],
    ['with an organization in capitals', () => ({ claims: { org: newId().toUpperCase() } })],
    ['of more than 2,000 characters', () => ({ claims: { more: 'x'.repeat(2_000) } })],
  ])('is refused: %s', async (_name, minting) => {
    await expectUnauthenticated(`Bearer ${mint(minting())}`);
  });

  it.each<[string, (parts: string[]) => string]>([
    ['without a signature', ([head, body]) => `${head}.${body}.`],
    ['in two parts', ([head, body]) => `${head}.${body}`],
    ['in four parts', (parts) => `${parts.join('.')}.x`],
    [
      'with a signature that is turned',
      ([head, body, seal]) => `${head}.${body}.${[...(seal ?? '')].reverse().join('')}`,
    ],
    ['with another body', ([head, , seal]) => `${head}.${mint({ claims: { org: newId() } }).split('.')[1]}.${seal}`],
    ['with a body that is no JSON', ([head, , seal]) => `${head}.${base64url('nobody')}.${seal}`],
    ['with a head that is no JSON', ([, body, seal]) => `${base64url('nothing')}.${body}.${seal}`],
  ])('is refused: %s', async (_name, forge) => {
    await expectUnauthenticated(`Bearer ${forge(someone.accessToken.split('.'))}`);
  });

  it.each(['x', '.', '..', 'e30.e30.', 'null', 'undefined', '0', 'a'.repeat(8_000)])(
    'is refused: garbage (%#)',
    async (garbage) => {
      await expectUnauthenticated(`Bearer ${garbage}`);
    },
  );

  it('is refused: a refresh token', async () => {
    await expectUnauthenticated(`Bearer ${someone.refreshToken}`);
  });

  it('runs nothing of its request', async () => {
    const count = () => sql(house, 'select count(*)::int as count from challenges');
    const before = await count();
    const mutation = 'mutation { createSignInChallenge(input: {}) { challenge { nonce } } }';
    expect(codeOf(await askAs(`Bearer ${mint({ sign: signWith(stranger) })}`, mutation))).toBe('UNAUTHENTICATED');
    expect(await count()).toEqual(before);
    expect(codeOf(await house.ask(mutation))).toBe('OK');
  });
});

describe('an Authorization header', () => {
  it.each<[string, (token: string) => string]>([
    ['the scheme twice', (token) => `Bearer Bearer ${token}`],
    ['two tokens', (token) => `Bearer ${token} ${token}`],
    ['two credentials', (token) => `Bearer ${token}, Bearer ${token}`],
    ['no token', () => 'Bearer'],
    ['a token alone', (token) => token],
    ['another scheme', (token) => `Token ${token}`],
    ['a password', () => `Basic ${Buffer.from('user:password').toString('base64')}`],
    ['no space', (token) => `Bearer${token}`],
    ['a token in quotes', (token) => `Bearer "${token}"`],
  ])('is refused with %s', async (_name, write) => {
    await expectUnauthenticated(write(someone.accessToken));
  });
});

describe('the makers of tokens', () => {
  const viewer = { sessionId: newId(), userId: newId(), organizationId: newId() };
  const clock = { time: Date.parse('2026-05-04T10:00:00Z'), now: () => clock.time };
  const makerOf = (...keys: SigningKey[]) =>
    createTokens({ keys, issuer: 'https://pay.example', lifetime: 600, clock });
  const spent = `th_rt_${viewer.sessionId}.0.${'s'.repeat(43)}`;

  it('forget a token that they have remembered when it ends', async () => {
    const tokens = await makerOf(stranger);
    const { token, expiresAt } = await tokens.issue(viewer);
    expect(expiresAt).toBe(clock.time + 600_000);
    expect(await tokens.verify(token)).toEqual(viewer);
    clock.time = expiresAt - 1;
    expect(await tokens.verify(token)).toEqual(viewer);
    clock.time = expiresAt;
    await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('sign with the first key and check with all, so that keys can be changed', async () => {
    const [older, newer] = [generateTokenKey(), generateTokenKey()];
    const { token } = await (await makerOf(older)).issue(viewer);
    expect(await (await makerOf(newer, older)).verify(token)).toEqual(viewer);
    await expect((await makerOf(newer)).verify(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const { token: next } = await (await makerOf(newer, older)).issue(viewer);
    expect(await (await makerOf(newer)).verify(next)).toEqual(viewer);
  });

  it('take no token that was made for another address', async () => {
    const { token } = await (await makerOf(stranger)).issue(viewer);
    const other = await createTokens({ keys: [stranger], issuer: 'https://other.example', lifetime: 600, clock });
    await expect(other.verify(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('derive the same successor in every process, and another one under another key', async () => {
    const [one, same, other] = await Promise.all([makerOf(stranger), makerOf(stranger), makerOf(generateTokenKey())]);
    expect(one.successor(spent)).toMatch(new RegExp(`^th_rt_${viewer.sessionId}\\.1\\.[\\w-]{43}$`));
    expect(same.successor(spent)).toBe(one.successor(spent));
    expect(other.successor(spent)).not.toBe(one.successor(spent));
    expect(() => one.successor('x')).toThrow('Only a refresh token has a successor.');
  });

  it('do not work without a key', async () => {
    await expect(makerOf()).rejects.toThrow('at least one signing key');
  });
});
