import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { Webhook } from 'standardwebhooks';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type * as Client from '../../src/client/tollhouseClient.ts';
import { outliveGrace } from '../client/visitor.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { openBrowser, openVisitor, type Visitor } from './support/browser.ts';

let server: Server;
let origin: string;
let house: TestTollhouse;
let browser: Browser;
let visitor: Visitor;
beforeAll(async () => {
  server = createServer(async (_, response) => {
    response.setHeader('content-type', 'text/html').end(`<!doctype html><script>${await script}</script>`);
  }).listen(0, 'localhost');
  await once(server, 'listening');
  origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  [house, browser] = await Promise.all([
    startTollhouse({ settings: { COOKIES: '1', SIGN_IN_ORIGINS: origin } }),
    openBrowser(),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await house?.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(async () => {
  visitor = await openVisitor(browser, origin);
  const account = privateKeyToAccount(generatePrivateKey());
  await visitor.context.exposeFunction('addressOf', () => account.address);
  await visitor.context.exposeFunction('sign', (message: string) => account.signMessage({ message }));
});
afterEach(() => visitor.close());

/** What a page has, as the script below leaves it there. */
interface Desk {
  readonly tollhouse: typeof Client;
  /** How far the page's clock is ahead, in milliseconds. */
  ahead: number;
  client: Client.TollhouseClient;
  readonly heard: string[];
  addressOf(): Promise<string>;
  sign(message: string): Promise<string>;
  readonly localStorage: Client.TokenStorage;
  readonly document: { readonly cookie: string };
}

const script = build({
  stdin: {
    contents: `
      import * as tollhouse from './src/client/tollhouseClient.ts';
      const now = Date.now;
      Object.assign(globalThis, { tollhouse, ahead: 0, heard: [] });
      Date.now = () => now() + ahead;`,
    resolveDir: join(import.meta.dirname, '../..'),
  },
  bundle: true,
  minify: true,
  platform: 'browser',
  write: false,
}).then(({ outputFiles }) => (outputFiles[0]?.text ?? '').replaceAll('</', '<\\/'));

type Kept = 'storage' | 'cookie';

/** Opens a tab with a client in it, whose tokens are kept so. */
async function openTab(kept: Kept): Promise<Page> {
  const page = await visitor.open('/');
  await page.evaluate(
    ([url = '', where]) => {
      const desk = globalThis as unknown as Desk;
      const keeping = where === 'cookie' ? { credentials: 'cookie' as const } : { storage: desk.localStorage };
      desk.client = desk.tollhouse.createTollhouseClient({ url, ...keeping });
      desk.client.onSessionChange((_, reason) => desk.heard.push(reason));
    },
    [house.url, kept],
  );
  return page;
}

function signIn(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const { client, addressOf, sign } = globalThis as unknown as Desk;
    const wallet = { address: await addressOf(), signMessage: ({ message }: { message: string }) => sign(message) };
    return (await client.signIn({ wallet })).user.id;
  });
}

/** Who is signed in, as the gateway says; the code where it does not. */
function who(page: Page, ahead = 0): Promise<string | null> {
  return page.evaluate((later) => {
    const desk = globalThis as unknown as Desk;
    desk.ahead = later;
    const asked = desk.client.query(desk.tollhouse.graphql('query Who { viewer { user { id } } }'));
    return asked.then(
      ({ viewer }) => viewer?.user.id ?? null,
      ({ code }) => code,
    );
  }, ahead);
}

function heard(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => (globalThis as unknown as Desk).heard);
}

describe('a browser with the client in its pages', () => {
  it('keeps one session in two tabs that refresh at one instant, until one of them ends it', async () => {
    const first = await openTab('storage');
    const userId = await signIn(first);
    const second = await openTab('storage');
    expect(await who(second)).toBe(userId);
    for (const round of [1, 2, 3]) {
      await outliveGrace(house);
      const later = round * 1_200_000;
      expect(await Promise.all([who(first, later), who(second, later)])).toEqual([userId, userId]);
    }
    await first.evaluate(() => (globalThis as unknown as Desk).client.signOut());
    expect(await who(second)).toBe('SESSION_ENDED');
    expect(await who(second)).toBeNull();
    expect([await heard(first), await heard(second)]).toEqual([
      ['signedIn', 'signedOut'],
      ['resumed', 'ended'],
    ]);
    expect(visitor.faults.filter((fault) => !/status of 401/.test(fault))).toEqual([]);
  });

  it('keeps it in cookies that its pages do not see, and goes on with them', async () => {
    const first = await openTab('cookie');
    const userId = await signIn(first);
    expect(await first.evaluate(() => (globalThis as unknown as Desk).document.cookie)).toBe('');
    const second = await openTab('cookie');
    expect(await who(second)).toBe(userId);
    await visitor.context.clearCookies({ name: 'tollhouse_access' });
    expect(await Promise.all([who(first), who(second)])).toEqual([userId, userId]);
    const resume = () => (globalThis as unknown as Desk).client.resume().then((session) => session?.user.id ?? null);
    expect(await second.evaluate(resume)).toBe(userId);
    await second.evaluate(() => (globalThis as unknown as Desk).client.signOut());
    expect(await first.evaluate(resume)).toBeNull();
    expect(await visitor.context.cookies()).toEqual([]);
    expect(visitor.elsewhere.every((url) => url === house.url)).toBe(true);
  });

  it('verifies what is signed, by its own means', async () => {
    const page = await openTab('storage');
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const body = '{"type":"payment-order.paid"}';
    const at = new Date();
    const headers = {
      'webhook-id': 'evt_1',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign('evt_1', at, body),
    };
    const verify = (text: string) =>
      page.evaluate(
        (given) =>
          (globalThis as unknown as Desk).tollhouse.verifyWebhook(given).then(
            ({ payload }) => JSON.stringify(payload),
            ({ code }) => code as string,
          ),
        { secret, headers, body: text },
      );
    expect(await verify(body)).toBe(body);
    expect(await verify(`${body} `)).toBe('WEBHOOK_INVALID');
  });
});
