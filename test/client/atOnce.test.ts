import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTollhouseClient } from '../../src/client/tollhouseClient.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { codeOf, createStorage, enter, found, newWallet, WHO } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

/** A `fetch` that holds back the answers of an operation until they are let go. */
function heldBack(operation: string): { fetch: typeof fetch; arrived: Promise<void>; letGo(): void } {
  let arrive = (): void => undefined;
  let letGo = (): void => undefined;
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const gone = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return {
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (!String(init?.body).includes(`"operationName":"${operation}"`)) return response;
      arrive();
      await gone;
      return response;
    },
    arrived,
    letGo,
  };
}

describe('whoever signs in while somebody signs out', () => {
  it('stays, here and for a new page, and who was there before is signed out', async () => {
    const storage = createStorage();
    const slow = heldBack('SignOut');
    const { client, session: before, heard } = await enter({ url: house.url, storage, fetch: slow.fetch });
    const left = client.signOut();
    await slow.arrived;
    const session = await client.signIn({ wallet: newWallet() });
    slow.letGo();
    expect(await codeOf(left)).toBe('OK');
    expect(session.user.id).not.toBe(before.user.id);
    expect(client.session).toEqual(session);
    expect(heard).toEqual([[session, 'signedIn']]);
    expect((await client.query(WHO)).viewer?.user.id).toBe(session.user.id);
    const next = createTollhouseClient({ url: house.url, storage });
    expect((await next.resume())?.user.id).toBe(session.user.id);
  });

  it('may sign out in turn, and leaves nothing behind', async () => {
    const storage = createStorage();
    const slow = heldBack('SignOut');
    const { client } = await enter({ url: house.url, storage, fetch: slow.fetch });
    const left = client.signOut();
    await slow.arrived;
    await client.signIn({ wallet: newWallet() });
    slow.letGo();
    await left;
    await client.signOut();
    expect(client.session).toBeNull();
    expect([...storage.kept]).toEqual([]);
    expect(await client.query(WHO)).toEqual({ viewer: null });
  });
});

describe('two switches at once', () => {
  it('leave the page and a new one in the same organization, and the other switch is told', async () => {
    const storage = createStorage();
    const { client } = await enter({ url: house.url, storage });
    const places = [await found(client, 'Xa'), await found(client, 'Yb')];
    // The first time a session is begun in each, and then gone back to.
    for (const _ of ['begun', 'gone back to']) {
      const codes = await Promise.all(places.map((place) => codeOf(client.switchOrganization(place))));
      expect(codes.sort()).toEqual(['OK', 'SESSION_CHANGED']);
      const { organization } = client.session ?? {};
      const next = createTollhouseClient({ url: house.url, storage });
      expect((await next.resume())?.organization).toEqual(organization);
      const { held } = JSON.parse([...storage.kept.values()].join('')) as { held: readonly unknown[] };
      expect(held).toHaveLength(3);
      const first = (await client.query(WHO)).viewer?.organization.id;
      expect(first).toBe(organization?.id);
      const home = held[0] as { organizationId: string };
      await client.switchOrganization(home.organizationId);
    }
  });

  it('that are begun while somebody signs in bring nobody back', async () => {
    const storage = createStorage();
    const slow = heldBack('SwitchOrganization');
    const { client } = await enter({ url: house.url, storage, fetch: slow.fetch });
    const switched = codeOf(client.switchOrganization(await found(client, 'Xa')));
    await slow.arrived;
    const session = await client.signIn({ wallet: newWallet() });
    slow.letGo();
    expect(await switched).toBe('SESSION_CHANGED');
    expect(client.session).toEqual(session);
    const { held } = JSON.parse([...storage.kept.values()].join('')) as { held: readonly { userId: string }[] };
    expect(held.map(({ userId }) => userId)).toEqual([session.user.id]);
    const next = createTollhouseClient({ url: house.url, storage });
    expect((await next.resume())?.user.id).toBe(session.user.id);
  });
});
