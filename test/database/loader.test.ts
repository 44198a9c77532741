import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { separateLoaders } from '../../src/database/client.ts';
import type { Scope } from '../../src/database/scope.ts';
import { FULL } from '../support/scale.ts';
import { memberScene, seedTenants, type Tenant } from '../support/tenants.ts';
import { type DatabaseHouse, openDatabaseHouse, titlesOf } from './databaseHouse.ts';
import { CLEAN, type DataPath } from './dataPath.ts';

// Prisma collects what is asked for in one tick in one loader a client, and sends it as whoever came first: with the
// tenant in the asynchronous context, the second tenant of a tick was seen to read as the first.

let house: DatabaseHouse;
let one: Tenant;
let other: Tenant;

beforeAll(async () => {
  house = await openDatabaseHouse();
  [one, other] = house.world.tenants as [Tenant, Tenant];
});
afterEach(() => house.closeOpened());
afterAll(() => house.close());

const keyOf = ({ organizationId, links }: Tenant, index = 0) => ({
  organizationId_id: { organizationId, id: links[index]?.id ?? '' },
});

/** What the first tenant, the second, and the second with the first one's key are answered in one tick. */
async function inOneTick<Result>(ask: (scope: Scope, tenant: Tenant) => Promise<Result>): Promise<Result[]> {
  const database = house.open();
  return Promise.all([
    ask(database.as(memberScene(one)), one),
    ask(database.as(memberScene(other)), other),
    ask(database.as(memberScene(other)), one),
  ]);
}

describe('two tenants in one tick', () => {
  it.each([
    ['findUnique', (scope: Scope, tenant: Tenant) => scope.db.paymentLink.findUnique({ where: keyOf(tenant) })],
    [
      'findUnique with what belongs to it',
      (scope: Scope, tenant: Tenant) =>
        scope.db.paymentLink.findUnique({ where: keyOf(tenant), include: { orders: true, accepts: true } }),
    ],
    [
      'findFirst',
      (scope: Scope, tenant: Tenant) => scope.db.paymentLink.findFirst({ where: { id: tenant.links[0]?.id ?? '' } }),
    ],
    [
      'findUnique inside a transaction',
      (scope: Scope, tenant: Tenant) => scope.transaction((tx) => tx.paymentLink.findUnique({ where: keyOf(tenant) })),
    ],
  ])('each get their own by %s', async (_, ask) => {
    const [first, second, crossed] = await inOneTick<object | null>(ask);
    expect(first).toMatchObject({ organizationId: one.organizationId, title: titlesOf(one)[0] });
    expect(second).toMatchObject({ organizationId: other.organizationId, title: titlesOf(other)[0] });
    expect(crossed).toBeNull();
    expect(inspect(second, { depth: 9 })).not.toContain(one.organizationId);
  });

  it('each get their own from SQL, in and out of a transaction', async () => {
    const read = (db: Pick<Scope['db'], '$queryRaw'>) => db.$queryRaw<{ title: string }[]>`
      select title from payment_links order by title`;
    const rows = (tenant: Tenant) => titlesOf(tenant).map((title) => ({ title }));
    expect(await inOneTick((scope) => read(scope.db))).toEqual([rows(one), rows(other), rows(other)]);
    expect(await inOneTick((scope) => scope.transaction((tx) => read(tx)))).toEqual([
      rows(one),
      rows(other),
      rows(other),
    ]);
  });

  it('each get their own from a list of operations as one transaction', async () => {
    const path = house.openPath({ max: 2 });
    const ask = (tenant: Tenant) =>
      path.as(memberScene(tenant), () =>
        path.client.$transaction([path.client.paymentLink.findFirst({}), path.client.paymentLink.count()]),
      );
    const [[first, firstCount], [second, secondCount]] = await Promise.all([ask(one), ask(other)]);
    expect([first?.organizationId, second?.organizationId]).toEqual([one.organizationId, other.organizationId]);
    expect([firstCount, secondCount]).toEqual([3, 3]);
  });

  it('each get their own through an extended client', async () => {
    const path = house.openPath({ max: 2 });
    const ask = (viewer: Tenant, tenant: Tenant) =>
      path.as(memberScene(viewer), () => path.client.$extends({}).paymentLink.findUnique({ where: keyOf(tenant) }));
    const [first, second, crossed] = await Promise.all([ask(one, one), ask(other, other), ask(other, one)]);
    expect([first?.organizationId, second?.organizationId, crossed]).toEqual([
      one.organizationId,
      other.organizationId,
      null,
    ]);
  });
});

describe('one scene', () => {
  it('still collects what it asks for in one tick', async () => {
    const trips: unknown[] = [];
    const scope = house.open({ onPacket: (packet) => void trips.push(packet) }).as(memberScene(one));
    const found = await Promise.all(
      [0, 1, 2].map((index) => scope.db.paymentLink.findUnique({ where: keyOf(one, index) })),
    );
    expect(found.map((link) => link?.title)).toEqual(titlesOf(one));
    expect(trips).toHaveLength(1);
  });

  it('is not where a promise runs that is awaited outside of it', async () => {
    const path = house.openPath();
    const lazy: Record<string, () => PromiseLike<unknown>> = {
      findMany: () => path.client.paymentLink.findMany(),
      findUnique: () => path.client.paymentLink.findUnique({ where: keyOf(one) }),
      sql: () => path.client.$queryRaw`select 1`,
    };
    for (const [name, begin] of Object.entries(lazy)) {
      let held: { readonly promise: PromiseLike<unknown> } | undefined;
      await path.as(memberScene(one), async () => {
        held = { promise: begin() };
      });
      const outcome = Promise.resolve(held?.promise).catch((error: Error) => error.message);
      expect([name, await outcome]).toEqual([name, expect.stringContaining('outside any scene')]);
    }
    expect(path.packets).toEqual([]);
    // the ones that a scope lends have begun before they can be carried anywhere
    const begun = house.open().as(memberScene(one)).db.paymentLink.count();
    expect(await begun).toBe(3);
  });
});

describe('a storm of many tenants over few connections', () => {
  const reads = FULL ? 30_000 : 3_000;
  const count = FULL ? 200 : 50;
  let path: DataPath;
  let tenants: readonly Tenant[];

  beforeAll(async () => {
    ({ tenants } = await seedTenants(house.adminUrl, { tenants: count, links: 2, world: house.world }));
  });

  /** Reads or fails in one of several ways; answers the organizations of all rows that were seen. */
  async function act(tenant: Tenant, turn: number): Promise<string[]> {
    const { client } = path;
    const own = { organizationId: true } as const;
    const deeds: (() => PromiseLike<({ organizationId: string } | null)[]>)[] = [
      () => client.paymentLink.findMany({ select: own }),
      async () => [await client.paymentLink.findUnique({ where: keyOf(tenant), select: own })],
      () => client.$queryRaw`select organization_id::text as "organizationId" from payment_orders`,
      () =>
        client.$transaction((tx) => tx.paymentCredit.findMany({ select: own }), { maxWait: 30_000, timeout: 30_000 }),
      () => client.$queryRawUnsafe(`select 1 / (count(*) - count(*)) from payment_links`),
      () => client.$queryRawUnsafe(`select no_column_${turn % 50} from payment_links`),
      () => client.paymentOrder.findMany({ select: { ...own, paymentLink: { select: own } } }),
      async () => [
        await client.paymentLink.findUnique({ where: keyOf(tenants[(turn + 1) % count] as Tenant), select: own }),
      ],
    ];
    const deed = deeds[turn % deeds.length] as (typeof deeds)[number];
    const rows = await path.as(memberScene(tenant), deed);
    return [...JSON.stringify(rows).matchAll(/"organizationId":"([^"]+)"/g)].map(([, id]) => id ?? '');
  }

  it('shows nobody a row of somebody else', { timeout: 600_000 }, async () => {
    path = house.openPath({ max: 5 });
    const failures = new Map<string, number>();
    const foreign: string[] = [];
    let rows = 0;
    let turn = 0;
    const client = async (): Promise<void> => {
      while (turn < reads) {
        const mine = turn++;
        const tenant = tenants[(mine * 7) % count] as Tenant;
        const seen = await act(tenant, mine).catch(
          (error: { meta?: { driverAdapterError?: { cause?: { originalCode?: string } } } }) => {
            const code = error.meta?.driverAdapterError?.cause?.originalCode ?? String(error);
            failures.set(code, (failures.get(code) ?? 0) + 1);
            return [];
          },
        );
        rows += seen.length;
        foreign.push(...seen.filter((id) => id !== tenant.organizationId));
      }
    };
    await Promise.all(Array.from({ length: 100 }, client));
    expect(foreign).toEqual([]);
    expect(Object.fromEntries(failures)).toEqual({ '22012': reads / 8, '42703': reads / 8 });
    expect(rows).toBeGreaterThan(reads / 2);
    // five at once are all that there are
    const left = await Promise.all([1, 2, 3, 4, 5].map(() => path.leftovers()));
    expect(new Set(left.map(({ pid }) => pid)).size).toBe(5);
    for (const each of left) expect(each).toMatchObject(CLEAN);
  });
});

describe('Prisma’s internals', () => {
  const refusal = 'it refuses to run on them';
  const loader = { options: { singleLoader: () => {}, batchBy: () => {} }, request: () => {} };

  it('are taken as they were when this was written', () => {
    const handler = { dataloader: loader };
    separateLoaders({ _requestHandler: handler });
    expect(handler.dataloader).toMatchObject({ options: loader.options });
    expect(handler.dataloader).not.toBe(loader);
  });

  it.each([
    ['no request handler', undefined],
    ['no loader', {}],
    ['a loader that does not collect', { dataloader: { ...loader, options: { singleLoader: () => {} } } }],
    ['a loader that collects without options', { dataloader: { request: () => {} } }],
    ['a loader that is asked otherwise', { dataloader: { ...loader, request: undefined } }],
  ])('with %s are refused', (_, handler) => {
    expect(() => separateLoaders({ _requestHandler: handler })).toThrow(refusal);
  });
});
