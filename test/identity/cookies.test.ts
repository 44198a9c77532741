import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateTokenKey } from '../../src/identity/providers/tokenKeys.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { openBrowser } from './browser.ts';
import { codeOf, enterHouse, getChallenge, newWallet, rowId, sql, submit } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({ settings: { COOKIES: '1' } });
});
afterAll(() => house.stop());

const ME = '{ viewer { user { id } organization { id } } }';
const REFRESH = 'mutation { refreshSession(input: {}) { accessToken refreshToken viewer { user { id } } } }';
const SIGN_OUT = 'mutation { signOut { signedOut } }';
const NAMES = ['tollhouse_access', 'tollhouse_refresh'];

const CHAIN = {
  chainId: 31_337,
  name: 'Local chain',
  rpcUrl: 'http://127.0.0.1:1',
  publicRpcUrl: 'http://127.0.0.1:1',
  assets: [{ symbol: 'ETH', name: 'Ether', decimals: 18 }],
};

/** A browser that somebody has signed in with. */
async function enterByBrowser() {
  const browser = openBrowser(house);
  const answer = await browser.signIn();
  const { viewer } = answer.data?.signInWithEthereum ?? {};
  if (!viewer) throw new Error(`Signing in failed: ${codeOf(answer)}`);
  return { browser, viewer: viewer as { user: { id: string }; organization: { id: string } } };
}

describe('tokens in cookies', () => {
  it('are given to the browser and not to the page', async () => {
    const browser = openBrowser(house);
    const answer = await browser.signIn();
    expect(answer.data?.signInWithEthereum).toMatchObject({ accessToken: null, refreshToken: null });
    const set = browser.lastSet();
    expect(set.map((line) => line.split('=', 1)[0])).toEqual(NAMES);
    for (const line of set) {
      expect(line).toMatch(/; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/);
    }
    expect(JSON.stringify(answer.data)).not.toContain(browser.jar.get('tollhouse_refresh'));
  });

  it('say who asks', async () => {
    const { browser, viewer } = await enterByBrowser();
    expect(await browser.ask(ME)).toMatchObject({ status: 200, data: { viewer }, errors: [] });
  });

  it('are exchanged for the next pair, which the page is not shown either', async () => {
    const { browser, viewer } = await enterByBrowser();
    const before = new Map(browser.jar);
    const asked = REFRESH.replace('{}', '{ transport: BEARER }');
    for (const document of [REFRESH, asked]) {
      expect((await browser.ask(document)).data).toEqual({
        refreshSession: { accessToken: null, refreshToken: null, viewer: { user: viewer.user } },
      });
    }
    expect(browser.jar.get('tollhouse_refresh')).not.toBe(before.get('tollhouse_refresh'));
    expect((await browser.ask(ME)).data).toEqual({ viewer });
  });

  it('are taken from a body once, when it says so', async () => {
    const person = await enterHouse(house);
    const browser = openBrowser(house);
    const document = `mutation ($token: String) {
      refreshSession(input: { refreshToken: $token, transport: COOKIE }) { accessToken refreshToken }
    }`;
    const answer = await browser.ask(document, { token: person.refreshToken });
    expect(answer.data).toEqual({ refreshSession: { accessToken: null, refreshToken: null } });
    expect((await browser.ask(ME)).data).toEqual({ viewer: person.viewer });
  });

  it('are replaced by those of the organization that is switched to', async () => {
    const [{ browser, viewer }, host] = [await enterByBrowser(), await enterHouse(house)];
    const organizationId = host.viewer.organization.id;
    await sql(house, `insert into memberships (organization_id, user_id, role) values ($1, $2, 'MEMBER')`, [
      rowId(organizationId),
      rowId(viewer.user.id),
    ]);
    const document = `mutation ($id: ID!) {
      switchOrganization(input: { organizationId: $id }) { accessToken refreshToken viewer { organization { id } } }
    }`;
    expect((await browser.ask(document, { id: organizationId })).data).toEqual({
      switchOrganization: { accessToken: null, refreshToken: null, viewer: { organization: { id: organizationId } } },
    });
    await browser.ask(REFRESH);
    expect((await browser.ask(ME)).data).toEqual({ viewer: { ...viewer, organization: { id: organizationId } } });
  });

  it('are taken away by signing out, and good for nothing afterwards', async () => {
    const { browser } = await enterByBrowser();
    const kept = new Map(browser.jar);
    expect((await browser.ask(SIGN_OUT)).data).toEqual({ signOut: { signedOut: true } });
    expect([...browser.jar.keys()]).toEqual([]);
    expect(await browser.ask(ME)).toMatchObject({ data: { viewer: null }, errors: [] });
    for (const [name, value] of kept) browser.jar.set(name, value);
    expect(codeOf(await browser.ask(ME))).toBe('UNAUTHENTICATED');
    expect(codeOf(await browser.ask(REFRESH))).toBe('REFRESH_TOKEN_INVALID');
    expect([...browser.jar.keys()]).toEqual([]);
  });
});

describe('ending a session from a page', () => {
  it('takes its cookies away when it is the one that asks, and none otherwise', async () => {
    const { browser } = await enterByBrowser();
    const { data } = await browser.ask<{ viewer: { session: { id: string } } }>('{ viewer { session { id } } }');
    const end = (id: string) => browser.ask('mutation ($id: ID!) { endSession(input: { id: $id }) { ended } }', { id });
    expect((await end('x')).data).toEqual({ endSession: { ended: false } });
    expect([...browser.jar.keys()]).toEqual(NAMES);
    expect((await end(data?.viewer.session.id ?? '')).data).toEqual({ endSession: { ended: true } });
    expect([...browser.jar.keys()]).toEqual([]);
  });
});

describe('when the access token’s cookie is over', () => {
  it.each<[string, (jar: Map<string, string>) => unknown]>([
    ['and the browser has dropped it', (jar) => jar.delete('tollhouse_access')],
    ['and the browser still sends it', (jar) => jar.set('tollhouse_access', 'e30.e30.e30')],
  ])('%s, the other one refreshes', async (_name, expire) => {
    const { browser, viewer } = await enterByBrowser();
    expire(browser.jar);
    for (const document of [ME, '{ chains { chainId } }', 'mutation { endOtherSessions { replayed } }']) {
      expect(await browser.ask(document)).toMatchObject({ status: 401, data: null });
    }
    expect(codeOf(await browser.ask(REFRESH))).toBe('OK');
    expect((await browser.ask(ME)).data).toEqual({ viewer });
  });

  it('nothing that needs a session hides behind what needs none', async () => {
    const { browser } = await enterByBrowser();
    browser.jar.delete('tollhouse_access');
    const documents = [
      'mutation { signOut { signedOut } endOtherSessions { replayed } }',
      'mutation { ...F } fragment F on Mutation { endOtherSessions { replayed } }',
      'mutation { ... { endOtherSessions { replayed } } }',
      'mutation { signOut: endOtherSessions { replayed } }',
    ];
    for (const document of documents) {
      expect(await browser.ask(document)).toMatchObject({ status: 401, data: null });
    }
  });

  it('somebody signs out all the same, and signs in again', async () => {
    const { browser, viewer } = await enterByBrowser();
    browser.jar.delete('tollhouse_access');
    expect((await browser.ask(SIGN_OUT)).data).toEqual({ signOut: { signedOut: true } });
    expect([...browser.jar.keys()]).toEqual([]);
    const ended = await sql(house, 'select end_reason from sessions where user_id = $1', [rowId(viewer.user.id)]);
    expect(ended).toEqual([{ end_reason: 'signed out' }]);
    browser.jar.set('tollhouse_access', 'e30.e30.e30');
    expect(codeOf(await browser.signIn())).toBe('OK');
  });
});

describe('a request with a header and cookies', () => {
  it('is the header’s, and needs no protection', async () => {
    const [{ browser }, person] = [await enterByBrowser(), await enterHouse(house)];
    const authorization = `Bearer ${person.accessToken}`;
    const bare = { authorization, origin: 'https://evil.example', 'x-tollhouse-csrf': '' };
    expect((await browser.ask(ME, {}, bare)).data).toEqual({ viewer: person.viewer });
    expect(codeOf(await browser.ask(REFRESH, {}, bare))).toBe('REFRESH_TOKEN_INVALID');
    expect(await browser.ask(ME, {}, { authorization: 'Bearer e30.e30.e30' })).toMatchObject({ status: 401 });
    expect([...browser.jar.keys()]).toEqual(NAMES);
  });
});

describe('a page of somebody else', () => {
  const FORGED: readonly [string, Record<string, string>][] = [
    ['without the header', { 'x-tollhouse-csrf': '' }],
    ['from another origin', { origin: 'https://evil.example' }],
    ['from another scheme, port or case', { origin: 'https://localhost' }],
    ['from no origin that a browser names', { origin: 'null' }],
    ['from nowhere', { origin: '' }],
    ['with neither', { origin: '', 'x-tollhouse-csrf': '' }],
  ];

  it.each(FORGED)('does nothing with a visitor’s cookies: %s', async (_name, headers) => {
    const { browser, viewer } = await enterByBrowser();
    for (const document of [ME, SIGN_OUT, REFRESH, 'mutation { endOtherSessions { replayed } }']) {
      const answer = await browser.ask(document, {}, headers);
      expect([answer.status, codeOf(answer), answer.data, browser.lastSet()]).toEqual([403, 'CSRF_REFUSED', null, []]);
    }
    expect((await browser.ask(ME)).data).toEqual({ viewer });
  });

  it.each(FORGED)('signs nobody in with cookies: %s', async (_name, headers) => {
    const wallet = newWallet();
    const { message } = await getChallenge(house, { address: wallet.address });
    const signature = await wallet.signMessage({ message: message ?? '' });
    const browser = openBrowser(house);
    const document = `mutation ($input: SignInWithEthereumInput!) { signInWithEthereum(input: $input) { isNewUser } }`;
    const variables = { input: { message, signature, transport: 'COOKIE' } };
    expect(codeOf(await browser.ask(document, variables, headers))).toBe('CSRF_REFUSED');
    expect([...browser.jar.keys()]).toEqual([]);
    // Nothing was spent by it.
    expect((await submit(house, { message, signature })).code).toBe('OK');
  });

  it.each(['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain'])(
    'cannot post a form as %s',
    async (type) => {
      const { browser, viewer } = await enterByBrowser();
      const answer = await browser.ask(SIGN_OUT, {}, { 'content-type': type });
      expect([answer.status, codeOf(answer)]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
      expect((await browser.ask(ME)).data).toEqual({ viewer });
    },
  );

  it('cannot ask by an address', async () => {
    const { browser } = await enterByBrowser();
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(`${house.url}?query=${encodeURIComponent(ME)}`, {
      headers: { cookie, origin: browser.origin, 'x-tollhouse-csrf': '1' },
    });
    expect([response.status, await response.text()]).toEqual([403, expect.stringContaining('CSRF_REFUSED')]);
    const bare = await fetch(`${house.url}?query=${encodeURIComponent(ME)}`);
    expect(await bare.json()).toEqual({ data: { viewer: null } });
  });

  it('may read nothing with credentials, and a page of ours may', async () => {
    const { origin } = new URL(house.url);
    const preflight = async (from: string) => {
      const { headers } = await fetch(house.url, { method: 'OPTIONS', headers: { origin: from } });
      return [headers.get('access-control-allow-credentials'), headers.get('access-control-allow-headers')];
    };
    expect(await preflight(origin)).toEqual(['true', expect.stringContaining('x-tollhouse-csrf')]);
    for (const from of ['https://evil.example', 'null', '*']) expect(await preflight(from)).toEqual([null, null]);
  });
});

describe('a foreign session', () => {
  it('is never taken over by signing in: it begins another one', async () => {
    const [{ browser: attacker }, browser] = [await enterByBrowser(), openBrowser(house)];
    for (const [name, value] of attacker.jar) browser.jar.set(name, value);
    await browser.signIn();
    const session = (jar: Map<string, string>) => jar.get('tollhouse_refresh')?.split('.')[0];
    expect(session(browser.jar)).not.toBe(session(attacker.jar));
  });
});

describe('in production', () => {
  let production: TestTollhouse;
  beforeAll(async () => {
    production = await startTollhouse({
      settings: {
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        COOKIES: '1',
        TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0',
        DATABASE_URL: 'postgres://given.example/by-the-test',
        PUBLIC_URL: 'https://pay.app.example',
        SIGN_IN_ORIGINS: 'https://app.example',
        TOKEN_KEYS: JSON.stringify([generateTokenKey()]),
        CHAINS: JSON.stringify([CHAIN]),
      },
    });
  });
  afterAll(() => production.stop());

  it('the cookies are bound to this very host and to TLS, and go under no other name', async () => {
    const browser = openBrowser(production, new URL('https://app.example'));
    expect(codeOf(await browser.signIn())).toBe('OK');
    expect(browser.lastSet()).toHaveLength(2);
    for (const line of browser.lastSet()) {
      expect(line).toMatch(
        /^__Host-tollhouse_(access|refresh)=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict; Secure$/,
      );
    }
    expect((await browser.ask(ME)).data).toMatchObject({ viewer: { user: {} } });
    // What a neighbour's host could have planted.
    for (const name of NAMES) {
      browser.jar.set(name, browser.jar.get(`__Host-${name}`) ?? '');
      browser.jar.delete(`__Host-${name}`);
    }
    expect((await browser.ask(ME)).data).toEqual({ viewer: null });
  });
});

describe('an installation without cookies', () => {
  let plain: TestTollhouse;
  beforeAll(async () => {
    plain = await startTollhouse();
  });
  afterAll(() => plain.stop());

  it('sets none, and spends nothing on being asked to', async () => {
    const browser = openBrowser(plain);
    expect(codeOf(await browser.signIn())).toBe('COOKIES_DISABLED');
    expect(browser.lastSet()).toEqual([]);
  });

  it('reads none, so that whatever page sends them is nobody’s', async () => {
    const person = await enterHouse(plain);
    const browser = openBrowser(plain);
    browser.jar.set('tollhouse_access', person.accessToken).set('tollhouse_refresh', person.refreshToken);
    expect((await browser.ask(ME, {}, { origin: '', 'x-tollhouse-csrf': '' })).data).toEqual({ viewer: null });
    expect(codeOf(await browser.ask(REFRESH))).toBe('REFRESH_TOKEN_INVALID');
  });

  it('allows no credentials', async () => {
    const { origin } = new URL(plain.url);
    const { headers } = await fetch(plain.url, { method: 'OPTIONS', headers: { origin } });
    expect([headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')]).toEqual([
      origin,
      null,
    ]);
  });
});
