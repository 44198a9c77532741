import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { codeOf, enterHouse, newWallet, present, refresh, type SignedIn, sessionIdOf, sql } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

const FIELDS = `id createdAt expiresAt endedAt lastRefreshedAt clientAddress userAgent isCurrent
  wallet { address } organization { id }`;

interface Listed {
  readonly id: string;
  readonly isCurrent: boolean;
  readonly lastRefreshedAt: string | null;
}

function ask<Data = Record<string, unknown>>({ accessToken }: SignedIn, query: string, variables = {}) {
  return house.ask<Data>(query, variables, { token: accessToken });
}

async function listFor(person: SignedIn, page = ''): Promise<Listed[]> {
  const { data, errors } = await ask<{ viewer: { sessions: { edges: { node: Listed }[] } } }>(
    person,
    `{ viewer { sessions${page} { edges { node { ${FIELDS} } } } } }`,
  );
  expect(errors).toEqual([]);
  return data?.viewer.sessions.edges.map(({ node }) => node) ?? [];
}

const idOf = (person: SignedIn): string => encodeGlobalId('Session', sessionIdOf(person));

async function end(person: SignedIn, id: string, idempotencyKey?: string) {
  const document = 'mutation ($input: EndSessionInput!) { endSession(input: $input) { ended replayed } }';
  const answer = await ask(person, document, { input: { id, ...(idempotencyKey && { idempotencyKey }) } });
  return answer.data?.endSession ?? codeOf(answer);
}

async function aliveOf(people: readonly SignedIn[]): Promise<boolean[]> {
  return Promise.all(people.map(async (person) => codeOf(await ask(person, '{ viewer { role } }')) === 'OK'));
}

describe('the list of sessions', () => {
  it('shows what is known of each, the newest first, and which one asks', async () => {
    const wallet = newWallet();
    const first = await enterHouse(house, wallet);
    const { signedIn: second } = await present(house, {}, { wallet, headers: { 'user-agent': 'Browser/1.0' } });
    if (!second) throw new Error('Signing in failed.');
    const listed = await listFor(first);
    expect(listed).toMatchObject([
      { id: idOf(second), isCurrent: false, userAgent: 'Browser/1.0', lastRefreshedAt: null, endedAt: null },
      { id: idOf(first), isCurrent: true, wallet: { address: wallet.address }, clientAddress: '127.0.0.1' },
    ]);
    for (const session of listed) expect(session).toMatchObject({ organization: first.viewer.organization });
    const asked = await ask(second, `{ viewer { session { ${FIELDS} } } }`);
    expect(asked.data).toEqual({ viewer: { session: { ...listed[0], isCurrent: true } } });
  });

  it('says when a session was refreshed last', async () => {
    const person = await enterHouse(house);
    await refresh(house, person.refreshToken);
    const [session] = await listFor(person);
    expect(Date.parse(session?.lastRefreshedAt ?? '')).not.toBeNaN();
  });

  it('comes in pages', async () => {
    const wallet = newWallet();
    const people = [await enterHouse(house, wallet), await enterHouse(house, wallet), await enterHouse(house, wallet)];
    const [oldest, , newest] = people as [SignedIn, SignedIn, SignedIn];
    const query = `query ($first: Int, $after: String) { viewer { sessions(first: $first, after: $after) {
      edges { node { id } } pageInfo { hasNextPage endCursor }
    } } }`;
    const page = async (after: string | null) =>
      (await ask<{ viewer: { sessions: never } }>(newest, query, { first: 2, after })).data?.viewer
        .sessions as unknown as {
        edges: { node: { id: string } }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
    const one = await page(null);
    expect(one.pageInfo.hasNextPage).toBe(true);
    const two = await page(one.pageInfo.endCursor);
    expect([...one.edges, ...two.edges].map(({ node }) => node.id)).toEqual(people.map(idOf).reverse());
    expect(two.pageInfo.hasNextPage).toBe(false);
    expect(two.edges[0]?.node.id).toBe(idOf(oldest));
  });

  it('leaves out what has ended and what is over, and everybody else’s', async () => {
    const wallet = newWallet();
    const [person, ended, over] = [
      await enterHouse(house, wallet),
      await enterHouse(house, wallet),
      await enterHouse(house, wallet),
    ];
    await enterHouse(house);
    await ask(ended, 'mutation { signOut { signedOut } }');
    await sql(house, 'update sessions set expires_at = now() where id = $1', [sessionIdOf(over)]);
    expect((await listFor(person)).map(({ id }) => id)).toEqual([idOf(person)]);
  });

  it('has no word of a token or a hash, and nobody reads one through it', async () => {
    const person = await enterHouse(house);
    const { data } = await house.ask<{ __type: { fields: { name: string }[] } }>(
      '{ __type(name: "Session") { fields { name } } }',
    );
    const names = data?.__type.fields.map(({ name }) => name) ?? [];
    expect(names).toContain('clientAddress');
    expect(names.filter((name) => /hash|token|generation|proof/i.test(name))).toEqual([]);
    expect(codeOf(await ask(person, '{ viewer { session { refreshHash } } }'))).toBe('GRAPHQL_VALIDATION_FAILED');
    expect((await house.ask('{ viewer { sessions { edges { node { id } } } } }')).data).toEqual({ viewer: null });
  });

  it('leads to each session by its id, for its own user alone', async () => {
    const [person, stranger] = [await enterHouse(house), await enterHouse(house)];
    const query = 'query ($id: ID!) { node(id: $id) { id __typename } }';
    const id = idOf(person);
    expect((await ask(person, query, { id })).data).toEqual({ node: { id, __typename: 'Session' } });
    expect((await ask(stranger, query, { id })).data).toEqual({ node: null });
  });
});

describe('ending a session', () => {
  it('ends it with the next statement, its refresh token too, and no other', async () => {
    const wallet = newWallet();
    const [person, lost, kept] = [
      await enterHouse(house, wallet),
      await enterHouse(house, wallet),
      await enterHouse(house, wallet),
    ];
    expect(await end(person, idOf(lost))).toEqual({ ended: true, replayed: false });
    expect(await aliveOf([person, lost, kept])).toEqual([true, false, true]);
    expect((await refresh(house, lost.refreshToken)).code).toBe('REFRESH_TOKEN_INVALID');
    expect(await end(person, idOf(lost))).toEqual({ ended: true, replayed: false });
  });

  it('is the same for another’s, for nobody’s and for what is no session: nothing is ended', async () => {
    const [person, stranger] = [await enterHouse(house), await enterHouse(house)];
    const ids = [
      idOf(stranger),
      encodeGlobalId('Session', newId()),
      encodeGlobalId('User', sessionIdOf(person)),
      person.viewer.user.id,
      sessionIdOf(person),
      'x',
      '',
    ];
    for (const id of ids) expect([id, await end(person, id)]).toEqual([id, { ended: false, replayed: false }]);
    expect(await aliveOf([person, stranger])).toEqual([true, true]);
  });

  it('is signing out when it is the one that asks', async () => {
    const person = await enterHouse(house);
    const document = `mutation ($id: ID!) {
      endSession(input: { id: $id }) { ended }
      signOut { signedOut }
    }`;
    const answer = await ask(person, document, { id: idOf(person) });
    expect([codeOf(answer), await aliveOf([person])]).toEqual(['UNAUTHENTICATED', [false]]);
    expect(await end(person, idOf(person))).toBe('UNAUTHENTICATED');
  });

  it('with a key is told again, and with the key of another deed is refused', async () => {
    const wallet = newWallet();
    const [person, one, other] = [
      await enterHouse(house, wallet),
      await enterHouse(house, wallet),
      await enterHouse(house, wallet),
    ];
    const key = newId();
    expect(await end(person, idOf(one), key)).toEqual({ ended: true, replayed: false });
    expect(await end(person, idOf(one), key)).toEqual({ ended: true, replayed: true });
    expect(await end(person, idOf(other), key)).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(await aliveOf([person, one, other])).toEqual([true, false, true]);
  });

  it('needs a session', async () => {
    const document = 'mutation { endSession(input: { id: "x" }) { ended } }';
    expect(codeOf(await house.ask(document))).toBe('UNAUTHENTICATED');
    expect(codeOf(await house.ask('mutation { endOtherSessions { replayed } }'))).toBe('UNAUTHENTICATED');
  });
});

describe('ending all other sessions', () => {
  const END_OTHERS = `mutation ($input: EndOtherSessionsInput) {
    endOtherSessions(input: $input) { session { id isCurrent } replayed }
  }`;

  it('leaves the one that asks, and strangers’', async () => {
    const wallet = newWallet();
    const people = [await enterHouse(house, wallet), await enterHouse(house, wallet), await enterHouse(house, wallet)];
    const stranger = await enterHouse(house);
    const [, person = stranger] = people;
    const answer = await ask(person, END_OTHERS);
    expect(answer.data).toEqual({
      endOtherSessions: { session: { id: idOf(person), isCurrent: true }, replayed: false },
    });
    expect(await aliveOf([...people, stranger])).toEqual([false, true, false, true]);
    expect((await listFor(person)).map(({ id }) => id)).toEqual([idOf(person)]);
  });

  it('with a key is done once, though somebody has signed in since', async () => {
    const wallet = newWallet();
    const person = await enterHouse(house, wallet);
    const input = { idempotencyKey: newId() };
    expect((await ask(person, END_OTHERS, { input })).data).toMatchObject({ endOtherSessions: { replayed: false } });
    const later = await enterHouse(house, wallet);
    expect((await ask(person, END_OTHERS, { input })).data).toMatchObject({
      endOtherSessions: { session: { id: idOf(person) }, replayed: true },
    });
    expect(await aliveOf([person, later])).toEqual([true, true]);
  });
});
