import { parse } from 'graphql';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTollhouseClient, graphql, TollhouseError } from '../../src/client/tollhouseClient.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { type Door, openDoor } from './door.ts';
import { codeOf, enter, RENAME, WHO } from './visitor.ts';

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

const names = (): string[] => door.passed.map(({ operation }) => operation);
const PROFILE = graphql(
  'mutation Profile($name: String!) { updateProfile(input: { displayName: $name }) { profile { displayName } } }',
);
const FOUND = graphql(
  'mutation Found { createOrganization(input: { name: "Branch" }) { replayed organization { id } } }',
);
const UNKNOWN = parse('{ nothing }');

describe('a query', () => {
  it('is asked again when the gateway was away or its answer was lost', async () => {
    const { client, session } = await enter({ url: door.url });
    door.passed.length = 0;
    door.away = 1;
    door.losing.push('Who');
    expect((await client.query(WHO)).viewer?.user.id).toBe(session.user.id);
    expect(names()).toEqual(['Who', 'Who', 'Who']);
  });

  it('is asked three times at most, or as often as it was said', async () => {
    for (const [retries, times] of [
      [undefined, 3],
      [0, 1],
      [1, 2],
    ] as const) {
      door.passed.length = 0;
      door.away = 10;
      const client = createTollhouseClient({ url: door.url, retries });
      await expect(client.query(WHO)).rejects.toMatchObject({
        code: 'ANSWER_UNREADABLE',
        status: 503,
        retryable: true,
      });
      expect(names()).toHaveLength(times);
    }
  });

  it('that cannot succeed is asked once', async () => {
    const client = createTollhouseClient({ url: door.url });
    const asked = client.query(UNKNOWN);
    await expect(asked).rejects.toBeInstanceOf(TollhouseError);
    await expect(asked).rejects.toMatchObject({ code: 'GRAPHQL_VALIDATION_FAILED', retryable: false, status: 400 });
    expect(names()).toHaveLength(1);
  });

  it('waits no longer when it is aborted, and says with what', async () => {
    door.away = 10;
    const leaving = new AbortController();
    const client = createTollhouseClient({ url: door.url, retries: 10 });
    const asked = client.query(WHO, {}, { signal: leaving.signal });
    leaving.abort();
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
    const before = AbortSignal.abort(new Error('too late'));
    await expect(client.query(WHO, {}, { signal: before })).rejects.toThrow('too late');
  });

  it('is answered null for what is nobody’s, which is no failure', async () => {
    const { client, session } = await enter({ url: door.url });
    const document = graphql('query Two { viewer { user { id } } node(id: "x") { id } }');
    const asked = await client.query(document);
    expect(asked).toEqual({ viewer: { user: { id: session.user.id } }, node: null });
  });
});

describe('a mutation', () => {
  it('whose answer was lost is repeated with its key, and done once', async () => {
    const { client } = await enter({ url: door.url });
    door.passed.length = 0;
    door.losing.push('Found');
    const { createOrganization } = await client.mutate(FOUND);
    expect(createOrganization.replayed).toBe(true);
    expect(names()).toEqual(['Found', 'Found']);
    expect(new Set(door.passed.map(({ key }) => key)).size).toBe(1);
    const { viewer } = await client.query(graphql('{ viewer { memberships { organization { name } } } }'));
    expect(viewer?.memberships.filter(({ organization }) => organization.name === 'Branch')).toHaveLength(1);
  });

  it('has a key of its own each time, unless it is given one', async () => {
    const { client } = await enter({ url: door.url });
    const first = await client.mutate(FOUND);
    const second = await client.mutate(FOUND);
    expect(second.createOrganization.organization).not.toEqual(first.createOrganization.organization);
    const idempotencyKey = 'order-4711-of-the-customer';
    const third = await client.mutate(FOUND, {}, { idempotencyKey });
    const again = await client.mutate(FOUND, {}, { idempotencyKey });
    expect([third, again].map(({ createOrganization }) => createOrganization.replayed)).toEqual([false, true]);
    expect(again.createOrganization.organization).toEqual(third.createOrganization.organization);
  });

  it('with a key that was used for something else is refused', async () => {
    const { client } = await enter({ url: door.url });
    const idempotencyKey = 'once-for-the-name-of-the-bakery';
    await client.mutate(RENAME, { name: 'Bakery' }, { idempotencyKey });
    expect(await codeOf(client.mutate(RENAME, { name: 'Butcher' }, { idempotencyKey }))).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(await codeOf(client.mutate(RENAME, { name: 'Bakery' }, { idempotencyKey: 'short' }))).toBe('BAD_USER_INPUT');
    expect((await client.query(WHO)).viewer?.organization.name).toBe('Bakery');
  });

  it('that no key guards is never repeated when nobody knows whether it was done', async () => {
    const { client } = await enter({ url: door.url });
    door.passed.length = 0;
    door.losing.push('Profile');
    await expect(client.mutate(PROFILE, { name: 'Baker' })).rejects.toMatchObject({
      code: 'NETWORK_FAILED',
      retryable: false,
    });
    door.away = 1;
    await expect(client.mutate(PROFILE, { name: 'Baker' })).rejects.toMatchObject({
      code: 'ANSWER_UNREADABLE',
      retryable: false,
    });
    expect(names()).toEqual(['Profile', 'Profile']);
    const { updateProfile } = await client.mutate(PROFILE, { name: 'Baker' });
    expect(updateProfile.profile.displayName).toBe('Baker');
  });

  it('goes where it is asked for as such alone', async () => {
    const client = createTollhouseClient({ url: door.url });
    await expect(client.query(FOUND)).rejects.toThrow('This is a mutation, and no query.');
    await expect(client.mutate(WHO)).rejects.toThrow('This is a query, and no mutation.');
    await expect(client.query(parse('{ a } query B { b }'))).rejects.toThrow('exactly one operation');
    expect(names()).toEqual([]);
  });
});

describe('an answer that asks for patience', () => {
  it('is waited for when that is short, and told when it is long', async () => {
    const strict = await startTollhouse({
      settings: { TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0', LIMIT_CHALLENGES_PER_MINUTE: '1' },
    });
    try {
      const { client } = await enter({ url: strict.url });
      await expect(client.signIn()).rejects.toMatchObject({
        code: 'RATE_LIMITED',
        retryable: true,
        status: 429,
        retryAfter: expect.any(Number),
      });
    } finally {
      await strict.stop();
    }
  });
});

describe('an API key', () => {
  it('says who asks, in place of a session', async () => {
    const { client, session } = await enter({ url: door.url });
    const CREATE = graphql(`
      mutation Create { createApiKey(input: { kind: INTEGRATION, name: "Till", scopes: ["organization:read"] }) { key } }
    `);
    const { createApiKey } = await client.mutate(CREATE);
    const keyed = createTollhouseClient({ url: door.url, apiKey: createApiKey.key ?? '' });
    const { organization } = await keyed.query(graphql('{ organization { id } }'));
    expect(organization?.id).toBe(session.organization.id);
    const wrong = createTollhouseClient({ url: door.url, apiKey: `${createApiKey.key}x` });
    door.passed.length = 0;
    expect(await codeOf(wrong.query(graphql('{ organization { id } }')))).toBe('API_KEY_REFUSED');
    expect(names()).toHaveLength(1);
    expect(() => createTollhouseClient({ url: door.url, apiKey: 'x', credentials: 'cookie' })).toThrow(TypeError);
  });
});
