import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateTokenKey } from '../../src/identity/providers/tokenKeys.ts';
import { type Answer, ask, codesOf, type OpenHouse, ORIGIN, openHouse, query } from './openHouse.ts';

let house: OpenHouse;
let production: OpenHouse;
/** Whatever is told to the page, it can end nothing there. */
const hostile = `"></div><script>alert('1')</script>&quot;`;

beforeAll(async () => {
  house = await openHouse({ playground: { demoWallets: [], asset: hostile } });
  production = await openHouse({
    environment: {
      NODE_ENV: 'production',
      DATABASE_URL: 'postgres://localhost/x',
      PUBLIC_URL: 'https://pay.example',
      SIGN_IN_ORIGINS: ORIGIN,
      TOKEN_KEYS: JSON.stringify([generateTokenKey()]),
      CHAINS: JSON.stringify([
        {
          chainId: 1,
          name: 'Ethereum',
          rpcUrl: 'https://rpc.example',
          publicRpcUrl: 'https://rpc.example',
          assets: [{ symbol: 'ETH', name: 'Ether', decimals: 18 }],
        },
      ]),
    },
  });
});
afterAll(() => Promise.all([house.close(), production.close()]));

function corsOf({ headers }: Answer): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));
}

const preflight = (origin: string) =>
  ask(house.gateway.port, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,authorization',
    },
  });

describe('a page on another origin', () => {
  it('that people sign in from may send requests, and its browser remembers so', async () => {
    const answer = await preflight(ORIGIN);
    expect([answer.status, answer.text, answer.headers.vary]).toEqual([204, '', 'Origin']);
    expect(corsOf(answer)).toEqual({
      'access-control-allow-origin': ORIGIN,
      'access-control-expose-headers': 'Retry-After, x-request-id',
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'content-type, authorization, x-api-key, x-request-id, idempotency-key',
      'access-control-max-age': '86400',
    });
  });

  it.each(['{ hello }', '{ helo }', '{'])('that people sign in from may read the answer to %s', async (document) => {
    const answer = await query(house.gateway.port, document, { headers: { origin: ORIGIN } });
    expect(answer.headers.vary).toBe('Origin');
    expect(corsOf(answer)).toEqual({
      'access-control-allow-origin': ORIGIN,
      'access-control-expose-headers': 'Retry-After, x-request-id',
    });
  });

  it.each([
    'https://evil.example',
    'null',
    'https://app.example.evil',
    'http://app.example',
    'HTTPS://APP.EXAMPLE',
    '*',
  ])('that is %s may read nothing', async (origin) => {
    const answers = [await preflight(origin), await query(house.gateway.port, '{ hello }', { headers: { origin } })];
    expect(answers.map(corsOf)).toEqual([{}, {}]);
    expect(answers.map(({ headers }) => headers.vary)).toEqual(['Origin', 'Origin']);
  });
});

describe('an answer', () => {
  it('is guarded against being guessed at, kept, framed and told of', async () => {
    expect((await query(house.gateway.port, '{ hello }')).headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
  });

  it.each([
    ['application/json', 'application/json'],
    ['*/*', 'application/json'],
    ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
    ['application/json, application/graphql-response+json', 'application/json'],
    ['text/html, application/*;q=0.8', 'application/json'],
  ])('to %s is %s', async (accept, type) => {
    const { headers } = await query(production.gateway.port, '{ hello }', { headers: { accept } });
    expect(headers['content-type']).toBe(`${type}; charset=utf-8`);
  });

  it('is a stream of events to a subscription, masked like every other', async () => {
    const headers = { accept: 'text/event-stream' };
    const { status, text } = await query(house.gateway.port, 'subscription { ticks(fail: true) }', { headers });
    expect(status).toBe(200);
    expect(text).toContain('event: next\ndata: {"data":{"ticks":1}}');
    expect(text).toContain('"code":"INTERNAL"');
    expect(text).not.toMatch(/select|secret_column/);
    expect(text.trimEnd()).toMatch(/event: complete\ndata:$/);
  });

  it('is one event when nothing but events is accepted', async () => {
    const { headers, text } = await query(house.gateway.port, '{ hello }', {
      headers: { accept: 'text/event-stream' },
    });
    expect(headers['content-type']).toBe('text/event-stream');
    expect(text).toContain('data: {"data":{"hello":"hello you"}}');
  });
});

describe('the playground', () => {
  const BROWSER = 'text/html,application/xhtml+xml,*/*;q=0.8';
  const visit = (port: number, accept = BROWSER) => ask(port, { method: 'GET', headers: { accept } });

  it('names nothing elsewhere, and holds nothing that is run or styled inside it', async () => {
    const { status, headers, text } = await visit(house.gateway.port);
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text).not.toMatch(
      /<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|(?:src|href)="(?!data:,|\/assets\/playground\/)/,
    );
  });

  it('is held by its browser to what it brought, and to this server', async () => {
    const { headers } = await visit(house.gateway.port);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("; script-src 'self'; worker-src 'self'; ");
    expect(policy).toContain("; connect-src 'self'");
    expect(policy).not.toMatch(/https?:|\*|eval|blob:/);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  });

  it('tells the page of this gateway in a text that ends nothing there', async () => {
    const { text } = await visit(house.gateway.port);
    expect(text).not.toContain("<script>alert('1')</script>");
    const [, written = ''] = / data-settings="([^"]*)"/.exec(text) ?? [];
    const read = written.replaceAll('&lt;', '<').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
    expect(JSON.parse(read)).toEqual({
      workers: {
        editor: expect.stringMatching(/^\/assets\/playground\/editorWorker-[A-Z0-9]{8}\.js$/),
        graphql: expect.stringMatching(/^\/assets\/playground\/graphqlWorker-[A-Z0-9]{8}\.js$/),
        json: expect.stringMatching(/^\/assets\/playground\/jsonWorker-[A-Z0-9]{8}\.js$/),
      },
      demoWallets: [],
      asset: hostile,
    });
  });

  it('runs what this server has, and nothing loads from elsewhere', async () => {
    const { text } = await visit(house.gateway.port);
    const addresses = [...text.matchAll(/\/assets\/playground\/[\w.-]+/g)].map(([path]) => path);
    expect(addresses).toHaveLength(5);
    for (const path of addresses) {
      const answer = await ask(house.gateway.port, { method: 'GET', path });
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(answer.text).not.toMatch(
        /(?:importScripts|import)\(\s*["'`]https?:|@import\s*(?:url\()?["']?https?:|url\(["']?https?:/,
      );
    }
  });

  it('gives a program that asks for JSON JSON', async () => {
    const path = '/graphql?query=%7B%20hello%20%7D';
    const { text } = await ask(house.gateway.port, { method: 'GET', path, headers: { accept: 'application/json' } });
    expect(text).toBe('{"data":{"hello":"hello you"}}');
  });

  it('is where a browser is led that asks for the bare address, and nobody else', async () => {
    const root = (port: number, method: string, accept?: string) =>
      ask(port, { method, path: '/', headers: accept ? { accept } : {} });
    const led = await root(house.gateway.port, 'GET', BROWSER);
    expect([led.status, led.headers.location, led.text]).toEqual([302, '/graphql', '']);
    for (const [port, method, accept] of [
      [house.gateway.port, 'GET', undefined],
      [house.gateway.port, 'GET', 'application/json'],
      [house.gateway.port, 'POST', BROWSER],
      [production.gateway.port, 'GET', BROWSER],
    ] as const) {
      const answer = await root(port, method, accept);
      expect([answer.status, codesOf(answer)]).toEqual([404, ['PATH_NOT_FOUND']]);
    }
  });

  it('does not exist in production', async () => {
    const answer = await visit(production.gateway.port);
    expect([answer.status, codesOf(answer)]).toEqual([400, ['BAD_REQUEST']]);
    const htmlAlone = await visit(production.gateway.port, 'text/html');
    expect([htmlAlone.status, codesOf(htmlAlone)]).toEqual([406, ['NOT_ACCEPTABLE']]);
    const [script = ''] = /\/assets\/playground\/main-[\w.]+/.exec((await visit(house.gateway.port)).text) ?? [];
    const asset = await ask(production.gateway.port, { method: 'GET', path: script });
    expect([asset.status, codesOf(asset)]).toEqual([404, ['PATH_NOT_FOUND']]);
  });
});
