import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { newId } from '../../src/kernel/ids.ts';
import { insertRows, seedTenants, type Tenant, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

const LINKS = 60;
/** Of five links, four are of one millisecond: their order is their ids' alone. */
const momentOf = (index: number): Date =>
  new Date(Date.UTC(2026, 0, 1) + Math.floor(index / 5) * 1000 + (index % 5 ? 1 : 0));

let tollhouse: TestTollhouse;
let world: World;
let tenant: Tenant;
let other: Tenant;
let token: string;
/** The titles of all links as the connection must show them. */
let all: string[];

beforeAll(async () => {
  tollhouse = await startTollhouse();
  world = await seedTenants(tollhouse.database.adminUrl, { tenants: 2, links: 0 });
  [tenant, other] = world.tenants as [Tenant, Tenant];
  const { organizationId, people } = tenant;
  ({ token } = await tollhouse.resources.tokens.issue({ ...people.OWNER, organizationId }));
});
afterAll(() => tollhouse.stop());

/** Puts links there, ids in no order of time. */
async function addLinks(owner: Tenant, links: readonly { title: string; at: Date; id?: string }[]): Promise<void> {
  const rows = links.map(({ title, at, id }) => ({
    organization_id: owner.organizationId,
    id: id ?? crypto.randomUUID(),
    slug: `slug-${newId()}`,
    title,
    created_by_id: owner.people.OWNER.userId,
    created_at: at,
  }));
  await withSession(tollhouse.database.adminUrl, (client) => insertRows(client, 'payment_links', rows));
}

async function removeLinks(titles?: readonly string[]): Promise<void> {
  await withSession(tollhouse.database.adminUrl, (client) =>
    client.query('delete from payment_links where $1::text[] is null or title = any ($1)', [titles ?? null]),
  );
}

beforeEach(async () => {
  await removeLinks();
  const links = Array.from({ length: LINKS }, (_, index) => ({ title: `link ${index}`, at: momentOf(index) }));
  await addLinks(tenant, links);
  await addLinks(other, [{ title: 'foreign', at: momentOf(30) }]);
  all = await withSession(tollhouse.database.adminUrl, async (client) => {
    const { rows } = await client.query<{ title: string }>(
      'select title from payment_links where organization_id = $1 order by created_at desc, id desc',
      [tenant.organizationId],
    );
    return rows.map(({ title }) => title);
  });
});

interface Shown {
  readonly titles: string[];
  readonly cursors: string[];
  readonly info: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
}

interface Arguments {
  first?: number | null;
  last?: number | null;
  after?: string | null;
  before?: string | null;
}

const QUERY = `query ($first: Int, $last: Int, $after: String, $before: String) {
  organization { paymentLinks(first: $first, last: $last, after: $after, before: $before) {
    edges { cursor node { title } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }
}`;

async function page(given: Arguments, as = token): Promise<Shown | string> {
  const { data, errors } = await tollhouse.ask<{
    organization: { paymentLinks: { edges: { cursor: string; node: { title: string } }[]; pageInfo: Shown['info'] } };
  }>(QUERY, { ...given }, { token: as });
  if (!data?.organization) return errors.map(({ extensions }) => extensions.code).join();
  const { edges, pageInfo } = data.organization.paymentLinks;
  return { titles: edges.map(({ node }) => node.title), cursors: edges.map(({ cursor }) => cursor), info: pageInfo };
}

async function shown(given: Arguments): Promise<Shown> {
  const answer = await page(given);
  if (typeof answer === 'string') throw new Error(answer);
  return answer;
}

describe('pages', () => {
  it.each([1, 7, 20, 59, 60, 100])('of %i go forward through everything once, and end', async (first) => {
    const seen: string[] = [];
    let after: string | null = null;
    for (let turn = 0; ; turn += 1) {
      const { titles, info, cursors }: Shown = await shown({ first, after });
      seen.push(...titles);
      expect([info.startCursor, info.endCursor]).toEqual([cursors[0], cursors.at(-1)]);
      expect([info.hasPreviousPage, info.hasNextPage]).toEqual([turn > 0, seen.length < LINKS]);
      if (!info.hasNextPage) break;
      after = info.endCursor;
    }
    expect(seen).toEqual(all);
  });

  it.each([7, 20, 60])('of %i go backward through everything once, and end', async (last) => {
    const seen: string[] = [];
    let before: string | null = null;
    for (let turn = 0; ; turn += 1) {
      const { titles, info }: Shown = await shown({ last, before });
      seen.unshift(...titles);
      expect([info.hasNextPage, info.hasPreviousPage]).toEqual([turn > 0, seen.length < LINKS]);
      if (!info.hasPreviousPage) break;
      before = info.startCursor;
    }
    expect(seen).toEqual(all);
  });

  it('are what lies between two cursors, from either end', async () => {
    const { cursors } = await shown({ first: 60 });
    const between = { after: cursors[9] ?? '', before: cursors[20] ?? '' };
    expect((await shown({ first: 100, ...between })).titles).toEqual(all.slice(10, 20));
    expect((await shown({ first: 3, ...between })).titles).toEqual(all.slice(10, 13));
    expect((await shown({ last: 3, ...between })).titles).toEqual(all.slice(17, 20));
    expect((await shown({ first: 3, after: cursors[20] ?? '', before: cursors[9] ?? '' })).titles).toEqual([]);
  });

  it('are of twenty when nothing else is said', async () => {
    expect((await shown({})).titles).toEqual(all.slice(0, 20));
    expect((await shown({ first: null, last: null, after: null, before: null })).titles).toEqual(all.slice(0, 20));
  });

  it('stay in their place while rows come and go between them', async () => {
    const begun = await shown({ first: 20 });
    await addLinks(tenant, [{ title: 'newer', at: new Date() }]);
    await removeLinks([all[3] ?? '', all[25] ?? '']);
    const middle = await shown({ first: 20, after: begun.info.endCursor });
    expect(middle.titles).toEqual([...all.slice(20, 25), ...all.slice(26, 41)]);
    await addLinks(tenant, [{ title: 'older', at: new Date(0) }]);
    const rest = await shown({ first: 100, after: middle.info.endCursor });
    expect(rest.titles).toEqual([...all.slice(41), 'older']);
  });

  it('go on from the place of a cursor whose row is gone, either way', async () => {
    const { cursors } = await shown({ first: 60 });
    for (const index of [0, 17, 18, 19, 59]) {
      await removeLinks([all[index] ?? '']);
      const left = all.filter((title) => title !== all[index]);
      const cursor = cursors[index] ?? '';
      expect((await shown({ first: 100, after: cursor })).titles).toEqual(left.slice(index));
      expect((await shown({ last: 100, before: cursor })).titles).toEqual(left.slice(0, index));
      await addLinks(tenant, [
        { title: all[index] ?? '', at: momentOf(Number(all[index]?.split(' ')[1])), id: idIn(cursor) },
      ]);
    }
  });

  it('of nothing are empty', async () => {
    await removeLinks();
    const nothing = {
      titles: [],
      cursors: [],
      info: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    };
    expect(await shown({})).toEqual(nothing);
    expect(await shown({ last: 5 })).toEqual(nothing);
  });

  it('of one connection under two names are each their own', async () => {
    const { data } = await tollhouse.ask(
      `{ organization {
        newest: paymentLinks(first: 2) { edges { node { title } } pageInfo { hasNextPage hasPreviousPage } }
        oldest: paymentLinks(last: 2) { edges { node { title } } pageInfo { hasNextPage hasPreviousPage } }
      } }`,
      {},
      { token },
    );
    const edges = (titles: string[]) => titles.map((title) => ({ node: { title } }));
    expect(data?.organization).toEqual({
      newest: { edges: edges(all.slice(0, 2)), pageInfo: { hasNextPage: true, hasPreviousPage: false } },
      oldest: { edges: edges(all.slice(-2)), pageInfo: { hasNextPage: false, hasPreviousPage: true } },
    });
  });
});

/** The bytes of a cursor: six of milliseconds, sixteen of an id. */
const idIn = (cursor: string): string =>
  Buffer.from(cursor, 'base64url')
    .toString('hex', 6)
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

function cursorOf(at: Date, id: string): string {
  const bytes = Buffer.alloc(22);
  bytes.writeUIntBE(at.getTime(), 0, 6);
  bytes.write(id.replaceAll('-', ''), 6, 'hex');
  return bytes.toString('base64url');
}

describe('arguments of a page', () => {
  it.each([
    ['first: 0', { first: 0 }],
    ['first: -1', { first: -1 }],
    ['first: 101', { first: 101 }],
    ['last: 0', { last: 0 }],
    ['last: -1', { last: -1 }],
    ['last: 101', { last: 101 }],
    ['both first and last', { first: 1, last: 1 }],
    ['first: 1.5', { first: 1.5 }],
    ['first: 2^31', { first: 2 ** 31 }],
  ])('that say %s are refused', async (_, given) => {
    expect(await page(given)).toBe('BAD_USER_INPUT');
  });

  it.each([
    ['nothing', ''],
    ['no base64url', '%%%'],
    ['base64url of the wrong length', Buffer.from('short').toString('base64url')],
    ['padded', `${Buffer.alloc(22).toString('base64url')}=`],
    ['in another spelling of the same bytes', Buffer.alloc(22, 251).toString('base64')],
    ['with a tail', `${Buffer.alloc(22).toString('base64url')}AAAA`],
    ['a global id', Buffer.from('PaymentLink:01990000-0000-7000-8000-000000000000').toString('base64url')],
    ['SQL', "' or 1=1 --"],
    ['long', 'A'.repeat(5000)],
  ])('with a cursor that is %s are refused', async (_, cursor) => {
    expect(await page({ after: cursor })).toBe('INVALID_CURSOR');
    expect(await page({ before: cursor })).toBe('INVALID_CURSOR');
  });

  it('may hold any cursor that could be one, the first and the last of all', async () => {
    const low = cursorOf(new Date(0), '00000000-0000-0000-0000-000000000000');
    const high = cursorOf(new Date(2 ** 48 - 1), 'ffffffff-ffff-ffff-ffff-ffffffffffff');
    expect((await shown({ first: 100, after: high, before: low })).titles).toEqual(all);
    expect((await shown({ first: 100, after: low })).titles).toEqual([]);
  });

  it('with a cursor of another connection go on from its moment', async () => {
    const index = all.indexOf('link 30');
    const id = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    expect((await shown({ first: 2, after: cursorOf(momentOf(30), id) })).titles).toEqual(all.slice(index, index + 2));
  });

  it('with a cursor of another tenant show one’s own rows, and not whether there is such a cursor', async () => {
    const theirs = await tollhouse.resources.tokens.issue({
      ...other.people.OWNER,
      organizationId: other.organizationId,
    });
    const answer = (await page({}, theirs.token)) as Shown;
    expect(answer.titles).toEqual(['foreign']);
    const [cursor = ''] = answer.cursors;
    const made = cursorOf(momentOf(30), crypto.randomUUID());
    for (const given of [cursor, made]) {
      const { titles } = await shown({ first: 100, after: given });
      expect(titles).not.toContain('foreign');
      expect(titles.length).toBeGreaterThan(20);
      expect(all.slice(-titles.length)).toEqual(titles);
    }
  });
});
