import type { Scope, Transaction } from '../../src/database/scope.ts';
import { GatewayError } from '../../src/kernel/errors.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { Tenant } from '../support/tenants.ts';

/** Who does something, beside whom. */
export interface Turn {
  readonly scope: Scope;
  readonly tenant: Tenant;
  readonly neighbour: Tenant;
  /** The database as the neighbour sees it. */
  readonly beside: Scope;
  /** What is written is called; it holds the tenant's marker. */
  readonly title: string;
}

/** Something that a tenant does with the database. */
export interface Deed {
  readonly name: string;
  /** How often it is done, compared with the others. */
  readonly weight: number;
  readonly writes?: true;
  /** The code that it fails with when nothing disturbs it; INTERNAL stands for what we do not know. */
  readonly fails?: 'FORBIDDEN' | 'TIMED_OUT' | 'INTERNAL';
  run(turn: Turn): Promise<unknown>;
}

const SHOWN = { title: true, creator: { select: { user: { select: { displayName: true } } } } } as const;
const NEWEST = { orderBy: { id: 'desc' }, take: 5 } as const;

const keyOf = ({ organizationId }: Tenant, id: string | undefined) => ({
  organizationId_id: { organizationId, id: id ?? '' },
});

function link(tx: Transaction, { tenant, title }: Pick<Turn, 'tenant' | 'title'>, id = newId()) {
  const createdById = tenant.people.OWNER.userId;
  return tx.paymentLink.createMany({
    data: { organizationId: tenant.organizationId, id, slug: `slug-${id}`, title, createdById },
  });
}

const NAP = 'select pg_sleep(5)';

/** What tenants do, in every way that the database can be spoken to, and what goes wrong when they do. */
export const DEEDS: readonly Deed[] = [
  {
    name: 'finds its own by key in one tick with a neighbour, and neither the other’s',
    weight: 20,
    async run({ scope, tenant, neighbour, beside }) {
      const find = ({ db }: Scope, owner: Tenant, { links }: Tenant) =>
        Promise.all(links.map(({ id }) => db.paymentLink.findUnique({ where: keyOf(owner, id), select: SHOWN })));
      const [own, theirs, ...crossed] = await Promise.all([
        find(scope, tenant, tenant),
        find(beside, neighbour, neighbour),
        find(scope, neighbour, neighbour),
        find(scope, tenant, neighbour),
        find(beside, tenant, tenant),
      ]);
      const titles = theirs.map((link) => link?.title);
      if (!titles.every((title) => title?.startsWith(neighbour.marker))) throw new Error(`the neighbour got ${titles}`);
      return [...own.map((link) => link?.title ?? 'nothing'), ...crossed.flat().filter((link) => link !== null)];
    },
  },
  {
    name: 'finds one',
    weight: 10,
    run: ({ scope: { db } }) => db.paymentLink.findFirstOrThrow({ select: SHOWN }),
  },
  {
    name: 'finds several with what belongs to them',
    weight: 10,
    run: ({ scope: { db } }) =>
      db.paymentLink.findMany({
        ...NEWEST,
        select: { ...SHOWN, organization: { select: { name: true } }, orders: { select: { status: true } } },
      }),
  },
  {
    name: 'asks in SQL',
    weight: 10,
    run: ({ scope: { db } }) => db.$queryRaw`
      select l.title, o.name from payment_links l cross join organizations o order by l.id desc limit 5`,
  },
  {
    name: 'writes in one packet',
    weight: 20,
    writes: true,
    run: ({ scope, tenant, title }) => {
      const id = newId();
      return scope.write((tx) => [
        link(tx, { tenant, title }, id),
        tx.paymentLink.findUniqueOrThrow({ where: keyOf(tenant, id), select: SHOWN }),
        tx.paymentLink.findMany({ ...NEWEST, select: SHOWN }),
      ]);
    },
  },
  {
    name: 'writes in a transaction',
    weight: 10,
    writes: true,
    run: ({ scope, tenant, title }) =>
      scope.transaction(async (tx) => {
        await link(tx, { tenant, title });
        return tx.paymentLink.findMany({ ...NEWEST, select: SHOWN });
      }),
  },
  {
    name: 'looks where nobody may',
    weight: 3,
    fails: 'FORBIDDEN',
    run: ({ scope: { db } }) => db.rateLimit.count(),
  },
  {
    name: 'writes for a neighbour beside its own',
    weight: 4,
    writes: true,
    fails: 'FORBIDDEN',
    run: ({ scope, tenant, neighbour, title }) =>
      scope.write((tx) => [link(tx, { tenant, title }), link(tx, { tenant: neighbour, title })]),
  },
  {
    name: 'divides by nothing',
    weight: 3,
    fails: 'INTERNAL',
    run: ({ scope: { db } }) => db.$queryRaw`select 1 / (count(*) - count(*)) from payment_links`,
  },
  {
    name: 'writes one thing twice',
    weight: 4,
    writes: true,
    fails: 'INTERNAL',
    run: ({ scope, tenant, title }) => {
      const id = newId();
      return scope.write((tx) => [link(tx, { tenant, title }, id), link(tx, { tenant, title }, id)]);
    },
  },
  {
    name: 'overlooks a failure in a transaction',
    weight: 4,
    writes: true,
    fails: 'INTERNAL',
    run: ({ scope, tenant, title }) =>
      scope.transaction(async (tx) => {
        await link(tx, { tenant, title });
        await tx.$queryRaw`select 1 / (count(*) - count(*)) from payment_links`.catch(() => {});
      }),
  },
  {
    name: 'changes its mind',
    weight: 4,
    writes: true,
    fails: 'INTERNAL',
    run: ({ scope, tenant, title }) =>
      scope.transaction(async (tx) => {
        await link(tx, { tenant, title });
        throw new Error('changed my mind');
      }),
  },
  {
    name: 'asks for too long',
    weight: 1,
    fails: 'TIMED_OUT',
    run: ({ scope: { db } }) => db.$queryRaw`select ${NAP}, pg_sleep(5)::text`,
  },
  {
    name: 'writes for too long',
    weight: 1,
    writes: true,
    fails: 'TIMED_OUT',
    run: ({ scope, tenant, title }) => scope.write((tx) => [link(tx, { tenant, title }), tx.$executeRawUnsafe(NAP)]),
  },
  {
    name: 'takes too long in a transaction',
    weight: 1,
    writes: true,
    fails: 'TIMED_OUT',
    run: ({ scope, tenant, title }) =>
      scope.transaction(async (tx) => {
        await link(tx, { tenant, title });
        await tx.$executeRawUnsafe(NAP);
      }),
  },
];

const TOTAL = DEEDS.reduce((sum, { weight }) => sum + weight, 0);

/** The deed that a number between 0 and 1 stands for. */
export function deedOf(chance: number): Deed {
  let left = chance * TOTAL;
  for (const deed of DEEDS) {
    left -= deed.weight;
    if (left < 0) return deed;
  }
  throw new Error('There is no such chance.');
}

/** The code that a caller is shown for a failure. */
export function shownCode(error: unknown): string {
  return error instanceof GatewayError ? error.code : 'INTERNAL';
}
