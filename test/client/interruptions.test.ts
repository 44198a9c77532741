import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readEvents } from '../../src/client/readEvents.ts';
import { createTollhouseClient, graphql } from '../../src/client/tollhouseClient.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { type Door, openDoor } from './door.ts';
import { codeOf, createStorage, enter, newWallet, WHO } from './visitor.ts';

let house: TestTollhouse;
/** Takes no access token of the first one, and every refresh token. */
let other: TestTollhouse;
let door: Door;
const unheard: unknown[] = [];
const hear = (reason: unknown): void => void unheard.push(reason);
beforeAll(async () => {
  house = await startTollhouse();
  other = await startTollhouse({ database: house.database });
});
afterAll(async () => {
  await other.stop();
  await house.stop();
});
beforeEach(async () => {
  unheard.length = 0;
  process.on('unhandledRejection', hear);
  door = await openDoor(house);
});
afterEach(async () => {
  vi.useRealTimers();
  await door.stop();
  process.off('unhandledRejection', hear);
});

const WATCH = graphql('subscription Watch { viewerChanged { role } }');

/** Sends to the gateway, where nothing says otherwise: an answer of one's own, or none. */
function withFaults(faultOf: (operation: string) => Response | 'away' | null): typeof fetch {
  return async (url, init) => {
    const fault = faultOf(JSON.parse(String(init?.body)).operationName);
    if (fault === 'away') throw new TypeError('fetch failed');
    return fault ?? fetch(url, init);
  };
}

function refuse(code: string, status: number, headers: Record<string, string> = {}): Response {
  const errors = [{ message: 'It was refused.', extensions: { code, retryable: code === 'RATE_LIMITED' } }];
  const body = JSON.stringify({ errors });
  return new Response(body, { status, headers: { 'content-type': 'application/json', ...headers } });
}

describe('whoever has stopped waiting', () => {
  it('leaves no failure behind that nobody hears, of a refresh or of a page that goes on', async () => {
    const storage = createStorage();
    const { client } = await enter({ url: door.url, storage, retries: 0 });
    const next = createTollhouseClient({ url: door.url, storage, retries: 0 });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 600_000 });
    for (const asking of [client, next]) {
      door.passed.length = 0;
      door.away = 2;
      const signal = AbortSignal.abort(new Error('too late'));
      await expect(asking.query(WHO, {}, { signal })).rejects.toThrow('too late');
      await vi.waitUntil(() => door.passed.length === 2, { timeout: 10_000 });
      // Behind the failure of what was asked last, and all that hears of it.
      expect(await codeOf(createTollhouseClient({ url: door.url, retries: 0 }).query(WHO))).toBe('OK');
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(unheard).toEqual([]);
  });
});

describe('a stream whose token is not taken', () => {
  it('goes on when the refresh finds no gateway for a while, and says so', async () => {
    const interruptions: string[] = [];
    let refusals = 0;
    let away = 0;
    const client = createTollhouseClient({
      url: door.url,
      wallet: newWallet(),
      fetch: withFaults((operation) => {
        if (operation !== 'RefreshSession') return null;
        if (away === 0) return null;
        away -= 1;
        refusals += 1;
        return 'away';
      }),
    });
    await client.signIn();
    const onInterruption = ({ code }: { code: string }): void => void interruptions.push(code);
    const stream = client.subscribe(WATCH, {}, { onInterruption });
    await stream.next();
    door.moveTo(other.url);
    // Each refresh is tried twice.
    away = 6;
    door.cut();
    expect((await stream.next()).done).toBe(false);
    expect(refusals).toBe(6);
    expect(interruptions).toEqual(['NETWORK_FAILED', 'NETWORK_FAILED', 'NETWORK_FAILED', 'NETWORK_FAILED']);
    await stream.return?.();
  });

  it('ends when fresh tokens are not taken either', async () => {
    const { url } = house;
    const wallet = newWallet();
    const client = createTollhouseClient({
      url,
      wallet,
      fetch: withFaults((operation) => (operation === 'Watch' ? refuse('UNAUTHENTICATED', 401) : null)),
    });
    await client.signIn();
    expect(await codeOf(client.subscribe(WATCH).next())).toBe('UNAUTHENTICATED');
  });
});

describe('a refresh', () => {
  it.each([
    { seconds: 1, asked: 2, code: 'OK' },
    { seconds: 5, asked: 1, code: 'RATE_LIMITED' },
  ])('that is to wait $seconds s is asked $asked times', async ({ seconds, asked, code }) => {
    let refreshes = 0;
    const client = createTollhouseClient({
      url: house.url,
      wallet: newWallet(),
      retries: 0,
      fetch: withFaults((operation) => {
        if (operation !== 'RefreshSession') return null;
        refreshes += 1;
        return refreshes === 1 ? refuse('RATE_LIMITED', 429, { 'retry-after': String(seconds) }) : null;
      }),
    });
    const session = await client.signIn();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 600_000 });
    expect(await codeOf(client.query(WHO))).toBe(code);
    expect(refreshes).toBe(asked);
    expect(client.session).toEqual(session);
    expect((await client.query(WHO)).viewer?.user.id).toBe(session.user.id);
  });
});

describe('an event', () => {
  it('that has no end is given up, and its stream with it', async () => {
    let isLeft = false;
    let left = 30;
    const piece = new TextEncoder().encode('x'.repeat(1_000_000));
    const body = new ReadableStream<Uint8Array>({
      pull: (out) => {
        left -= 1;
        if (left < 0) out.close();
        else out.enqueue(piece);
      },
      cancel: () => {
        isLeft = true;
      },
    });
    await expect(readEvents(body).next()).rejects.toMatchObject({ code: 'ANSWER_UNREADABLE', retryable: false });
    expect(isLeft).toBe(true);
  });

  it('may be long', async () => {
    const data = 'x'.repeat(5_000_000);
    const body = new Blob([`data: ${data}\n\n`]).stream();
    expect((await readEvents(body).next()).value).toEqual({ type: 'message', data });
  });
});
