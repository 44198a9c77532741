import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Market, makeLink, openMarket } from '../payments/market.ts';
import { type NameServer, startNameServer } from '../support/nameServer.ts';
import { signIn } from '../support/person.ts';
import { startTollhouse } from '../support/tollhouse.ts';

interface Reply {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

interface DnsRecord {
  readonly name: string;
  readonly value: string;
}

let names: NameServer;
let market: Market;
let slug: string;
beforeAll(async () => {
  names = await startNameServer();
  market = await openMarket({ PUBLIC_URL: 'https://gate.tollhouse-test.com', DNS_SERVERS: names.address });
  ({ slug } = await makeLink(market));
});
afterAll(async () => {
  await market.close();
  await names.stop();
});

/** Asks for a path just as it is written, which fetch would tidy up. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> {
  const { port } = market.house.gateway;
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    asked.once('error', reject);
    asked.end();
  });
}

const page = (path = `/pay/${slug}`, headers: Record<string, string> = {}) => get(path, headers);

async function scriptOf(): Promise<string> {
  const { body } = await page();
  const [, script] = /<script type="module" src="([^"]+)">/.exec(body.toString()) ?? [];
  if (!script) throw new Error(`The page names no script: ${body}`);
  return script;
}

const codeOf = ({ body }: Reply): unknown => JSON.parse(body.toString()).errors[0].extensions.code;

describe('a checkout page', () => {
  it('is shown for a link, strict about what it may do, and is looked up again each time', async () => {
    const { status, headers, body } = await page();
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'content-security-policy':
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src 'self'; " +
        "style-src 'self'; img-src 'self' data:; connect-src 'self'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin-allow-popups',
      'x-robots-tag': 'noindex',
    });
    expect(body.toString()).toContain('data-finding="found"');
    expect(body.toString()).toMatch(/^<!doctype html>\n<html lang="en">/);
  });

  it('holds nothing that is run or styled inside it, and names nothing elsewhere', async () => {
    const html = (await page()).body.toString();
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|https?:/);
  });

  it('lets one picture come from where the merchant’s logo is, and no other', async () => {
    const { accessToken } = await signIn(market.house, market.merchant.account);
    const setTheme = (theme: object) =>
      market.house.ask(
        `mutation ($input: UpdateStoreConfigurationInput!) { updateStoreConfiguration(input: $input) { replayed } }`,
        { input: { theme } },
        { token: accessToken },
      );
    const pictures = async () => /img-src ([^;]*)/.exec(String((await page()).headers['content-security-policy']))?.[1];
    await setTheme({ logo: 'https://cdn.shop.example/a/logo.png' });
    expect(await pictures()).toBe("'self' data: https://cdn.shop.example");
    await setTheme({ logo: 'https://x.example;script-src *' });
    expect(await pictures()).not.toContain('script-src');
    await setTheme({ logo: 'http://plain.example/logo.png' });
    expect(await pictures()).toBe("'self' data:");
    await setTheme({});
  });

  it.each([
    '/pay/nothing-of-that-name',
    '/pay/',
    '/pay/a/b',
    '/pay/../main.ts',
    '/pay/%2e%2e%2f%2e%2e%2fpackage.json',
    '/pay/%00',
    '/pay/<script>alert(1)</script>',
    `/pay/${'x'.repeat(4_000)}`,
  ])('is one that says it knows no link, for %.40s', async (path) => {
    const { status, headers, body } = await get(path);
    expect([status, headers['content-type']]).toEqual([404, 'text/html; charset=utf-8']);
    expect(body.toString()).toContain('data-finding="unknown"');
    expect(body.toString()).not.toContain('alert');
  });

  it('is not shown for a draft', async () => {
    const { accessToken } = market.merchant;
    const input = { title: 'Not yet', slug: 'not-yet-out', status: 'DRAFT', accepts: [] as unknown[] };
    input.accepts = [{ asset: 'eip155:31337/slip44:60', amount: '1', payTo: market.merchant.account.address }];
    const made = await market.house.ask(
      `mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { paymentLink { status } } }`,
      { input },
      { token: accessToken },
    );
    expect(made.errors).toEqual([]);
    expect((await page('/pay/not-yet-out')).status).toBe(404);
  });

  it('takes GET and HEAD alone', async () => {
    const [shown, head, posted] = [
      await page(),
      await get(`/pay/${slug}`, {}, 'HEAD'),
      await get(`/pay/${slug}`, {}, 'POST'),
    ];
    expect([head.status, head.body.length]).toEqual([200, 0]);
    for (const name of ['etag', 'content-length', 'content-type', 'content-security-policy']) {
      expect(head.headers[name]).toBe(shown.headers[name]);
    }
    expect([posted.status, codeOf(posted), posted.headers.allow]).toEqual([405, 'METHOD_NOT_ALLOWED', 'GET, HEAD']);
  });

  it('is not sent again to a browser that has it', async () => {
    const { etag } = (await page()).headers;
    const again = await page(undefined, { 'if-none-match': `"other", W/${etag}` });
    expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, etag]);
    expect(again.headers['content-security-policy']).toContain("script-src 'self'");
    expect((await page(undefined, { 'if-none-match': '"other"' })).status).toBe(200);
    expect((await page('/pay/unknown-one', { 'if-none-match': '*' })).status).toBe(404);
  });
});

describe('on an organization’s own domain', () => {
  const own = 'pay.shop-test.com';
  let other: string;
  beforeAll(async () => {
    other = (await makeLink(market, { by: await signIn(market.house) })).slug;
    const token = market.merchant.accessToken;
    const added = await market.house.ask<{ addDomain: { domain: { id: string; record: DnsRecord } } }>(
      `mutation ($input: AddDomainInput!) { addDomain(input: $input) { domain { id record { name value } } } }`,
      { input: { host: own, kind: 'CUSTOM' } },
      { token },
    );
    const { id, record } = added.data?.addDomain.domain ?? { id: '', record: { name: '', value: '' } };
    names.texts.set(record.name, [record.value]);
    const verified = await market.house.ask(
      `mutation ($input: VerifyDomainInput!) { verifyDomain(input: $input) { domain { verifiedAt } } }`,
      { input: { id } },
      { token },
    );
    expect(verified.errors).toEqual([]);
  });

  it('its links are shown, and another organization’s are as unknown as any', async () => {
    const [mine, strangers, unknown] = [
      await page(undefined, { host: own }),
      await page(`/pay/${other}`, { host: own }),
      await page('/pay/nothing-of-that-name', { host: own }),
    ];
    expect(mine.status).toBe(200);
    expect(strangers.status).toBe(404);
    expect(strangers.body.equals(unknown.body)).toBe(true);
    // where a payment is shown though its link is gone, which here might be anybody's
    expect(String(strangers.body)).toContain('data-finding="foreign"');
    expect(String((await page('/pay/nothing-of-that-name')).body)).toContain('data-finding="unknown"');
    expect({ ...strangers.headers, date: '', 'x-request-id': '' }).toEqual({
      ...unknown.headers,
      date: '',
      'x-request-id': '',
    });
  });

  it.each(['PAY.SHOP-TEST.COM', `${own}:8443`])('whichever way the host is written: %s', async (host) => {
    expect((await page(`/pay/${other}`, { host })).status).toBe(404);
    expect((await page(undefined, { host })).status).toBe(200);
  });

  it.each(['gate.tollhouse-test.com', 'localhost:4000', '127.0.0.1', '[::1]:80', 'anything.example', 'a b', ''])(
    'which %j is not, so that it is the gateway’s own page',
    async (host) => {
      expect((await page(`/pay/${other}`, { host })).status).toBe(200);
    },
  );
});

describe('what a page is made of', () => {
  it('is kept for good by its name', async () => {
    const { status, headers } = await get(await scriptOf());
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    });
  });

  it.each([
    ['', undefined, (body: Buffer) => body],
    ['br', 'br', brotliDecompressSync],
    ['gzip, deflate', 'gzip', gunzipSync],
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
    ['gzip;q=1.0, br;q=0.5', 'gzip', gunzipSync],
    ['*', 'br', brotliDecompressSync],
    ['br;q=0, *', 'gzip', gunzipSync],
    ['br;q=0, gzip;q=0', undefined, (body: Buffer) => body],
    ['identity', undefined, (body: Buffer) => body],
    ['BR', 'br', brotliDecompressSync],
    ['br;q=nonsense', undefined, (body: Buffer) => body],
  ])('comes to who accepts %j in %s, each under a tag of its own', async (accepted, coding, read) => {
    const script = await scriptOf();
    const [plain, coded] = [await get(script), await get(script, { 'accept-encoding': accepted })];
    expect(coded.headers['content-encoding']).toBe(coding);
    expect(coded.headers.vary).toBe('Accept-Encoding');
    expect(Number(coded.headers['content-length'])).toBe(coded.body.length);
    expect(read(coded.body).equals(plain.body)).toBe(true);
    expect(coded.headers.etag === plain.headers.etag).toBe(coding === undefined);
    const known = await get(script, { 'accept-encoding': accepted, 'if-none-match': String(plain.headers.etag) });
    expect([known.status, known.body.length]).toEqual([304, 0]);
  });

  it.each([
    '/assets',
    '/assets/',
    '/assets/checkout',
    '/assets/checkout/',
    '/assets/checkout/main.js',
    '/assets/checkout/main-AAAAAAAA.js',
    '/assets/checkout/../../package.json',
    '/assets/checkout/..%2f..%2f..%2fpackage.json',
    '/assets/checkout/main.tsx',
    '/assets/checkout/tsconfig.json',
    '/assets/checkout//etc/passwd',
    '/assets/../src/main.ts',
    '/assets/gateway/server.ts',
    '/assets/constructor',
    '/assets/__proto__/x',
    '/assets/nothing/main-AAAAAAAA.js',
  ])('is all there is: not %s', async (path) => {
    const answer = await get(path);
    expect([answer.status, codeOf(answer)]).toEqual([404, 'PATH_NOT_FOUND']);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('cannot be read by half a name, or by more than it', async () => {
    const script = await scriptOf();
    for (const path of [script.slice(0, -1), `${script}/`, `${script}%00`, script.toUpperCase()]) {
      expect((await get(path)).status, path).toBe(404);
    }
    expect((await get(`${script}?v=2`)).status).toBe(200);
  });
});

describe('two gateways', () => {
  it('give the same page the same names and bytes', async () => {
    const other = await startTollhouse();
    try {
      const [mine, theirs] = [await page('/pay/none'), await fetch(`http://localhost:${other.gateway.port}/pay/none`)];
      expect(await theirs.text()).toBe(mine.body.toString());
      expect(theirs.headers.get('etag')).toContain(String(mine.headers.etag).slice(1, -1));
      const script = await scriptOf();
      const copy = await fetch(`http://localhost:${other.gateway.port}${script}`);
      expect(Buffer.from(await copy.arrayBuffer()).equals((await get(script)).body)).toBe(true);
    } finally {
      await other.stop();
    }
  });
});

describe('a house in another folder', () => {
  const site = mkdtempSync(join(tmpdir(), 'tollhouse-face-'));
  afterAll(() => rmSync(site, { recursive: true, force: true }));

  it('makes the same names', async () => {
    const house = join(import.meta.dirname, '../..');
    for (const part of ['src', 'tsconfig.json', 'tsconfig.browser.json', 'package.json']) {
      cpSync(join(house, part), join(site, part), { recursive: true });
    }
    for (const packageName of ['preact', 'mipd', 'graphql', 'gql.tada', '@0no-co']) {
      cpSync(join(house, 'node_modules', packageName), join(site, 'node_modules', packageName), { recursive: true });
    }
    symlinkSync(join(house, 'node_modules/esbuild'), join(site, 'node_modules/esbuild'), 'dir');
    const bundler = join(site, 'src/gateway/bundle.ts');
    const { bundleFace } = (await import(bundler)) as typeof import('../../src/gateway/bundle.ts');
    const { files } = await bundleFace({ name: 'checkout', entries: { main: './main.tsx' } });
    expect([...files.keys()]).toContain(await scriptOf());
  });
});
