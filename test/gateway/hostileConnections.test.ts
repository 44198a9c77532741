import { createConnection } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, type OpenHouse, openHouse, write } from './openHouse.ts';
import { expectLife, expectRefusal } from './refusals.ts';

let house: OpenHouse;
beforeAll(async () => {
  house = await openHouse({ patience: { head: 1_000, request: 2_000 } });
});
afterAll(() => house.close());

const HEAD = 'POST /graphql HTTP/1.1\r\ncontent-type: application/json\r\nconnection: close\r\n';
const BODY = '{"query":"{ hello }"}';

describe('hostile connections', () => {
  it.each<[string, string | Buffer, number]>([
    ['no HTTP', 'GARBAGE\r\n\r\n', 400],
    ['bytes at random', Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'latin1'), 400],
    ['another version of HTTP', 'GET /graphql HTTP/9.9\r\n\r\n', 400],
    ['a header without a name', 'GET /graphql HTTP/1.1\r\n: x\r\n\r\n', 400],
    ['a header of 20 kB', `GET /graphql HTTP/1.1\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['a length below nothing', `${HEAD}content-length: -1\r\n\r\n${BODY}`, 400],
    ['a length that is no number', `${HEAD}content-length: ten\r\n\r\n${BODY}`, 400],
    ['two lengths', `${HEAD}content-length: 2\r\ncontent-length: 21\r\n\r\n${BODY}`, 400],
    ['a length and chunks', `${HEAD}content-length: 21\r\ntransfer-encoding: chunked\r\n\r\n${BODY}`, 400],
    ['a broken chunk', `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n${BODY}\r\n0\r\n\r\n`, 400],
    ['a head that never ends', 'POST /graphql HTTP/1.1\r\ncontent-type: application/json\r\n', 408],
    ['a body that never ends', `${HEAD}content-length: 21\r\n\r\n{"query"`, 408],
  ])('refuses %s', async (_, bytes, status) => {
    const answer = await write(house.gateway.port, bytes);
    expectRefusal(answer, status, 'BAD_REQUEST');
    await expectLife(house);
  });

  it.each([
    ['no host', `${HEAD}content-length: 21\r\n\r\n${BODY}`],
    ['a host that is none', `${HEAD}host: [\r\ncontent-length: 21\r\n\r\n${BODY}`],
    ['an expectation', `${HEAD}host: a\r\nexpect: the best\r\ncontent-length: 21\r\n\r\n${BODY}`],
    ['a wish for a socket', `${HEAD}host: a\r\nupgrade: websocket\r\ncontent-length: 21\r\n\r\n${BODY}`],
  ])('answers a request with %s like any other', async (_, bytes) => {
    const { status, text } = await write(house.gateway.port, bytes);
    expect([status, text]).toEqual([200, '{"data":{"hello":"hello you"}}']);
  });

  it('survives a client that leaves in the middle of a body', async () => {
    const socket = createConnection(house.gateway.port, '127.0.0.1');
    await new Promise<void>((sent) => socket.write(`${HEAD}content-length: 500\r\n\r\n{`, () => sent()));
    socket.destroy();
    await expectLife(house);
  });

  it('answers HEAD without a body', async () => {
    const answer = await ask(house.gateway.port, { method: 'HEAD' });
    expect([answer.status, answer.text]).toEqual([405, '']);
  });
});
