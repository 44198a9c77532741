import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTollhouseClient, graphql } from '../../src/client/tollhouseClient.ts';
import { createFetcher } from '../../src/playground/fetcher.ts';
import { signIn } from '../support/person.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { type Door, openDoor } from './door.ts';
import { enter, WHO } from './visitor.ts';

let house: TestTollhouse;
let door: Door;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());
beforeEach(async () => {
  door = await openDoor(house);
});
afterEach(() => door.stop());

const WATCH = graphql('subscription Watch { viewerChanged { user { id } } }');
const RENAME_PLAINLY = 'mutation Rename { updateOrganization(input: { name: "Bakery" }) { replayed } }';

describe('headers of one’s own', () => {
  it('are the same header however they are written', async () => {
    const person = await signIn(house);
    const headers = { Authorization: `Bearer ${person.accessToken}`, 'Content-Type': 'application/json' };
    const client = createTollhouseClient({ url: house.url, headers });
    const { viewer } = await client.query(WHO);
    expect(viewer?.user.id).toBeDefined();
    for await (const { viewerChanged } of client.subscribe(WATCH)) {
      expect(viewerChanged.user.id).toBe(viewer?.user.id);
      break;
    }
  });

  it('do not change how requests are written and answers are read', async () => {
    const headers = { 'Content-Type': 'text/plain', ACCEPT: 'text/html' };
    const { client, session } = await enter({ url: house.url, headers });
    for await (const { viewerChanged } of client.subscribe(WATCH)) {
      expect(viewerChanged.user.id).toBe(session.user.id);
      break;
    }
  });

  it('do not give one key to all mutations', async () => {
    const { client } = await enter({ url: door.url, headers: { 'Idempotency-Key': 'one-key-for-everything' } });
    door.passed.length = 0;
    const FOUND = graphql('mutation Found { createOrganization(input: { name: "Branch" }) { replayed } }');
    const [first, second] = [await client.mutate(FOUND), await client.mutate(FOUND)];
    expect([first, second].map(({ createOrganization }) => createOrganization.replayed)).toEqual([false, false]);
    expect(new Set(door.passed.map(({ key }) => key)).size).toBe(2);
  });
});

describe('the headers of the playground', () => {
  it('say who asks, as they are usually written there', async () => {
    const { client } = await enter({ url: house.url });
    const person = await signIn(house);
    const headers = { Authorization: `Bearer ${person.accessToken}`, 'Content-Type': 'application/json' };
    const answer = await createFetcher(house.url, client)({ query: '{ viewer { role } }' }, { headers });
    expect(answer).toEqual({ data: { viewer: { role: 'OWNER' } } });
  });

  it('name a deed once', async () => {
    const { client } = await enter({ url: door.url });
    const person = await signIn(house);
    const key = 'a-key-that-is-written-once';
    const headers = { Authorization: `Bearer ${person.accessToken}`, 'Idempotency-Key': key };
    const answer = await createFetcher(door.url, client)({ query: RENAME_PLAINLY }, { headers });
    expect(answer).toEqual({ data: { updateOrganization: { replayed: false } } });
    expect(door.passed.at(-1)).toMatchObject({ operation: 'Rename', key });
  });

  it('go with what is no operation, too', async () => {
    const { client } = await enter({ url: house.url });
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
    const answer = await createFetcher(house.url, client)({ query: 'query Broken {' }, { headers });
    expect(answer).toMatchObject({ errors: [{ extensions: { code: 'GRAPHQL_PARSE_FAILED' } }] });
  });
});
