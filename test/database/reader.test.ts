import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TABLES } from '../../src/database/generated/tables.ts';
import { type ReadOperation, readStatement } from '../../src/database/readStatement.ts';
import type { Scope } from '../../src/database/scope.ts';
import type { Table } from '../../src/database/tables.ts';
import { FULL, SEED, seeded } from '../support/scale.ts';
import { memberScene, type Tenant } from '../support/tenants.ts';
import { type DatabaseHouse, openDatabaseHouse } from './databaseHouse.ts';
import type { DataPath } from './dataPath.ts';

const ROUNDS = FULL ? 10_000 : 500;

let house: DatabaseHouse;
let path: DataPath;
let tenant: Tenant;
let scope: Scope;

beforeAll(async () => {
  house = await openDatabaseHouse();
  [tenant] = house.world.tenants as [Tenant, Tenant];
  // Prisma reads every column of what it joins; here it may, so that the two can be compared everywhere.
  await house.admin('grant select on users, sessions to tollhouse_member');
  path = house.openPath();
  scope = house.open().as(memberScene(tenant));
});
afterAll(() => house.close());

type Arguments = Record<string, unknown>;
type Delegates = Record<string, Record<string, (args: unknown) => PromiseLike<unknown>>>;

const delegate = (model: string): string => model.charAt(0).toLowerCase() + model.slice(1);

/** What comes of a read: its answer, or that it was refused. */
async function outcomeOf(reading: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(reading).then(
    (answer) => ({ answer }),
    () => 'refused',
  );
}

/** The same read, as ours and as Prisma says it. */
async function both(model: string, operation: string, args: Arguments): Promise<[ours: unknown, prismas: unknown]> {
  const ours = (scope.db as unknown as Delegates)[delegate(model)]?.[operation]?.(args);
  const prismas = path.as(memberScene(tenant), async () =>
    (path.client as unknown as Delegates)[delegate(model)]?.[operation]?.(args),
  );
  return Promise.all([outcomeOf(ours as PromiseLike<unknown>), outcomeOf(prismas)]);
}

/** Makes reads that the reader knows how to say. */
function maker(random: () => number) {
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  const chance = (oneIn: number): boolean => below(oneIn) === 0;

  /** Columns whose values can be compared, and some values. */
  const sampleOf = (type: string): unknown => {
    const moment = new Date(Date.now() - 3_600_000 + below(4));
    const made: Record<string, () => unknown> = {
      String: () => pick([tenant.links[0]?.id, tenant.organizationId, tenant.people.OWNER.userId]),
      DateTime: () => moment,
      Int: () => below(4),
      BigInt: () => BigInt(below(120)),
      Decimal: () => pick(['1', '1000000000000000001']),
      Boolean: () => chance(2),
      Bytes: () => new Uint8Array(16),
    };
    return made[type]?.();
  };
  const ID_COLUMN = /(^id|Id)$/;

  const condition = (table: Table): Arguments => {
    const comparable = Object.entries(table.columns).filter(
      ([name, { type, list }]) => !list && (type === 'String' ? ID_COLUMN.test(name) : sampleOf(type) !== undefined),
    );
    const [name, { type }] = pick(comparable);
    const value = sampleOf(type);
    const ordered = ['String', 'Boolean', 'Bytes'].includes(type)
      ? []
      : [{ lt: value }, { lte: value, gt: sampleOf(type) }, { gte: value }];
    const listed = type === 'Boolean' ? [] : [{ in: [value, sampleOf(type)] }, { in: [] }];
    return { [name]: pick([value, { equals: value }, ...listed, ...ordered]) };
  };
  const where = (table: Table, depth = 0): Arguments => {
    const single = Object.entries(table.relations).filter(([, { list }]) => !list);
    const choices: (() => Arguments)[] = [
      () => ({}),
      () => condition(table),
      () => ({ ...condition(table), ...condition(table) }),
      () => ({ AND: [where(table, depth + 1), condition(table)], OR: [condition(table), condition(table)] }),
      () => ({ AND: condition(table), OR: [condition(table)] }),
      () => {
        const [name, { model }] = pick(single.length > 0 ? single : [['', { model: '' }] as never]);
        return name ? { [name]: condition(TABLES[model] as Table) } : {};
      },
    ];
    return pick(depth > 2 ? choices.slice(0, 3) : choices)();
  };
  const rows = (table: Table, depth: number): Arguments => ({
    ...(chance(2) && { where: where(table) }),
    orderBy: chance(2) ? [{ [pick(Object.keys(table.columns))]: pick(['asc', 'desc']) }, ...last(table)] : last(table),
    ...(chance(2) && { take: below(5) }),
    select: select(table, depth),
  });
  /** What tells rows apart, so that their order is one order. */
  const last = (table: Table): object[] =>
    (table.keys.organizationId_id?.slice(1) ?? table.keys.id ?? Object.values(table.keys)[0] ?? []).map((name) => ({
      [name]: 'asc',
    }));
  const select = (table: Table, depth: number): Arguments => {
    const columns = Object.keys(table.columns).filter(() => !chance(3));
    const relations =
      depth === 0 ? [] : Object.entries(table.relations).filter(([, { model }]) => MODELS.includes(model) && chance(2));
    const chosen = Object.fromEntries([
      ...columns.map((name) => [name, !chance(9)]),
      ...relations.map(([name, { model, list }]) => {
        const other = TABLES[model] as Table;
        return [name, list ? rows(other, depth - 1) : { select: select(other, depth - 1) }];
      }),
    ]);
    // Prisma wants something chosen.
    return Object.values(chosen).some(Boolean) ? chosen : { [Object.keys(table.columns)[0] ?? '']: true };
  };
  const unique = (table: Table): Arguments => {
    const [name, fields] = pick(Object.entries(table.keys));
    const key = Object.fromEntries(fields.map((field) => [field, sampleOf(table.columns[field]?.type ?? '')]));
    return fields.length > 1 ? { [name]: key } : key;
  };

  return (): [model: string, operation: ReadOperation, args: Arguments] => {
    const model = pick(MODELS);
    const table = TABLES[model] as Table;
    const operation = pick(['findMany', 'findMany', 'findFirst', 'findUnique'] as const);
    if (operation === 'findUnique') return [model, operation, { where: unique(table), select: select(table, 2) }];
    const { take, ...args } = rows(table, 2);
    return [model, operation, operation === 'findFirst' || take === undefined ? args : { ...args, take }];
  };
}

/** What a member may read at all. */
const MODELS = [
  'Organization',
  'Membership',
  'PaymentLink',
  'PaymentLinkAccept',
  'PaymentOrder',
  'BlockchainTransaction',
  'PaymentCredit',
  'Identity',
  'Session',
  'User',
  'Asset',
  'Chain',
  'ChainIncarnation',
  'Event',
];

describe('a read that is one statement of ours', () => {
  it(`answers as Prisma would, whatever is asked (seed ${SEED})`, { timeout: 600_000 }, async () => {
    const make = maker(seeded(SEED));
    const seen = { answers: 0, rows: 0, refused: 0 };
    for (let round = 0; round < ROUNDS; round += 1) {
      const [model, operation, args] = make();
      const statement = readStatement(model, operation, args);
      expect([round, model, args, statement === null]).toEqual([round, model, args, false]);
      const [ours, prismas] = await both(model, operation, args);
      if (ours === 'refused' || prismas === 'refused') seen.refused += 1;
      expect([round, model, args, ours]).toEqual([round, model, args, prismas]);
      seen.answers += 1;
      if (
        ours !== 'refused' &&
        JSON.stringify((ours as { answer: unknown }).answer, (_, value) =>
          typeof value === 'bigint' ? String(value) : value,
        ).length > 4
      )
        seen.rows += 1;
    }
    expect(seen.answers).toBe(ROUNDS);
    // most reads find something, so that something was compared
    expect(seen.rows).toBeGreaterThan(ROUNDS / 3);
    expect(seen.refused).toBeLessThan(ROUNDS / 2);
  });

  it.each<[string, Arguments]>([
    ['every column', {}],
    ['nothing', { select: {} }],
    ['nothing but noes', { select: { id: false } }],
    ['no choice', { select: null }],
    ['an order of two in one', { select: { id: true }, orderBy: { title: 'asc', id: 'asc' } }],
    ['one alternative without a list', { select: { id: true }, where: { OR: { title: 'x' } } }],
    ['relations as they are', { select: { orders: true } }],
    ['included relations', { include: { orders: true } }],
    [
      'a page by a cursor of Prisma’s',
      { select: { id: true }, cursor: { organizationId_id: { organizationId: '', id: '' } } },
    ],
    ['what stands behind so many', { select: { id: true }, skip: 1 }],
    ['a page from the back', { select: { id: true }, take: -1 }],
    ['counts', { select: { _count: true } }],
    ['distinct rows', { select: { id: true }, distinct: ['title'] }],
    ['what is not so', { select: { id: true }, where: { NOT: { title: 'x' } } }],
    ['what is not null', { select: { id: true }, where: { description: { not: null } } }],
    ['a part of a text', { select: { id: true }, where: { title: { contains: 'x' } } }],
    ['what has many of something', { select: { id: true }, where: { orders: { some: {} } } }],
    ['what is or is not something', { select: { id: true }, where: { organization: { is: { name: 'x' } } } }],
    ['an order by something else', { select: { id: true }, orderBy: { organization: { name: 'asc' } } }],
    ['where nulls go', { select: { id: true }, orderBy: { description: { sort: 'asc', nulls: 'last' } } }],
    ['names of no column', { select: { nothing: true } }],
    ['names that every object has', { select: { constructor: true, toString: true } }],
    ['a condition on such a name', { select: { id: true }, where: { constructor: 1 } }],
    ['no alternative', { select: { id: true }, where: { OR: [] } }],
    ['one thing or nothing', { select: { id: true }, where: { OR: [{}, { title: 'x' }] } }],
    ['a value of no kind', { select: { id: true }, where: { title: { equals: { x: 1 } } } }],
    ['nothing of one or another', { select: { id: true }, where: { title: { in: ['x', null] } } }],
  ])('is left to Prisma when it asks for %s', (_, args) => {
    expect(readStatement('PaymentLink', 'findMany', args)).toBeNull();
  });

  it('is left to Prisma when it takes a number of first rows', () => {
    expect(readStatement('PaymentLink', 'findFirst', { select: { id: true }, take: -1 })).toBeNull();
  });

  it.each([
    [{}],
    [{ title: 'x' }],
    [{ id: undefined }],
    [{ organizationId_slug: { organizationId: 'x', slug: undefined } }],
  ])('is left to Prisma when its key is %o', (where) => {
    expect(readStatement('PaymentLink', 'findUnique', { where, select: { id: true } })).toBeNull();
  });

  it('is left to Prisma for a model that is none', () => {
    for (const model of ['Nothing', 'constructor', '__proto__']) {
      expect(readStatement(model, 'findMany', { select: { id: true } })).toBeNull();
    }
  });

  it('has no value in its text, whatever it is', () => {
    const evil = `'; drop table users; --`;
    const args = {
      select: { id: true, orders: { select: { id: true }, where: { payer: evil }, take: 7 } },
      where: { title: evil, OR: [{ slug: { in: [evil] } }, { createdBy: undefined }] },
    };
    const { text, values } = readStatement('PaymentLink', 'findMany', {
      ...args,
      where: { ...args.where, OR: [{ slug: { in: [evil] } }] },
    }) ?? { text: evil, values: [] };
    expect(text).not.toContain('drop');
    expect(values).toEqual([evil, 7, evil, [evil]]);
  });

  it('has bytes right, however the server writes them', async () => {
    await house.admin(`alter database ${house.name} set bytea_output = 'escape'`);
    const find = (): Promise<unknown> =>
      house
        .open()
        .as(memberScene(tenant))
        .db.paymentOrder.findMany({ select: { reference: true }, orderBy: { id: 'asc' } });
    const escaped = await find();
    await house.admin(`alter database ${house.name} reset bytea_output`);
    expect(escaped).toEqual(await find());
    expect(escaped).toMatchObject([{ reference: expect.objectContaining({ length: 16 }) }, {}, {}]);
  });

  it('says what Prisma says where a row should be there and is not', async () => {
    const args = {
      where: { organizationId_id: { organizationId: tenant.organizationId, id: tenant.organizationId } },
      select: { id: true },
    };
    await expect(scope.db.paymentLink.findUniqueOrThrow(args)).rejects.toMatchObject({ code: 'P2025' });
    expect(await scope.db.paymentLink.findUnique(args)).toBeNull();
  });
});

describe('reads of one tick', () => {
  it('travel in one packet, and a failure is told to nobody else', async () => {
    const trips: number[] = [];
    const own = house.open({ onPacket: (packet) => void trips.push(packet.length - 1) }).as(memberScene(tenant));
    const titles = () => own.db.paymentLink.findMany({ select: { title: true } });
    const names = () => own.db.organization.findMany({ select: { name: true } });
    expect(await Promise.all([titles(), names(), titles()])).toHaveLength(3);
    expect(trips).toEqual([3]);
    trips.length = 0;
    const refused = own.db.rateLimit.findMany({ select: { id: true } });
    const [first, second, third] = await Promise.allSettled([titles(), refused, names()]);
    expect([first.status, second.status, third.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(trips).toEqual([3, 1, 1, 1]);
  });
});
