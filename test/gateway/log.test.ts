import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../src/gateway/log.ts';
import { describeFault } from '../../src/graphql/errors.ts';
import { ask, type OpenHouse, openHouse, query, TOKEN, write } from './openHouse.ts';

let house: OpenHouse;
beforeAll(async () => {
  house = await openHouse();
});
beforeEach(() => {
  house.lines.length = 0;
});
afterAll(() => house.close());

/** The lines so far; the one about a request is written when its connection has its last byte. */
async function lines(count: number): Promise<Record<string, unknown>[]> {
  while (house.lines.length < count) await new Promise((resolve) => setImmediate(resolve));
  return house.lines.map((line) => JSON.parse(line));
}

const SIGNATURE = `0x${'ab12'.repeat(32)}1b`;
const NONCE = 'Zk3pQ9xW2mN8vB5tR7yL1c';

describe('the line about a request', () => {
  it('says who asked what, how long it took, and how it went', async () => {
    const headers = { 'x-request-id': 'request-9' };
    await query(house.gateway.port, 'query Greeting { hello }', { headers });
    const [line, ...more] = await lines(1);
    expect(more).toEqual([]);
    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      requestId: 'request-9',
      method: 'POST',
      path: '/graphql',
      status: 200,
      ms: expect.any(Number),
      client: '127.0.0.1',
      operation: 'Greeting',
      msg: 'request',
    });
  });

  it('has the codes of its errors, each once', async () => {
    await query(house.gateway.port, '{ a: fail(how: "known") b: fail(how: "known") c: fail(how: "conflict") }');
    expect(await lines(1)).toMatchObject([{ status: 200, codes: ['FORBIDDEN', 'CONFLICT'] }]);
  });

  it('is written for what is refused too, and for what is no request', async () => {
    await ask(house.gateway.port, { method: 'GET', path: '/nowhere?token=abc' });
    await write(house.gateway.port, 'GARBAGE\r\n\r\n');
    expect(await lines(2)).toMatchObject([
      { path: '/nowhere', status: 404, codes: ['PATH_NOT_FOUND'] },
      { status: 400, client: '127.0.0.1', msg: 'not a request' },
    ]);
  });

  it('is not written for a connection that nobody has used', async () => {
    const impatient = await openHouse({ patience: { head: 100 } });
    expect(await write(impatient.gateway.port)).toMatchObject({ status: 0, text: '' });
    expect(impatient.lines).toEqual([]);
    await impatient.close();
  });

  it('of a health check is for who wants every detail', async () => {
    await ask(house.gateway.port, { method: 'GET', path: '/health/live' });
    expect(await lines(1)).toMatchObject([{ level: 'debug', path: '/health/live' }]);
  });
});

describe('what a log never holds', () => {
  it.each([
    [
      'a sign-in that fails',
      { query: `mutation SignIn($m: String!, $s: String!) { signInWithEthereum(message: $m, signature: $s) }` },
    ],
    [
      'a sign-in of literals',
      { query: `mutation SignIn { signInWithEthereum(message: "${NONCE}", signature: "${SIGNATURE}") }` },
    ],
    [
      'a sign-in that is misspelled',
      { query: `mutation { signInWithEtherium(message: "${NONCE}", signature: "${SIGNATURE}") }` },
    ],
    ['a constraint', { query: '{ fail(how: "constraint") }' }],
    ['a bug', { query: '{ fail(how: "bug") }' }],
  ])('is a token, a signature, a nonce or a statement, after %s', async (_, { query: document }) => {
    await query(house.gateway.port, document, {
      headers: { authorization: `Bearer ${TOKEN}`, cookie: `session=${TOKEN}` },
      variables: { m: `Sign in.\n\nNonce: ${NONCE}`, s: SIGNATURE },
    });
    await query(house.gateway.port, document, { headers: { authorization: `Bearer x${TOKEN}` } });
    await ask(house.gateway.port, { method: 'GET', path: `/graphql?query={hello}&access_token=${TOKEN}` });
    await lines(3);
    const all = house.lines.join('');
    for (const secret of [
      TOKEN,
      ...TOKEN.split('.'),
      SIGNATURE,
      SIGNATURE.slice(2, 40),
      NONCE,
      'secret_column',
      'Sign in.',
    ]) {
      expect(all).not.toContain(secret);
    }
  });

  it('is anything that stands under the name of a secret', () => {
    const written: string[] = [];
    const log = createLog('info', { write: (line) => void written.push(line) });
    log.info({ token: TOKEN, signIn: { signature: SIGNATURE, nonce: NONCE }, headers: { authorization: TOKEN } });
    expect(written.join('')).not.toMatch(new RegExp(`${TOKEN}|${SIGNATURE}|${NONCE}`));
  });
});

describe('a fault of ours', () => {
  it('is logged with its request id and where it happened', async () => {
    await query(house.gateway.port, '{ fail(how: "bug") }', { headers: { 'x-request-id': 'request-5' } });
    const [fault] = await lines(2);
    expect(fault).toMatchObject({
      level: 'error',
      requestId: 'request-5',
      code: 'INTERNAL',
      path: 'fail',
      err: { name: 'TypeError', message: 'cannot read [redacted] of undefined' },
    });
    expect(JSON.stringify(fault)).toMatch(/"at .*openHouse\.ts:\d+/);
  });

  it('is not what a caller has done wrong', async () => {
    await query(house.gateway.port, '{ fail(how: "known") }');
    expect(await lines(1)).toMatchObject([{ level: 'info' }]);
  });

  it.each([
    ['select * from x where a = 1', '[statement]'],
    ['relation missing: insert into "Wallet" values (1)', 'relation missing: [statement]'],
    ['/* enterMember */ select 1', '[statement]'],
    ['first line with values\nReason: not unique', 'Reason: not unique'],
    [`bad ${SIGNATURE}`, 'bad [redacted]'],
    [`bad ${TOKEN}.`, 'bad [redacted].'],
    ['bad postgres://tollhouse:pass@db/x', 'bad [redacted]'],
    ['no row 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b', 'no row 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b'],
    ['cannot read properties of undefined (reading "id")', 'cannot read properties of undefined (reading "id")'],
    ['violates unique constraint "wallet_address_key"', 'violates unique constraint "wallet_address_key"'],
  ])('that says %j is kept as %j', (message, kept) => {
    expect(describeFault(new Error(message)).message).toBe(kept);
  });

  it('is kept with its causes, as far as they go, and with no property but its code', () => {
    const circular = new Error('outer', { cause: new Error('inner') });
    Object.assign(circular.cause as Error, { cause: circular, code: '23505', detail: TOKEN, query: TOKEN });
    const kept = JSON.stringify(describeFault(circular));
    expect(kept).toContain('"code":"23505"');
    expect(kept).not.toContain(TOKEN);
    expect(kept.match(/"message"/g)).toHaveLength(5);
  });
});
