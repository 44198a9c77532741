import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { graphql, type TollhouseError } from '../../src/client/tollhouseClient.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { type Door, openDoor } from './door.ts';
import { codeOf, endElsewhere, enter, found, newWallet, RENAME } from './visitor.ts';

let house: TestTollhouse;
/** Takes no access token of the first one, and every refresh token. */
let other: TestTollhouse;
let door: Door;
beforeAll(async () => {
  house = await startTollhouse();
  other = await startTollhouse({ database: house.database });
});
afterAll(async () => {
  await other.stop();
  await house.stop();
});
beforeEach(async () => {
  door = await openDoor(house);
});
afterEach(() => door.stop());

const WATCH = graphql('subscription Watch { viewerChanged { organization { name } } }');
const FOLLOW = graphql(
  'subscription Follow($after: String) { events(after: $after, types: ["organization.updated"]) { cursor } }',
);
const LOG = graphql('{ organization { events(first: 100) { edges { cursor node { type } } } } }');
const CHECKOUT = graphql('subscription Checkout($token: String!) { checkoutOrderChanged(token: $token) { status } }');

/** Takes so many answers and leaves. */
async function take<Result>(stream: AsyncIterable<Result>, count: number): Promise<Result[]> {
  const taken: Result[] = [];
  for await (const answer of stream) {
    taken.push(answer);
    if (taken.length === count) break;
  }
  return taken;
}

function countOf(operation: string): number {
  return door.passed.filter((one) => one.operation === operation).length;
}

describe('a subscription', () => {
  it('says how things stand, and what changes, and ends when the loop is left', async () => {
    const { client, session } = await enter({ url: door.url });
    const names: string[] = [];
    for await (const { viewerChanged } of client.subscribe(WATCH)) {
      names.push(viewerChanged.organization.name);
      if (names.length === 1) await client.mutate(RENAME, { name: 'Bakery' });
      else break;
    }
    expect(names).toEqual([session.organization.name, 'Bakery']);
    expect(countOf('Watch')).toBe(1);
  });

  it('is opened again when the connection breaks, and says so', async () => {
    const { client } = await enter({ url: door.url });
    const interruptions: TollhouseError[] = [];
    const stream = client.subscribe(WATCH, {}, { onInterruption: (error) => interruptions.push(error) });
    await stream.next();
    door.cut();
    door.away = 1;
    expect((await stream.next()).done).toBe(false);
    expect(interruptions.map(({ code }) => code)).toEqual(['NETWORK_FAILED', 'ANSWER_UNREADABLE']);
    expect(countOf('Watch')).toBe(3);
    await stream.return?.();
  });

  it('to facts goes on behind the last one, and misses none', async () => {
    const { client } = await enter({ url: door.url });
    const stream = client.subscribe(FOLLOW);
    const cursors: string[] = [];
    const next = stream.next();
    await untilPassed('Follow', 1);
    await client.mutate(RENAME, { name: 'First' });
    cursors.push(cursorOf(await next));
    door.cut();
    for (const name of ['Second', 'Third']) await client.mutate(RENAME, { name });
    cursors.push(cursorOf(await stream.next()));
    door.cut();
    cursors.push(cursorOf(await stream.next()));
    await stream.return?.();
    const { organization } = await client.query(LOG);
    const all = organization?.events.edges.filter(({ node }) => node.type === 'organization.updated');
    expect(cursors).toEqual(all?.map(({ cursor }) => cursor));
    expect(cursors).toHaveLength(3);
  });

  it('goes on with a fresh token where the gateway does not take the old one', async () => {
    const { client, heard } = await enter({ url: door.url });
    const stream = client.subscribe(WATCH);
    await stream.next();
    door.moveTo(other.url);
    door.cut();
    expect((await stream.next()).done).toBe(false);
    expect(countOf('RefreshSession')).toBe(1);
    expect(heard).toEqual([]);
    await stream.return?.();
  });

  it('ends with the session, however that ends', async () => {
    const wallet = newWallet();
    const { client, heard } = await enter({ url: door.url, wallet });
    const stream = client.subscribe(WATCH);
    await stream.next();
    const next = codeOf(stream.next());
    await endElsewhere(house.url, wallet);
    expect(await next).toBe('SESSION_ENDED');
    expect(heard).toEqual([[null, 'ended']]);
    expect(await stream.next()).toEqual({ done: true, value: undefined });

    await client.signIn();
    const organizationId = await found(client, 'Branch');
    const [first, second] = [client.subscribe(WATCH), client.subscribe(WATCH)];
    await Promise.all([first.next(), second.next()]);
    const waiting = codeOf(first.next());
    await client.switchOrganization(organizationId);
    expect([await waiting, await codeOf(second.next())]).toEqual(['SESSION_CHANGED', 'SESSION_CHANGED']);
    const third = client.subscribe(WATCH);
    await third.next();
    await client.signOut();
    expect(await codeOf(third.next())).toBe('SESSION_ENDED');
  });

  it('that nobody may have is refused, once', async () => {
    const { client } = await enter({ url: door.url });
    await client.signOut();
    const interruptions: unknown[] = [];
    const stream = client.subscribe(WATCH, {}, { onInterruption: (error) => interruptions.push(error) });
    expect(await codeOf(stream.next())).toBe('UNAUTHENTICATED');
    expect(interruptions).toEqual([]);
    expect(countOf('Watch')).toBe(1);
  });

  it('that says it is complete is over', async () => {
    const { client } = await enter({ url: door.url });
    await client.signOut();
    expect(await take(client.subscribe(CHECKOUT, { token: 'nobody-has-this-token' }), 9)).toEqual([
      { checkoutOrderChanged: null },
    ]);
    expect(countOf('Checkout')).toBe(1);
  });

  it('ends with the reason when it is aborted, and without one when it is left', async () => {
    const { client } = await enter({ url: door.url });
    const leaving = new AbortController();
    const stream = client.subscribe(WATCH, {}, { signal: leaving.signal });
    await stream.next();
    const next = stream.next();
    leaving.abort(new Error('the page was left'));
    await expect(next).rejects.toThrow('the page was left');

    const quiet = client.subscribe(WATCH);
    await quiet.next();
    const waiting = quiet.next();
    await quiet.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await quiet.next()).toEqual({ done: true, value: undefined });
    const early = client.subscribe(WATCH, {}, { signal: AbortSignal.abort(new Error('too late')) });
    await expect(early.next()).rejects.toThrow('too late');
  });
});

function cursorOf({ value }: IteratorResult<{ events: { cursor: string } }>): string {
  return value.events.cursor;
}

async function untilPassed(operation: string, count: number): Promise<void> {
  while (countOf(operation) < count) await new Promise((resolve) => setTimeout(resolve, 20));
}
