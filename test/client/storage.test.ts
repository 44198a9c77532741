import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTollhouseClient } from '../../src/client/tollhouseClient.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { type Door, openDoor } from './door.ts';
import { codeOf, createStorage, endElsewhere, enter, found, newWallet, outliveGrace, WHO } from './visitor.ts';

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
  elsewhere = false;
});
afterEach(() => door.stop());

let elsewhere = false;
/** Each call makes the access tokens of all clients behind the door worthless. */
function turn(): void {
  elsewhere = !elsewhere;
  door.moveTo(elsewhere ? other.url : house.url);
}

function countOf(operation: string): number {
  return door.passed.filter((one) => one.operation === operation).length;
}

describe('a storage', () => {
  it('lets the next page go on with the session', async () => {
    const storage = createStorage();
    const { session } = await enter({ url: door.url, storage });
    const page = createTollhouseClient({ url: door.url, storage });
    const heard: unknown[] = [];
    page.onSessionChange((...told) => heard.push(told));
    expect(await page.resume()).toEqual({ ...session, isNewUser: false });
    expect(heard).toEqual([[page.session, 'resumed']]);
    expect((await page.query(WHO)).viewer?.user.id).toBe(session.user.id);
  });

  it('is asked before the first request, once for all', async () => {
    const storage = createStorage();
    const { session } = await enter({ url: door.url, storage });
    const page = createTollhouseClient({ url: door.url, storage });
    door.passed.length = 0;
    const answers = await Promise.all([page.query(WHO), page.query(WHO), page.resume()]);
    expect(answers.slice(0, 2)).toEqual(
      Array(2).fill({ viewer: expect.objectContaining({ user: { id: session.user.id } }) }),
    );
    expect(countOf('RefreshSession')).toBe(1);
  });

  it('is told no access token, and nothing at all after signing out', async () => {
    const storage = createStorage();
    const { client, heard } = await enter({ url: door.url, storage });
    const text = JSON.stringify([...storage.kept]);
    const token = door.passed.length > 0 ? await lastToken(client) : '';
    expect(token.length).toBeGreaterThan(100);
    expect(text).toContain('th_rt_');
    expect(text).not.toContain(token);
    await client.signOut();
    expect(storage.kept.size).toBe(0);
    expect(heard).toEqual([[null, 'signedOut']]);
    expect(await createTollhouseClient({ url: door.url, storage }).resume()).toBeNull();
  });

  it.each([
    ['nothing', null],
    ['no JSON', 'th_rt_'],
    ['JSON of another shape', '[1]'],
    ['a number for the sessions', '{"current":"x","held":1}'],
    ['null', 'null'],
    ['a token of nobody', '{"current":"x","held":[{"family":"x","token":"x.1.y","root":"x"}]}'],
  ])('with %s in it has nobody’s session', async (_, text) => {
    const storage = createStorage();
    if (text !== null) storage.kept.set(`tollhouse ${door.url}`, text);
    const page = createTollhouseClient({ url: door.url, storage });
    expect(await page.resume()).toBeNull();
    expect(await page.query(WHO)).toEqual({ viewer: null });
  });

  it.each(['getItem', 'setItem', 'removeItem'] as const)('whose %s fails is done without', async (broken) => {
    const storage = createStorage();
    storage[broken] = () => {
      throw new Error('The person wants no traces.');
    };
    const { client, session } = await enter({ url: door.url, storage });
    for (let round = 0; round < 3; round += 1) {
      await outliveGrace(house);
      turn();
      expect((await client.query(WHO)).viewer?.user.id).toBe(session.user.id);
    }
    await client.signOut();
    expect(await client.query(WHO)).toEqual({ viewer: null });
  });

  it('whose session was ended elsewhere is emptied, and the page is nobody’s', async () => {
    const [storage, wallet] = [createStorage(), newWallet()];
    await enter({ url: door.url, storage, wallet });
    await endElsewhere(house.url, wallet);
    expect(await createTollhouseClient({ url: door.url, storage }).resume()).toBeNull();
    expect(storage.kept.size).toBe(0);
  });

  async function lastToken(client: { query: (document: typeof WHO) => Promise<unknown> }): Promise<string> {
    await client.query(WHO);
    return door.passed.at(-1)?.authorization?.replace('Bearer ', '') ?? '';
  }
});

describe('two tabs with one storage', () => {
  it('refresh by turns, and never with a token that the other has spent', async () => {
    const storage = createStorage();
    const { client: first, session, heard } = await enter({ url: door.url, storage });
    const second = createTollhouseClient({ url: door.url, storage });
    await second.resume();
    for (const tab of [first, second, second, first, second, first]) {
      await outliveGrace(house);
      turn();
      expect((await tab.query(WHO)).viewer?.user.id).toBe(session.user.id);
    }
    expect(heard).toEqual([]);
  });

  it('may refresh at one instant', async () => {
    const storage = createStorage();
    const { client: first, session } = await enter({ url: door.url, storage });
    const second = createTollhouseClient({ url: door.url, storage });
    await second.resume();
    for (let round = 0; round < 3; round += 1) {
      turn();
      const answers = await Promise.all([first.query(WHO), second.query(WHO)]);
      expect(answers.map(({ viewer }) => viewer?.user.id)).toEqual([session.user.id, session.user.id]);
    }
  });

  it('hear of each other’s signing out with the next request, once', async () => {
    const storage = createStorage();
    const { client: first } = await enter({ url: door.url, storage });
    const second = createTollhouseClient({ url: door.url, storage });
    await second.resume();
    const heard: unknown[] = [];
    second.onSessionChange((...told) => heard.push(told));
    await first.signOut();
    expect(await codeOf(second.query(WHO))).toBe('SESSION_ENDED');
    expect(heard).toEqual([[null, 'ended']]);
  });

  it('are both of who signed in last, once they refresh', async () => {
    const storage = createStorage();
    const { client: first, heard } = await enter({ url: door.url, storage });
    const { client: second, session } = await enter({ url: door.url, storage });
    turn();
    expect(await codeOf(first.query(WHO))).toBe('SESSION_ENDED');
    expect(heard).toEqual([[null, 'ended']]);
    expect((await second.query(WHO)).viewer?.user.id).toBe(session.user.id);
    expect(await first.resume()).toMatchObject({ user: session.user });
    await second.signOut();
    expect(storage.kept.size).toBe(0);
  });

  it('stay where they are when one of them switches', async () => {
    const storage = createStorage();
    const { client: first, session } = await enter({ url: door.url, storage });
    const second = createTollhouseClient({ url: door.url, storage });
    await second.resume();
    const organizationId = await found(first, 'Branch');
    await first.switchOrganization(organizationId);
    for (const tab of [second, first, second]) {
      await outliveGrace(house);
      turn();
      const place = tab === first ? organizationId : session.organization.id;
      expect((await tab.query(WHO)).viewer?.organization.id).toBe(place);
    }
    expect(await createTollhouseClient({ url: door.url, storage }).resume()).toMatchObject({
      organization: { id: organizationId },
    });
  });
});

describe('switching', () => {
  it('goes on in the other organization, and back in the session that was left there', async () => {
    const { client, session, heard } = await enter({ url: door.url });
    const organizationId = await found(client, 'Branch');
    const branch = await client.switchOrganization(organizationId);
    expect(branch).toMatchObject({ user: session.user, organization: { id: organizationId, name: 'Branch' } });
    expect((await client.query(WHO)).viewer?.organization.id).toBe(organizationId);
    expect((await client.switchOrganization(session.organization.id)).id).toBe(session.id);
    expect((await client.switchOrganization(organizationId)).id).toBe(branch.id);
    expect(countOf('SwitchOrganization')).toBe(1);
    expect(heard.map(([, reason]) => reason)).toEqual(['switched', 'switched', 'switched']);
  });

  it('to where one is already does nothing, and to where one is nobody is refused', async () => {
    const { client, session, heard } = await enter({ url: door.url });
    const stranger = await enter({ url: door.url });
    expect(await client.switchOrganization(session.organization.id)).toBe(session);
    expect(await codeOf(client.switchOrganization(stranger.session.organization.id))).toBe('ORGANIZATION_NOT_JOINED');
    expect(await codeOf(client.switchOrganization('nonsense'))).toBe('ORGANIZATION_NOT_JOINED');
    expect(client.session).toBe(session);
    expect(heard).toEqual([]);
    const nobody = createTollhouseClient({ url: door.url });
    expect(await codeOf(nobody.switchOrganization(session.organization.id))).toBe('NOT_SIGNED_IN');
  });

  it('ends with the sign-in that it came from', async () => {
    const storage = createStorage();
    const { client, session } = await enter({ url: door.url, storage });
    await client.switchOrganization(await found(client, 'Branch'));
    await client.signOut();
    expect(storage.kept.size).toBe(0);
    expect(await codeOf(client.switchOrganization(session.organization.id))).toBe('NOT_SIGNED_IN');
  });

  it.each<[string, () => void]>([
    ['the gateway was away', () => (door.away = 1)],
    ['its token has ended', turn],
  ])('never repeats in one organization what was asked for in another, where %s', async (_, befall) => {
    const storage = createStorage();
    const { client } = await enter({ url: door.url, storage });
    const organizationId = await found(client, 'Branch');
    const slow = createTollhouseClient({
      url: door.url,
      storage,
      fetch: async (...asked) => {
        if (String(asked[1]?.body).includes('query Who {')) {
          await slow.switchOrganization(organizationId);
          befall();
        }
        return fetch(...asked);
      },
    });
    await slow.resume();
    expect(await codeOf(slow.query(WHO))).toBe('SESSION_CHANGED');
    expect(slow.session?.organization.id).toBe(organizationId);
  });
});

describe('signing out', () => {
  it('forgets the session even when the gateway cannot be told, and says so', async () => {
    const storage = createStorage();
    const { client, heard } = await enter({ url: door.url, storage });
    await door.stop();
    await expect(client.signOut()).rejects.toMatchObject({ code: 'NETWORK_FAILED', retryable: false });
    expect(client.session).toBeNull();
    expect(storage.kept.size).toBe(0);
    expect(heard).toEqual([[null, 'signedOut']]);
    door = await openDoor(house);
  });

  it('of what is over already is no failure', async () => {
    const wallet = newWallet();
    const { client, heard } = await enter({ url: door.url, wallet });
    await endElsewhere(house.url, wallet);
    await client.signOut();
    await client.signOut();
    expect(client.session).toBeNull();
    expect(heard).toEqual([[null, 'ended']]);
  });
});
