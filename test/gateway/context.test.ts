import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Resources } from '../../src/context.ts';
import type { Scene } from '../../src/database/scene.ts';
import { createContext } from '../../src/gateway/context.ts';
import { ask, type OpenHouse, openHouse, query, TOKEN, VIEWER } from './openHouse.ts';

let direct: OpenHouse;
let behindTwo: OpenHouse;
beforeAll(async () => {
  direct = await openHouse();
  behindTwo = await openHouse({ environment: { TRUSTED_PROXIES: '2' } });
});
afterAll(() => Promise.all([direct.close(), behindTwo.close()]));

async function askFor(house: OpenHouse, field: string, headers: Record<string, string> = {}): Promise<string | null> {
  const { text } = await query(house.gateway.port, `{ value: ${field} }`, { headers });
  return JSON.parse(text).data.value;
}

async function clientOf(house: OpenHouse, headers: Record<string, string>): Promise<Record<string, string>> {
  return JSON.parse((await askFor(house, 'client', headers)) ?? '');
}

describe('who is asking', () => {
  const authorization = `Bearer ${TOKEN}`;

  it('is nobody without a token, and works in the public scene', async () => {
    const headers = { 'x-request-id': 'request-1' };
    expect(await askFor(direct, 'viewer', headers)).toBeNull();
    expect(JSON.parse((await askFor(direct, 'scene', headers)) ?? '')).toEqual({
      kind: 'public',
      requestId: 'request-1',
    });
  });

  it('is the viewer of the token, and works in the scene of the session', async () => {
    const headers = { authorization, 'x-request-id': 'request-2' };
    expect(await askFor(direct, 'viewer', headers)).toBe(VIEWER.userId);
    expect(JSON.parse((await askFor(direct, 'scene', headers)) ?? '')).toEqual({
      kind: 'member',
      requestId: 'request-2',
      sessionId: VIEWER.sessionId,
      organizationId: VIEWER.organizationId,
    });
  });

  it('is whom a sign-in makes it, for the rest of the request and not beyond', async () => {
    const { text } = await query(direct.gateway.port, 'mutation { become }');
    expect(JSON.parse(text).data.become).toBe(`public member ${VIEWER.userId}`);
    expect(await askFor(direct, 'viewer')).toBeNull();
  });

  it('is told to try again with a token when the one that came is not good', async () => {
    const headers = { 'content-type': 'application/json', authorization: 'Bearer forged' };
    const answer = await ask(direct.gateway.port, { headers, body: '{"query":"{ hello }"}' });
    expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
  });

  it('is asked for with narrow scenes too', () => {
    const scenes: Scene[] = [];
    const resources = { database: { as: (scene: Scene) => scenes.push(scene) } } as unknown as Resources;
    const client = { address: '192.0.2.1', limitKey: '192.0.2.1', userAgent: null, origin: null };
    const context = createContext(resources, { requestId: 'request-3', client, viewer: VIEWER });
    context.identityScope({ sessionId: 's', account: { issuer: 'eip155', subject: '0x1' } });
    context.handleScope('payment-order', 'handle');
    expect(scenes).toEqual([
      { kind: 'identity', requestId: 'request-3', sessionId: 's', account: { issuer: 'eip155', subject: '0x1' } },
      {
        kind: 'public',
        requestId: 'request-3',
        handle: { kind: 'payment-order', valueHash: createHash('sha256').update('handle').digest() },
      },
    ]);
  });
});

describe('the request id', () => {
  it.each(['a', 'A-b_c.9', 'x'.repeat(64)])('is the one that came: %s', async (id) => {
    const { headers, text } = await query(direct.gateway.port, '{ client }', { headers: { 'x-request-id': id } });
    expect(headers['x-request-id']).toBe(id);
    expect(JSON.parse(JSON.parse(text).data.client).requestId).toBe(id);
  });

  it.each(['', 'a b', 'x'.repeat(65), '"}', 'ü'])('is a new one instead of %j', async (id) => {
    const { headers } = await query(direct.gateway.port, '{ hello }', { headers: { 'x-request-id': id } });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('the client’s address', () => {
  it('is the connection’s, whatever a header says, when no proxy is trusted', async () => {
    expect(await clientOf(direct, { 'x-forwarded-for': '203.0.113.9' })).toMatchObject({ address: '127.0.0.1' });
  });

  it.each([
    ['203.0.113.9, 198.51.100.2', '203.0.113.9'],
    ['1.1.1.1, 203.0.113.9, 198.51.100.2', '203.0.113.9'],
    ['203.0.113.9:4711, 198.51.100.2', '203.0.113.9'],
    ['[2001:DB8::9]:4711, 198.51.100.2', '2001:db8::9'],
    ['::ffff:203.0.113.9,198.51.100.2', '203.0.113.9'],
    ['fe80::1%eth0, 198.51.100.2', 'fe80::1'],
  ])('is the entry that the outermost of two trusted proxies has written in %j', async (header, address) => {
    expect(await clientOf(behindTwo, { 'x-forwarded-for': header })).toMatchObject({ address });
  });

  it.each(['', '203.0.113.9', 'unknown, 198.51.100.2', "'; drop table, 198.51.100.2"])(
    'is the connection’s when %j holds no such entry',
    async (header) => {
      expect(await clientOf(behindTwo, { 'x-forwarded-for': header })).toMatchObject({ address: '127.0.0.1' });
    },
  );

  it.each([
    ['[2001:db8:1:2:3:4:5:6]:4711, 198.51.100.2', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['203.0.113.9, 198.51.100.2', '203.0.113.9', '203.0.113.9'],
  ])('comes with what limits count by: %j', async (header, address, limitKey) => {
    expect(await clientOf(behindTwo, { 'x-forwarded-for': header })).toMatchObject({ address, limitKey });
  });

  it('comes with the browser’s name and origin, cut to a sane length', async () => {
    const headers = { 'user-agent': 'u'.repeat(5_000), origin: 'https://app.example' };
    const { userAgent, origin } = await clientOf(direct, headers);
    expect([userAgent, origin]).toEqual(['u'.repeat(500), 'https://app.example']);
  });
});
