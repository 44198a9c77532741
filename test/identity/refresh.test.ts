import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { codeOf, enterHouse, newWallet, refresh, type SignedIn, sessionIdOf, sql } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

/** Refreshes, and fails where that fails. */
async function renew({ refreshToken }: Pick<SignedIn, 'refreshToken'>): Promise<SignedIn> {
  const { code, signedIn } = await refresh(house, refreshToken);
  if (!signedIn) throw new Error(`Refreshing failed: ${code}`);
  return signedIn;
}

async function viewerOf({ accessToken }: SignedIn): Promise<{ code: string; data: unknown }> {
  const answer = await house.ask('{ viewer { user { id } organization { id } } }', {}, { token: accessToken });
  return { code: codeOf(answer), data: answer.data };
}

/** Lets the grace of all rotations so far pass. */
function passGrace(person: SignedIn): Promise<unknown> {
  const text = `
    update sessions
    set rotations = array(select at - interval '11 seconds' from unnest(rotations) with ordinality r (at, place) order by place)
    where id = $1`;
  return sql(house, text, [sessionIdOf(person)]);
}

async function sessionOf(person: SignedIn): Promise<Record<string, unknown> | undefined> {
  const [row] = await sql(house, 'select generation, ended_at, end_reason from sessions where id = $1', [
    sessionIdOf(person),
  ]);
  return row;
}

/** Neither the token that was given out last nor any access token is good any more. */
async function expectDead(person: SignedIn): Promise<void> {
  expect((await refresh(house, person.refreshToken)).code).toBe('REFRESH_TOKEN_INVALID');
  expect((await viewerOf(person)).code).toBe('UNAUTHENTICATED');
  expect(await sessionOf(person)).toMatchObject({ end_reason: 'refresh token reused', ended_at: expect.any(Date) });
}

async function expectAlive(person: SignedIn): Promise<SignedIn> {
  expect((await viewerOf(person)).code).toBe('OK');
  return renew(person);
}

describe('a refresh token', () => {
  it('is exchanged for the next pair of one session', async () => {
    const first = await enterHouse(house);
    const second = await renew(first);
    expect(second).toMatchObject({ isNewUser: false, viewer: first.viewer });
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(sessionIdOf(second)).toBe(sessionIdOf(first));
    expect(await viewerOf(second)).toEqual({ code: 'OK', data: { viewer: first.viewer } });
    const third = await renew(second);
    expect(new Set([first, second, third].map(({ refreshToken }) => refreshToken)).size).toBe(3);
    expect(await sessionOf(first)).toEqual({ generation: 2, ended_at: null, end_reason: null });
  });

  it('leaves the access token that came before as it was', async () => {
    const first = await enterHouse(house);
    await renew(first);
    expect((await viewerOf(first)).code).toBe('OK');
  });

  it('lengthens nothing: the session ends when it was to end', async () => {
    const person = await enterHouse(house);
    const end = () =>
      sql(house, 'select expires_at, expires_at - created_at as life from sessions where id = $1', [
        sessionIdOf(person),
      ]);
    const before = await end();
    expect(before).toMatchObject([{ life: { days: 30 } }]);
    const next = await renew(person);
    expect(await end()).toEqual(before);
    await sql(house, 'update sessions set expires_at = clock_timestamp() where id = $1', [sessionIdOf(person)]);
    for (const { refreshToken } of [next, person]) {
      expect((await refresh(house, refreshToken)).code).toBe('REFRESH_TOKEN_INVALID');
    }
    expect(await sessionOf(person)).toMatchObject({ ended_at: null });
  });

  it('yields one successor to twenty that use it at one moment', async () => {
    const person = await enterHouse(house);
    const attempts = await Promise.all(Array.from({ length: 20 }, () => refresh(house, person.refreshToken)));
    expect(new Set(attempts.map(({ code }) => code))).toEqual(new Set(['OK']));
    expect(new Set(attempts.map(({ signedIn }) => signedIn?.refreshToken)).size).toBe(1);
    expect(await sessionOf(person)).toMatchObject({ generation: 1, ended_at: null });
    for (const { signedIn } of attempts.slice(0, 2)) {
      expect(signedIn && (await viewerOf(signedIn)).data).toEqual({ viewer: person.viewer });
    }
  });
});

describe('a spent refresh token', () => {
  it('yields the same successor again inside the grace, which is then still good', async () => {
    const first = await enterHouse(house);
    const second = await renew(first);
    expect((await renew(first)).refreshToken).toBe(second.refreshToken);
    expect((await renew(first)).refreshToken).toBe(second.refreshToken);
    expect(await sessionOf(first)).toMatchObject({ generation: 1 });
    await expectAlive(second);
  });

  it('ends the session outside the grace, and the good token with it', async () => {
    const first = await enterHouse(house);
    const second = await renew(first);
    await passGrace(first);
    const { code, signedIn, answer } = await refresh(house, first.refreshToken);
    expect([code, signedIn, answer.data]).toEqual(['REFRESH_TOKEN_REUSED', null, { refreshSession: null }]);
    await expectDead(second);
    expect((await refresh(house, first.refreshToken)).code).toBe('REFRESH_TOKEN_INVALID');
  });

  it('is not what a good one is, however old that is', async () => {
    const first = await enterHouse(house);
    const second = await renew(first);
    await passGrace(first);
    await expectAlive(second);
  });

  it('yields its successor inside the grace even when that is spent, too', async () => {
    const first = await enterHouse(house);
    const second = await renew(first);
    const third = await renew(second);
    expect((await renew(first)).refreshToken).toBe(second.refreshToken);
    expect((await renew(second)).refreshToken).toBe(third.refreshToken);
    await expectAlive(third);
  });

  it('ends the session outside the grace though its successor was spent inside', async () => {
    const first = await enterHouse(house);
    const second = await renew(first);
    await passGrace(first);
    const third = await renew(second);
    expect((await refresh(house, first.refreshToken)).code).toBe('REFRESH_TOKEN_REUSED');
    await expectDead(third);
  });

  it('ends the session after many rotations', async () => {
    const first = await enterHouse(house);
    let last = first;
    for (let turn = 0; turn < 12; turn += 1) last = await renew(last);
    await passGrace(first);
    expect((await refresh(house, first.refreshToken)).code).toBe('REFRESH_TOKEN_REUSED');
    await expectDead(last);
  });

  it('ends one session, and no other of the same user', async () => {
    const wallet = newWallet();
    const [stolen, other] = [await enterHouse(house, wallet), await enterHouse(house, wallet)];
    const second = await renew(stolen);
    await passGrace(stolen);
    await refresh(house, stolen.refreshToken);
    await expectDead(second);
    await expectAlive(other);
  });

  it('ends the session once, by many at one moment', async () => {
    const first = await enterHouse(house);
    const second = await renew(first);
    await passGrace(first);
    const attempts = await Promise.all(Array.from({ length: 8 }, () => refresh(house, first.refreshToken)));
    const codes = attempts.map(({ code }) => code);
    expect(codes).toContain('REFRESH_TOKEN_REUSED');
    expect(codes.filter((code) => !/^REFRESH_TOKEN_(REUSED|INVALID)$/.test(code))).toEqual([]);
    await expectDead(second);
  });
});

describe('what is no refresh token of the session', () => {
  const secret = (): string => randomBytes(32).toString('base64url');

  it.each<[string, (token: string, other: string) => string]>([
    ['nothing', () => ''],
    ['another text', () => 'refresh me'],
    ['an access token’s shape', () => 'e30.e30.e30'],
    ['another secret', (token) => token.replace(/[^.]+$/, secret())],
    ['another secret of an earlier one', (token) => token.replace(/\.1\..+$/, `.0.${secret()}`)],
    ['another secret of a later one', (token) => token.replace(/\.1\..+$/, `.2.${secret()}`)],
    ['its own secret, one earlier', (token) => token.replace('.1.', '.0.')],
    ['its own secret, one later', (token) => token.replace('.1.', '.2.')],
    ['its own secret, much later', (token) => token.replace('.1.', '.999999999.')],
    ['its own secret in another session', (token, other) => other.replace(/\..+$/, token.slice(token.indexOf('.')))],
    ['a secret of another session', (token, other) => token.replace(/\..+$/, other.slice(other.indexOf('.')))],
    ['a session that never was', (token) => token.replace(/_[0-9a-f]{8}-/, '_00000000-')],
    ['one character less', (token) => token.slice(0, -1)],
    ['one character more', (token) => `${token}A`],
    ['a space more', (token) => `${token} `],
    ['capitals', (token) => token.toUpperCase()],
    ['itself five hundred times', (token) => token.repeat(500)],
  ])('is refused and ends nothing: %s', async (_name, forge) => {
    const [person, other] = [await renew(await enterHouse(house)), await renew(await enterHouse(house))];
    const { code, answer } = await refresh(house, forge(person.refreshToken, other.refreshToken));
    expect([code, answer.data]).toEqual(['REFRESH_TOKEN_INVALID', { refreshSession: null }]);
    await expectAlive(person);
    await expectAlive(other);
  });

  it('is one of a session that has ended, and stays that', async () => {
    const first = await enterHouse(house);
    const second = await renew(first);
    await house.ask('mutation { signOut { signedOut } }', {}, { token: second.accessToken });
    await passGrace(first);
    for (const { refreshToken } of [first, second]) {
      expect((await refresh(house, refreshToken)).code).toBe('REFRESH_TOKEN_INVALID');
    }
    expect(await sessionOf(first)).toMatchObject({ end_reason: 'signed out' });
  });
});
