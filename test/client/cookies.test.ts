import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTollhouseClient, type TollhouseClient } from '../../src/client/tollhouseClient.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { type Door, openDoor } from './door.ts';
import { codeOf, createStorage, endElsewhere, found, newWallet, RENAME, WHO } from './visitor.ts';

let house: TestTollhouse;
/** Takes no access token of the first one, and every refresh token. */
let other: TestTollhouse;
let door: Door;
beforeAll(async () => {
  const settings = { COOKIES: '1' };
  house = await startTollhouse({ settings: { ...settings, SIGN_IN_ORIGINS: ORIGIN } });
  other = await startTollhouse({ database: house.database, settings: { ...settings, SIGN_IN_ORIGINS: ORIGIN } });
});
afterAll(async () => {
  await other.stop();
  await house.stop();
});
beforeEach(async () => {
  door = await openDoor(house);
});
afterEach(() => door.stop());

const ORIGIN = 'http://localhost:3000';

/** A browser's cookies for the gateway, which its pages do not see. */
type Jar = Map<string, string>;

interface Page {
  readonly client: TollhouseClient;
  readonly heard: unknown[];
}

/** Holds an operation's answer back before the browser has it. */
type Slow = (operation: string) => Promise<void>;

/** A page that a browser has opened, as far as Node has none of its own: cookies and where the page is from. */
function openPage(jar: Jar, { slow }: { slow?: Slow } = {}): Page {
  const client = createTollhouseClient({
    url: door.url,
    credentials: 'cookie',
    fetch: async (url, init) => {
      const headers = new Headers(init?.headers);
      headers.set('origin', ORIGIN);
      if (init?.credentials === 'include') {
        headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
      }
      const answer = await fetch(url, { ...init, headers });
      await slow?.(JSON.parse(String(init?.body)).operationName);
      for (const line of answer.headers.getSetCookie()) {
        const [, name = '', value = '', seconds] = /^([^=]+)=([^;]*);.*Max-Age=(\d+)/.exec(line) ?? [];
        if (seconds === '0') jar.delete(name);
        else jar.set(name, value);
      }
      return answer;
    },
  });
  const heard: unknown[] = [];
  client.onSessionChange((session, reason) => heard.push([session?.id ?? null, reason]));
  return { client, heard };
}

function countOf(operation: string): number {
  return door.passed.filter((one) => one.operation === operation).length;
}

describe('a session in cookies', () => {
  it('is the browser’s, and the page is shown no token', async () => {
    const jar: Jar = new Map();
    const { client, heard } = openPage(jar);
    expect(await client.resume()).toBeNull();
    const session = await client.signIn({ wallet: newWallet() });
    expect([...jar.keys()]).toEqual(['tollhouse_access', 'tollhouse_refresh']);
    expect((await client.query(WHO)).viewer?.user.id).toBe(session.user.id);
    expect(door.passed.every(({ authorization }) => authorization === undefined)).toBe(true);
    expect(heard).toEqual([[session.id, 'signedIn']]);
  });

  it('is gone on with by the next page, and by one whose access token is over', async () => {
    const jar: Jar = new Map();
    const session = await openPage(jar).client.signIn({ wallet: newWallet() });
    const expected = { ...session, isNewUser: false };
    const second = openPage(jar);
    expect(await second.client.resume()).toEqual(expected);
    expect(second.heard).toEqual([[session.id, 'resumed']]);
    expect(countOf('RefreshSession')).toBe(0);
    jar.delete('tollhouse_access');
    expect(await openPage(jar).client.resume()).toEqual(expected);
    expect(countOf('RefreshSession')).toBe(1);
  });

  it('is refreshed once for ten queries that were refused, and a mutation is done once', async () => {
    const jar: Jar = new Map();
    const { client, heard } = openPage(jar);
    const session = await client.signIn({ wallet: newWallet() });
    door.moveTo(other.url);
    const answers = await Promise.all(Array.from({ length: 10 }, () => client.query(WHO)));
    expect(answers.map(({ viewer }) => viewer?.user.id)).toEqual(Array(10).fill(session.user.id));
    jar.delete('tollhouse_access');
    const { updateOrganization } = await client.mutate(RENAME, { name: 'Bakery' });
    expect(updateOrganization).toEqual({ replayed: false, organization: { name: 'Bakery' } });
    expect(heard).toHaveLength(1);
  });

  it('that was ended elsewhere is told once, and the cookies are gone', async () => {
    const [jar, wallet]: [Jar, ReturnType<typeof newWallet>] = [new Map(), newWallet()];
    const { client, heard } = openPage(jar);
    await client.signIn({ wallet });
    await endElsewhere(house.url, wallet);
    const codes = await Promise.all([1, 2, 3].map(() => codeOf(client.query(WHO))));
    expect(codes).toEqual(Array(3).fill('SESSION_ENDED'));
    expect(heard.slice(1)).toEqual([[null, 'ended']]);
    expect(jar.size).toBe(0);
    expect(await client.query(WHO)).toEqual({ viewer: null });
    expect(await client.resume()).toBeNull();
  });

  it('that was ended elsewhere is over for what was asked before, too, though it is answered later', async () => {
    const [jar, wallet]: [Jar, ReturnType<typeof newWallet>] = [new Map(), newWallet()];
    let letGo = (): void => undefined;
    const answered = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let asked = 0;
    const slow: Slow = async (operation) => {
      if (operation !== 'Who') return;
      asked += 1;
      if (asked === 1) await answered;
    };
    const { client } = openPage(jar, { slow });
    await client.signIn({ wallet });
    await endElsewhere(house.url, wallet);
    const late = codeOf(client.query(WHO));
    await expect.poll(() => asked).toBe(1);
    expect(await codeOf(client.query(WHO))).toBe('SESSION_ENDED');
    letGo();
    expect(await late).toBe('SESSION_ENDED');
  });

  it('is switched for all pages of the browser, and signed out of', async () => {
    const jar: Jar = new Map();
    const { client, heard } = openPage(jar);
    await client.signIn({ wallet: newWallet() });
    const organizationId = await found(client, 'Branch');
    expect((await client.switchOrganization(organizationId)).organization.id).toBe(organizationId);
    expect(await openPage(jar).client.resume()).toMatchObject({ organization: { id: organizationId } });
    await client.signOut();
    expect(jar.size).toBe(0);
    expect(client.session).toBeNull();
    expect(heard.map((told) => (told as unknown[])[1])).toEqual(['signedIn', 'switched', 'signedOut']);
    expect(await client.query(WHO)).toEqual({ viewer: null });
  });

  it('is that of whoever signs in last, though signing out is answered late', async () => {
    const jar: Jar = new Map();
    let [ask, letGo] = [(): void => undefined, (): void => undefined];
    const asked = new Promise<void>((resolve) => {
      ask = resolve;
    });
    const answered = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const slow: Slow = async (operation) => {
      if (operation !== 'SignOut') return;
      ask();
      await answered;
    };
    const { client, heard } = openPage(jar, { slow });
    await client.signIn({ wallet: newWallet() });
    const left = client.signOut();
    await asked;
    const entering = client.signIn({ wallet: newWallet() });
    // By then a sign-in that does not wait has its cookies, which the answer would take away.
    await new Promise((resolve) => setTimeout(resolve, 500));
    letGo();
    const [session] = await Promise.all([entering, left]);
    expect(client.session).toEqual(session);
    expect((await client.query(WHO)).viewer?.user.id).toBe(session.user.id);
    expect(await openPage(jar).client.resume()).toEqual({ ...session, isNewUser: false });
    expect(heard.map((told) => (told as unknown[])[1])).toEqual(['signedIn', 'signedOut', 'signedIn']);
  });

  it('is not begun from a page that may not have one, and not with a storage beside it', async () => {
    const client = createTollhouseClient({ url: door.url, credentials: 'cookie', wallet: newWallet() });
    expect(await codeOf(client.signIn())).toBe('CSRF_REFUSED');
    expect(client.session).toBeNull();
    expect(() => createTollhouseClient({ url: door.url, credentials: 'cookie', storage: createStorage() })).toThrow(
      TypeError,
    );
  });
});
