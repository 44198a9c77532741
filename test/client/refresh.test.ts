import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { type Door, openDoor } from './door.ts';
import { codeOf, endElsewhere, enter, newWallet, outliveGrace, RENAME, WHO } from './visitor.ts';

let house: TestTollhouse;
/** A gateway over the same database, with another key: it takes no access token of the first one, and every refresh token. */
let other: TestTollhouse;
let door: Door;
beforeAll(async () => {
  house = await startTollhouse();
  other = await startTollhouse({ database: house.database });
});
afterAll(async () => {
  await other.stop();
  await house.stop();
});
beforeEach(async () => {
  door = await openDoor(house);
});
afterEach(async () => {
  vi.useRealTimers();
  await door.stop();
});

const names = (): string[] => door.passed.map(({ operation }) => operation);

function countOf(operation: string): number {
  return names().filter((name) => name === operation).length;
}

describe('an access token that is about to end', () => {
  it.each([
    ['is good as it is, minutes before', 500, ['Who']],
    ['is exchanged first, seconds before', 590, ['RefreshSession', 'Who']],
    ['is exchanged first, long after', 6_000, ['RefreshSession', 'Who']],
  ])('%s', async (_, seconds, expected) => {
    const { client, session, heard } = await enter({ url: door.url });
    door.passed.length = 0;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
    expect((await client.query(WHO)).viewer?.user.id).toBe(session.user.id);
    expect(names()).toEqual(expected);
    expect(client.session).toEqual(session);
    expect(heard).toEqual([]);
  });

  it.each([-7_200_000, 7_200_000])('is read by its lifetime: a page’s clock may be wrong by %i ms', async (wrong) => {
    const right = (): number => performance.timeOrigin + performance.now();
    vi.useFakeTimers({ toFake: ['Date'], now: right() + wrong });
    // The gateway runs in this process, and its clock is right.
    const { client, session } = await enter({
      url: door.url,
      fetch: async (...asked) => {
        vi.setSystemTime(right());
        const answer = await fetch(...asked);
        vi.setSystemTime(right() + wrong);
        return answer;
      },
    });
    door.passed.length = 0;
    expect((await client.query(WHO)).viewer?.user.id).toBe(session.user.id);
    expect(names()).toEqual(['Who']);
  });
});

describe('an access token that the gateway does not take', () => {
  it('is exchanged once for ten queries that were refused with it', async () => {
    const { client, session, heard } = await enter({ url: door.url });
    door.passed.length = 0;
    door.moveTo(other.url);
    const answers = await Promise.all(Array.from({ length: 10 }, () => client.query(WHO)));
    expect(answers.map(({ viewer }) => viewer?.user.id)).toEqual(Array(10).fill(session.user.id));
    expect(countOf('RefreshSession')).toBe(1);
    expect(countOf('Who')).toBe(20);
    expect(heard).toEqual([]);
  });

  it('does not keep a mutation from being done, once', async () => {
    const { client } = await enter({ url: door.url });
    door.passed.length = 0;
    door.moveTo(other.url);
    const { updateOrganization } = await client.mutate(RENAME, { name: 'Bakery' });
    expect(updateOrganization).toEqual({ replayed: false, organization: { name: 'Bakery' } });
    expect(names()).toEqual(['Rename', 'RefreshSession', 'Rename']);
    const [first, , second] = door.passed;
    expect(first?.key).toMatch(/^[0-9a-f]{32}$/);
    expect(second?.key).toBe(first?.key);
  });

  it('is waited for by who is left when somebody else has stopped waiting', async () => {
    const { client, session } = await enter({ url: door.url });
    door.moveTo(other.url);
    const leaving = new AbortController();
    const left = client.query(WHO, {}, { signal: leaving.signal });
    const stayed = client.query(WHO);
    leaving.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    expect((await stayed).viewer?.user.id).toBe(session.user.id);
  });
});

describe('a refresh', () => {
  it('whose answer was lost is asked for again, and nothing is over', async () => {
    const { client, session, heard } = await enter({ url: door.url });
    door.passed.length = 0;
    door.losing.push('RefreshSession');
    door.moveTo(other.url);
    expect((await client.query(WHO)).viewer?.user.id).toBe(session.user.id);
    expect(countOf('RefreshSession')).toBe(2);
    // The token that the second answer brought is the one that counts.
    await outliveGrace(house);
    door.moveTo(house.url);
    expect((await client.query(WHO)).viewer?.user.id).toBe(session.user.id);
    expect(heard).toEqual([]);
  });

  it('that fails for a while leaves the session as it is', async () => {
    const { client, session, heard } = await enter({ url: door.url, retries: 0 });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 600_000 });
    door.away = 10;
    expect(await codeOf(client.query(WHO))).toBe('ANSWER_UNREADABLE');
    expect(client.session).toEqual(session);
    door.away = 0;
    expect((await client.query(WHO)).viewer?.user.id).toBe(session.user.id);
    expect(heard).toEqual([]);
  });
});

describe('a session that was ended elsewhere', () => {
  it('is told once, to whoever asked and whoever listens, and is not asked for again', async () => {
    const wallet = newWallet();
    const { client, heard } = await enter({ url: door.url, wallet });
    await endElsewhere(house.url, wallet);
    door.passed.length = 0;
    const codes = await Promise.all(Array.from({ length: 10 }, () => codeOf(client.query(WHO))));
    expect(codes).toEqual(Array(10).fill('SESSION_ENDED'));
    expect(countOf('RefreshSession')).toBe(1);
    expect(heard).toEqual([[null, 'ended']]);
    expect(client.session).toBeNull();
    door.passed.length = 0;
    expect(await client.query(WHO)).toEqual({ viewer: null });
    expect(names()).toEqual(['Who']);
    expect(door.passed[0]?.authorization).toBeUndefined();
    expect(heard).toHaveLength(1);
  });

  it('is told with why, does nothing that was asked for, and signing in begins another', async () => {
    const wallet = newWallet();
    const { client, session } = await enter({ url: door.url, wallet });
    await endElsewhere(house.url, wallet);
    await expect(client.mutate(RENAME, { name: 'Somebody else’s' })).rejects.toMatchObject({
      code: 'SESSION_ENDED',
      retryable: false,
      cause: { code: 'REFRESH_TOKEN_INVALID' },
    });
    expect(await client.signIn()).toMatchObject({ user: session.user, organization: session.organization });
  });
});
