import { Agent, get as httpGet } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createLog } from '../../src/gateway/log.ts';
import { openGateway } from '../../src/gateway/server.ts';
import { ask, codesOf, type OpenHouse, openHouse, query } from './openHouse.ts';

const houses: OpenHouse[] = [];
afterEach(() => Promise.all(houses.splice(0).map((house) => house.close())));

async function open(...options: Parameters<typeof openHouse>): Promise<OpenHouse> {
  const house = await openHouse(...options);
  houses.push(house);
  return house;
}

/** A connection that is open and has asked nothing; resolves `closed` when the server ends it. */
async function quietConnection(port: number): Promise<{ closed: Promise<void> }> {
  const socket = connect(port, '127.0.0.1');
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  socket.on('error', () => undefined);
  return { closed: new Promise((resolve) => socket.once('close', () => resolve())) };
}

/** A kept-alive connection that has received an answer, or the first part of one. */
function waitingConnection(
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ closed: Promise<void> }> {
  const agent = new Agent({ keepAlive: true });
  return new Promise((resolve, reject) => {
    const request = httpGet({ host: '127.0.0.1', port, path, headers, agent }, (response) => {
      const closed = new Promise<void>((close) => response.socket.once('close', () => close()));
      response.on('error', () => undefined).once('data', () => resolve({ closed }));
    });
    request.once('error', reject);
  });
}

const health = (house: OpenHouse, path: string, method = 'GET') => ask(house.gateway.port, { method, path });

describe('health', () => {
  it('is live and ready when nothing is waited for', async () => {
    const house = await open();
    for (const path of ['/health/live', '/health/ready']) {
      const { status, text } = await health(house, path);
      expect([status, text]).toEqual([200, '{"status":"ok"}']);
      expect(await health(house, path, 'HEAD')).toMatchObject({ status: 200, text: '' });
    }
  });

  it('is live but not ready while something is waited for, and says what', async () => {
    const house = await open({ ready: async () => ['database', 'migrations'] });
    expect((await health(house, '/health/live')).status).toBe(200);
    const { status, text } = await health(house, '/health/ready');
    expect([status, JSON.parse(text)]).toEqual([503, { status: 'waiting', waitingFor: ['database', 'migrations'] }]);
  });

  it('is not ready when that cannot be told, and does not say why', async () => {
    const house = await open({ ready: () => Promise.reject(new Error('password of tollhouse_gateway is wrong')) });
    const answer = await health(house, '/health/ready');
    expect([answer.status, codesOf(answer)]).toEqual([503, ['UNAVAILABLE']]);
    expect(answer.text).not.toContain('password');
  });
});

describe('what is missed and not waited for', () => {
  it('is told beside, and the gateway is ready all the same', async () => {
    const house = await open({ degraded: async () => ['chain 31337'] });
    const { status, text } = await health(house, '/health/ready');
    expect([status, JSON.parse(text)]).toEqual([200, { status: 'ok', degraded: ['chain 31337'] }]);
  });
});

describe('the open keys', () => {
  it('are published for whoever checks our tokens, and may be kept for an hour', async () => {
    const house = await open();
    const { status, text, headers } = await health(house, '/.well-known/jwks.json');
    expect([status, headers['cache-control']]).toEqual([200, 'public, max-age=3600']);
    expect(JSON.parse(text)).toEqual({ keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'one', x: 'open-part' }] });
  });

  it('cannot be written', async () => {
    const answer = await health(await open(), '/.well-known/jwks.json', 'PUT');
    expect([answer.status, codesOf(answer)]).toEqual([405, ['METHOD_NOT_ALLOWED']]);
  });
});

describe('a door that is bound and not yet open', () => {
  it('knows its port, is live, and asks everybody else to come back', async () => {
    const house = await open({ serving: false });
    expect(house.gateway.url).toBe(`http://localhost:${house.gateway.port}`);
    expect((await health(house, '/health/live')).status).toBe(200);
    expect(JSON.parse((await health(house, '/health/ready')).text).waitingFor).toEqual(['start']);
    const answer = await query(house.gateway.port, '{ hello }');
    expect([answer.status, answer.headers['retry-after'], codesOf(answer)]).toEqual([503, '1', ['UNAVAILABLE']]);
  });

  it('says so when the port is taken', async () => {
    const { gateway } = await open();
    const second = openGateway({ host: '127.0.0.1', port: gateway.port }, createLog('silent'));
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('draining', () => {
  it('lets finish what runs, on a connection that then closes, and takes nothing new', async () => {
    const house = await open();
    const agent = new Agent({ keepAlive: true });
    const slow = new Promise<{ text: string; connection: string | undefined }>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: house.gateway.port, path: '/graphql?query={slow}', agent };
      httpGet(options, (response) => {
        response.setEncoding('utf8').once('data', (text: string) => {
          resolve({ text, connection: response.headers.connection });
        });
      }).once('error', reject);
    });
    await house.slowBegan;
    const drained = house.gateway.drain();
    await expect(query(house.gateway.port, '{ hello }')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    house.release();
    expect(await slow).toEqual({ text: '{"data":{"slow":"done"}}', connection: 'close' });
    await drained;
    agent.destroy();
  });

  it('ends connections at once that wait for their next request, or have never sent one', async () => {
    const house = await open({ patience: { drain: 3_600_000 } });
    const quiet = await quietConnection(house.gateway.port);
    const waiting = await waitingConnection(house.gateway.port, '/health/live');
    await house.gateway.drain();
    await Promise.all([quiet.closed, waiting.closed]);
  });

  it('ends streams of events at once, which would never end by themselves', async () => {
    const house = await open({ patience: { drain: 3_600_000 } });
    const path = '/graphql?query=subscription{ticks}';
    const stream = await waitingConnection(house.gateway.port, path, { accept: 'text/event-stream' });
    await house.gateway.drain();
    await stream.closed;
  });

  it('gives up on what never finishes', async () => {
    const house = await open({ patience: { drain: 50 } });
    const lost = expect(query(house.gateway.port, '{ slow }')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await house.slowBegan;
    await house.gateway.drain();
    await lost;
  });

  it('happens once, however often it is asked for', async () => {
    const { gateway } = await open();
    expect(gateway.drain()).toBe(gateway.drain());
    await gateway.drain();
  });
});
