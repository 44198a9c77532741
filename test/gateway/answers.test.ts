import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateTokenKey } from '../../src/identity/providers/tokenKeys.ts';
import { type Answer, ask, codesOf, type OpenHouse, ORIGIN, openHouse, query } from './openHouse.ts';

let house: OpenHouse;
let production: OpenHouse;
const example = 'query Example { hello } # </script><script>alert(1)</script>';

beforeAll(async () => {
  house = await openHouse({ exampleQuery: example });
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
  const visit = (port: number, accept = 'text/html,application/xhtml+xml,*/*;q=0.8') =>
    ask(port, { method: 'GET', headers: { accept } });

  it('brings everything with it, so that it works offline', async () => {
    const { status, headers, text } = await visit(house.gateway.port);
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text).toContain('query Example { hello }');
    // Tags that would load something, outside of the script, and what the script would import.
    const [before = '', after = ''] = text.split(/<script>.*<\/script>/s);
    expect(before + after).not.toMatch(/(?:src|href)="(?!data:)/);
    expect(before).not.toMatch(/url\(\s*["']?(?:https?:)?\/\//);
    expect(text).not.toMatch(/(?:importScripts|import)\(\s*["'`]https?:/);
  });

  it('is held by its browser to what it brought, and to this server', async () => {
    const { headers } = await visit(house.gateway.port);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toMatch(/https?:|\*/);
  });

  it('is not ended by an example that holds the end of a script', async () => {
    const { text } = await visit(house.gateway.port);
    expect(text).not.toContain('</script><script>alert(1)');
  });

  it('gives a program that asks for JSON JSON', async () => {
    const path = '/graphql?query=%7B%20hello%20%7D';
    const { text } = await ask(house.gateway.port, { method: 'GET', path, headers: { accept: 'application/json' } });
    expect(text).toBe('{"data":{"hello":"hello you"}}');
  });

  it('does not exist in production', async () => {
    const answer = await visit(production.gateway.port);
    expect([answer.status, codesOf(answer)]).toEqual([400, ['BAD_REQUEST']]);
    const htmlAlone = await visit(production.gateway.port, 'text/html');
    expect([htmlAlone.status, codesOf(htmlAlone)]).toEqual([406, ['NOT_ACCEPTABLE']]);
  });
});
