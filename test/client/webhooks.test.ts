import { createHmac, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type VerifiedWebhook, verifyWebhook } from '../../src/client/tollhouseClient.ts';

afterEach(() => void vi.useRealTimers());

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const OTHER = `whsec_${randomBytes(32).toString('base64')}`;
const ID = 'evt_01JDQ2';
const PAYLOAD = { type: 'payment-order.paid', data: { amount: '12.50', note: 'Crème brûlée — 東京' } };
const BODY = JSON.stringify(PAYLOAD);

function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** As anybody's implementation of Standard Webhooks signs it. */
function sign(secret: string, { id = ID, at = now(), body = BODY } = {}): string {
  return new Webhook(secret).sign(id, new Date(at * 1000), body);
}

/** The bytes may be no text at all, which that library cannot sign. */
function signBytes(body: Uint8Array, secret = SECRET): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${ID}.${now()}.`).update(body).digest('base64')}`;
}

function headersOf(signature: string, { id = ID, at = String(now()) } = {}): Record<string, string> {
  return { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature };
}

/** Why it is refused; `OK` when it is not. */
function reasonOf(work: Promise<VerifiedWebhook>): Promise<unknown> {
  return work.then(
    () => 'OK',
    (error: { code?: string; facts?: { reason?: string } }) =>
      error.code === 'WEBHOOK_INVALID' ? error.facts?.reason : error,
  );
}

describe('a webhook of Standard Webhooks', () => {
  it.each<[string, string | Uint8Array | ArrayBuffer]>([
    ['text', BODY],
    ['bytes', Buffer.from(BODY)],
    ['an ArrayBuffer', Uint8Array.from(Buffer.from(BODY)).buffer],
  ])('is taken with its body as %s', async (_, body) => {
    const verified = await verifyWebhook({ secret: SECRET, headers: headersOf(sign(SECRET)), body });
    expect(verified).toEqual({ id: ID, sentAt: expect.any(Date), payload: PAYLOAD });
    expect(Math.abs(verified.sentAt.getTime() - Date.now())).toBeLessThan(60_000);
  });

  it('is taken with headers in each shape that servers have them in', async () => {
    const plain = headersOf(sign(SECRET));
    const loud = Object.fromEntries(Object.entries(plain).map(([name, value]) => [name.toUpperCase(), value]));
    for (const headers of [plain, loud, new Headers(plain)]) {
      expect(await reasonOf(verifyWebhook({ secret: SECRET, headers, body: BODY }))).toBe('OK');
    }
  });

  it('is taken from a request of Node’s own server', async () => {
    const server = createServer(async (request, response) => {
      const body = await buffer(request);
      const said = await reasonOf(verifyWebhook({ secret: SECRET, headers: request.headers, body }));
      response.end(String(said));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const answer = await fetch(url, { method: 'POST', headers: headersOf(sign(SECRET)), body: BODY });
    expect(await answer.text()).toBe('OK');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is taken with any of several secrets and any of several signatures, while they change', async () => {
    const both = `${sign(OTHER)} ${sign(SECRET)}`;
    const cases: [string | string[], string][] = [
      [[OTHER, SECRET], sign(SECRET)],
      [SECRET, both],
      [OTHER, both],
      [SECRET, `v1a,AAAA v2,BBBB ${sign(SECRET)}`],
    ];
    for (const [secret, signature] of cases) {
      expect(await reasonOf(verifyWebhook({ secret, headers: headersOf(signature), body: BODY }))).toBe('OK');
    }
    const unknown = `whsec_${randomBytes(32).toString('base64')}`;
    expect(await reasonOf(verifyWebhook({ secret: unknown, headers: headersOf(both), body: BODY }))).toBe(
      'no signature fits',
    );
  });

  it('is taken for five minutes around its time, and not beyond', async () => {
    const at = now();
    const headers = headersOf(sign(SECRET, { at }), { at: String(at) });
    const said: unknown[] = [];
    for (const seconds of [-301, -300, 0, 300, 301]) {
      vi.useFakeTimers({ toFake: ['Date'], now: (at + seconds) * 1000 });
      said.push(await reasonOf(verifyWebhook({ secret: SECRET, headers, body: BODY })));
    }
    expect(said).toEqual(['the time is too far away', 'OK', 'OK', 'OK', 'the time is too far away']);
  });
});

describe('what is refused', () => {
  const good = (): string => sign(SECRET);
  const withHeaders = (change: Record<string, unknown>): Promise<unknown> => {
    const headers = { ...headersOf(good()), ...change } as Record<string, string>;
    return reasonOf(verifyWebhook({ secret: SECRET, headers, body: BODY }));
  };

  it.each<[string, Record<string, unknown>, string]>([
    ['no id', { 'webhook-id': undefined }, 'a header is missing'],
    ['an empty id', { 'webhook-id': '' }, 'a header is missing'],
    ['another id', { 'webhook-id': 'evt_other' }, 'no signature fits'],
    ['an id that runs into the time', { 'webhook-id': `${ID}.1` }, 'the id has a point'],
    ['no time', { 'webhook-timestamp': undefined }, 'a header is missing'],
    ['a time with something behind it', { 'webhook-timestamp': `${now()}abc` }, 'the time is none'],
    ['a time before all times', { 'webhook-timestamp': '-1' }, 'the time is none'],
    ['a time with a fraction', { 'webhook-timestamp': `${now()}.0` }, 'the time is none'],
    ['a time in hexadecimal', { 'webhook-timestamp': `0x${now().toString(16)}` }, 'the time is none'],
    ['a time that is no number', { 'webhook-timestamp': 'NaN' }, 'the time is none'],
    ['a time beyond all clocks', { 'webhook-timestamp': '9'.repeat(400) }, 'the time is none'],
    ['a later time', { 'webhook-timestamp': String(now() + 120) }, 'no signature fits'],
    ['no signature', { 'webhook-signature': undefined }, 'a header is missing'],
    ['an empty signature', { 'webhook-signature': ' ' }, 'no signature fits'],
    ['a version without a signature', { 'webhook-signature': 'v1' }, 'no signature fits'],
    ['a version with an empty one', { 'webhook-signature': 'v1,' }, 'no signature fits'],
    ['another version', { 'webhook-signature': good().replace('v1,', 'v1a,') }, 'no signature fits'],
    ['no version', { 'webhook-signature': good().slice(3) }, 'no signature fits'],
    ['half a signature', { 'webhook-signature': good().slice(0, 20) }, 'no signature fits'],
    ['a longer signature', { 'webhook-signature': `${good().slice(0, -1)}AAAA` }, 'no signature fits'],
    ['no base64', { 'webhook-signature': 'v1,%%%' }, 'no signature fits'],
    ['another key’s signature', { 'webhook-signature': sign(OTHER) }, 'no signature fits'],
    ['a header that came twice', { 'Webhook-Id': ID }, 'a header is missing'],
    ['a header of two values', { 'webhook-id': [ID, ID] }, 'a header is missing'],
  ])('is %s', async (_, change, reason) => {
    expect(await withHeaders(change)).toBe(reason);
  });

  it('is a thousand signatures, of which the last one would fit', async () => {
    const signature = `${Array(1_000).fill(sign(OTHER)).join(' ')} ${good()}`;
    expect(await withHeaders({ 'webhook-signature': signature })).toBe('no signature fits');
  });

  it.each<[string, string | Uint8Array]>([
    ['one more space', `${BODY} `],
    ['one less byte', BODY.slice(0, -1)],
    ['the same JSON, written again', JSON.stringify({ data: PAYLOAD.data, type: PAYLOAD.type })],
    ['nothing', ''],
    ['a byte order mark in front', `\uFEFF${BODY}`],
    ['letters composed otherwise', BODY.normalize('NFD')],
  ])('is a body with %s', async (_, body) => {
    expect(await reasonOf(verifyWebhook({ secret: SECRET, headers: headersOf(good()), body }))).toBe(
      'no signature fits',
    );
  });

  it('is what is signed and no JSON, or no text', async () => {
    const bodies = ['', 'paid', '{"type":', Buffer.from([0xff, 0xfe, 0x7b]), Buffer.from('{"a":"\xc3"}', 'latin1')];
    for (const body of bodies.map((one) => Buffer.from(one))) {
      const headers = headersOf(signBytes(body));
      expect(await reasonOf(verifyWebhook({ secret: SECRET, headers, body }))).toBe('the body is no JSON');
    }
    const broken = Buffer.from([0x22, 0xff, 0x22]);
    const replaced = Buffer.from(broken.toString());
    expect(
      await reasonOf(verifyWebhook({ secret: SECRET, headers: headersOf(signBytes(replaced)), body: broken })),
    ).toBe('no signature fits');
  });

  it.each<[string, unknown]>([
    ['a body that was parsed', PAYLOAD],
    ['no body', undefined],
    ['a stream', new Blob([BODY]).stream()],
  ])('is %s, which is a fault of the caller’s', async (_, body) => {
    const asked = verifyWebhook({ secret: SECRET, headers: headersOf(good()), body: body as string });
    await expect(asked).rejects.toBeInstanceOf(TypeError);
  });

  it.each<[string, string | string[]]>([
    ['none', ''],
    ['an empty list', []],
    ['a mark alone', 'whsec_'],
    ['a short one', 'whsec_AAAA'],
    ['no base64', 'whsec_not a secret at all'],
    ['one good and one that is none', [SECRET, '']],
  ])('is whatever comes when the secret is %s, which is a fault of the caller’s', async (_, secret) => {
    const asked = verifyWebhook({ secret, headers: headersOf(good()), body: BODY });
    await expect(asked).rejects.toBeInstanceOf(TypeError);
  });
});
