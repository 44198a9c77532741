import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { mutate } from './linker.ts';
import {
  type Attempt,
  codeOf,
  enterHouse,
  newWallet,
  present,
  refresh,
  rowId,
  type SignedIn,
  sessionIdOf,
  sql,
  UNKNOWN_NONCE,
} from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({
    settings: {
      TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0',
      TRUSTED_PROXIES: '1',
      LIMIT_CHALLENGES_PER_MINUTE: '1000',
      LIMIT_SIGN_INS_PER_MINUTE: '1000',
      LIMIT_SESSIONS_PER_USER: '4',
      LIMIT_REFRESHES_PER_CLIENT_PER_MINUTE: '5',
      LIMIT_ORGANIZATIONS_PER_USER_PER_DAY: '3',
    },
  });
});
afterAll(() => house.stop());

async function viewerCode({ accessToken }: Pick<SignedIn, 'accessToken'>): Promise<string> {
  return codeOf(await house.ask('{ viewer { user { id } } }', {}, { token: accessToken }));
}

async function switchAway(from: SignedIn): Promise<SignedIn> {
  const { code, data } = await mutate<SignedIn>(
    house,
    from.accessToken,
    'switchOrganization',
    { organizationId: from.viewer.organization.id },
    'accessToken refreshToken expiresAt viewer { user { id } organization { id } }',
  );
  if (!data) throw new Error(`Switching failed: ${code}`);
  return data;
}

async function codesOf(sessions: readonly SignedIn[]): Promise<string[]> {
  const codes: string[] = [];
  for (const session of sessions) codes.push(await viewerCode(session));
  return codes;
}

describe('the sessions of a user', () => {
  it('are so many: signing in once more ends the oldest, and nobody else’s', async () => {
    const [wallet, other] = [newWallet(), await enterHouse(house)];
    const begun: SignedIn[] = [];
    for (let turn = 0; turn < 4; turn += 1) begun.push(await enterHouse(house, wallet));
    expect(await codesOf(begun)).toEqual(['OK', 'OK', 'OK', 'OK']);
    begun.push(await enterHouse(house, wallet));
    expect(await codesOf(begun)).toEqual(['UNAUTHENTICATED', 'OK', 'OK', 'OK', 'OK']);
    const [ended] = await sql(house, 'select end_reason from sessions where id = $1', [
      sessionIdOf(begun[0] as SignedIn),
    ]);
    expect(ended).toEqual({ end_reason: 'too many sessions' });
    expect(await viewerCode(other)).toBe('OK');
  });

  it('that were switched to end first: whoever has a token cannot sign its user out elsewhere', async () => {
    const wallet = newWallet();
    const [elsewhere, here] = [await enterHouse(house, wallet), await enterHouse(house, wallet)];
    const switched: SignedIn[] = [];
    for (let turn = 0; turn < 4; turn += 1) switched.push(await switchAway(here));
    expect(await codesOf([elsewhere, here])).toEqual(['OK', 'OK']);
    expect(await codesOf(switched)).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED', 'OK', 'OK']);
  });

  it('that are over do not count', async () => {
    const wallet = newWallet();
    const first = await enterHouse(house, wallet);
    for (let turn = 0; turn < 6; turn += 1) {
      const { accessToken } = await enterHouse(house, wallet);
      await house.ask('mutation { signOut { signedOut } }', {}, { token: accessToken });
    }
    await enterHouse(house, wallet);
    expect(await viewerCode(first)).toBe('OK');
  });

  it('are bounded when many begin at one instant', async () => {
    const wallet = newWallet();
    const { viewer } = await enterHouse(house, wallet);
    const codes = await Promise.all(Array.from({ length: 8 }, async () => (await present(house, {}, { wallet })).code));
    // the others may have ended a session before it was read for its own answer
    for (const code of codes) expect(['OK', 'ANSWER_LOST']).toContain(code);
    await enterHouse(house, wallet);
    const living = await sql(house, 'select from sessions where user_id = $1 and ended_at is null', [
      rowId(viewer.user.id),
    ]);
    expect(living).toHaveLength(4);
  });
});

/** Refreshes from there. */
async function refreshFrom(client: string, refreshToken: string): Promise<Attempt> {
  const ask: TestTollhouse['ask'] = (query, variables) =>
    house.ask(query, variables, { headers: { 'x-forwarded-for': client } });
  return refresh({ ask }, refreshToken);
}

describe('refreshing', () => {
  it('is done so many times a minute for one client, and spends nothing beyond; another client has its own', async () => {
    let { refreshToken } = await enterHouse(house);
    for (let turn = 0; turn < 5; turn += 1) {
      const { code, signedIn } = await refreshFrom('203.0.113.1', refreshToken);
      expect(code).toBe('OK');
      refreshToken = signedIn?.refreshToken ?? '';
    }
    const { code, answer } = await refreshFrom('203.0.113.1', refreshToken);
    expect([code, answer.status]).toEqual(['RATE_LIMITED', 429]);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await refreshFrom('203.0.113.2', refreshToken)).code).toBe('OK');
    await sql(house, `update rate_limits set window_start = window_start - interval '61 seconds'`);
    expect((await refreshFrom('203.0.113.1', refreshToken)).code).toBe('OK');
  });

  it('counts what fails as well', async () => {
    const { refreshToken } = await enterHouse(house);
    const unknown = `${refreshToken.slice(0, -UNKNOWN_NONCE.length)}${UNKNOWN_NONCE}`;
    for (let turn = 0; turn < 5; turn += 1) {
      expect((await refreshFrom('203.0.113.4', unknown)).code).toBe('REFRESH_TOKEN_INVALID');
    }
    expect((await refreshFrom('203.0.113.4', refreshToken)).code).toBe('RATE_LIMITED');
    expect((await refreshFrom('203.0.113.5', refreshToken)).code).toBe('OK');
  });
});

describe('organizations', () => {
  const make = ({ accessToken }: SignedIn, name: string, idempotencyKey?: string) =>
    mutate<{ organization: { id: string } }>(
      house,
      accessToken,
      'createOrganization',
      { name, ...(idempotencyKey && { idempotencyKey }) },
      'organization { id }',
    );

  it('are so many a day of one user; what is refused is not made, and does not use a key up', async () => {
    const [founder, other] = [await enterHouse(house), await enterHouse(house)];
    for (const name of ['One', 'Two', 'Three']) expect((await make(founder, name)).code).toBe('OK');
    const key = 'a-key-for-the-fourth-one';
    expect((await make(founder, 'Four', key)).code).toBe('RATE_LIMITED');
    expect(await sql(house, `select from organizations where name = 'Four'`)).toEqual([]);
    expect((await make(other, 'Another')).code).toBe('OK');
    await sql(house, `update rate_limits set window_start = window_start - interval '1 day 1 second'`);
    expect((await make(founder, 'Four', key)).code).toBe('OK');
  });
});
