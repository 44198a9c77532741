import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { link } from '../identity/linker.ts';
import { enterHouse, newWallet, type SignedIn } from '../identity/visitor.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({ chain: true });
});
afterAll(() => house.stop());

interface Log {
  readonly edges: readonly {
    readonly cursor: string;
    readonly node: { readonly type: string; readonly data: object; readonly tags: readonly string[] };
  }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

async function read(person: SignedIn, variables: Record<string, unknown> = {}) {
  const answer = await house.ask<{ organization: { events: Log } }>(
    `query ($first: Int, $after: String, $last: Int, $types: [String!], $tags: [String!]) {
      organization { events(first: $first, after: $after, last: $last, types: $types, tags: $tags) {
        edges { cursor node {
          id type version actor aggregateType aggregateId aggregateVersion tags data requestId recordedAt
        } }
        pageInfo { hasNextPage endCursor }
      } }
    }`,
    variables,
    { token: person.accessToken },
  );
  return { code: answer.errors[0]?.extensions.code ?? 'OK', log: answer.data?.organization?.events };
}

/**
 * What is read once as much of it is there: the log is read as far as nothing can be committed before it, on the whole
 * server, where other tests have transactions open.
 */
async function readAll(person: SignedIn, count: number, variables: Record<string, unknown> = {}): Promise<Log> {
  return vi.waitFor(
    async () => {
      const { log } = await read(person, variables);
      if (!log || log.edges.length < count) throw new Error(`${log?.edges.length} of ${count} facts are there`);
      return log;
    },
    { timeout: 30_000, interval: 50 },
  );
}

const typesOf = (log: Log | undefined): string[] => (log?.edges ?? []).map(({ node }) => node.type);

describe('an organization’s events', () => {
  it('are read in the order they were told, page by page, and those to come behind the last cursor', async () => {
    const person = await enterHouse(house);
    await readAll(person, 2);
    const first = await readAll(person, 1, { first: 1 });
    expect([typesOf(first), first.pageInfo.hasNextPage]).toEqual([['organization.created'], true]);
    const rest = await readAll(person, 1, { after: first.pageInfo.endCursor });
    expect([typesOf(rest), rest.pageInfo.hasNextPage]).toEqual([['user.signed-up'], false]);
    const wallet = newWallet();
    await link(house, person, wallet);
    const fresh = await readAll(person, 1, { after: rest.pageInfo.endCursor });
    expect(fresh.edges.map(({ node }) => node)).toMatchObject([
      { type: 'wallet.linked', version: 1, aggregateVersion: 1, data: { address: wallet.address.toLowerCase() } },
    ]);
    expect(await read(person, { after: fresh.pageInfo.endCursor })).toMatchObject({
      code: 'OK',
      log: { edges: [], pageInfo: { hasNextPage: false, endCursor: null } },
    });
  });

  it('are narrowed down by their types and by all of their tags', async () => {
    const person = await enterHouse(house);
    const [one, other] = [newWallet(), newWallet()];
    await link(house, person, one);
    await link(house, person, other);
    const types = ['wallet.linked'];
    expect(typesOf(await readAll(person, 2, { types }))).toEqual(['wallet.linked', 'wallet.linked']);
    const tags = [`wallet:${one.address.toLowerCase()}`];
    expect(typesOf((await read(person, { types, tags })).log)).toEqual(types);
    tags.push(`wallet:${other.address.toLowerCase()}`);
    expect(typesOf((await read(person, { types, tags })).log)).toEqual([]);
    expect(typesOf((await read(person, { types: ['no.such'] })).log)).toEqual([]);
  });

  it('are nobody else’s, whatever cursor or tag they come with', async () => {
    const [person, stranger] = [await enterHouse(house), await enterHouse(house)];
    const [told] = (await readAll(person, 2)).edges;
    expect(typesOf(await readAll(stranger, 2, { after: told?.cursor }))).toEqual([
      'organization.created',
      'user.signed-up',
    ]);
    expect(typesOf((await read(stranger, { tags: told?.node.tags })).log)).toEqual([]);
  });

  it.each([
    ['backwards', { last: 1 }, 'BAD_USER_INPUT'],
    ['more than a page', { first: 101 }, 'BAD_USER_INPUT'],
    ['from a cursor of another make', { after: 'x' }, 'INVALID_CURSOR'],
    ['of a type that is no text', { types: ['\u0000'] }, 'BAD_USER_INPUT'],
  ])('cannot be read %s', async (_, variables, code) => {
    expect((await read(await enterHouse(house), variables)).code).toBe(code);
  });
});
