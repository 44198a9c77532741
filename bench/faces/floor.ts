import { type Answer, checkNew, type Face, NEW_LINK, type Operation, type Pick, sortMemberships } from './face.ts';

/** How the floor is asked; its SQL answers in the shape that all are compared in, but for times and order. */
export const floorFace: Face = {
  path: '/',
  headers: ({ tenant }) => ({ authorization: `Bearer ${tenant.token}` }),
  body: (operation, pick) => ({ operation, variables: variablesOf(operation, pick) }),
  read: (operation, data) => READERS[operation](data),
};

function variablesOf(operation: Operation, { tenant, linkId }: Pick): object {
  if (operation === 'Q2') return { id: linkId };
  if (operation === 'M1') return { ...NEW_LINK, payTo: tenant.address };
  return {};
}

type Timed<Row> = Omit<Row, 'createdAt'> & { readonly createdAt: string };
type Page = Extract<Answer, { links: unknown }>;
type Link = Page['links'][number];
type Order = Link['orders'][number];
type Details = Extract<Answer, { slug: unknown }>;
type Self = Extract<Answer, { userId: unknown }>;
type Made = Pick_<Details, 'id' | 'slug' | 'title' | 'accepts' | 'createdBy'>;
type Pick_<Row, Name extends keyof Row> = { readonly [Key in Name]: Row[Key] };

const READERS: Readonly<Record<Operation, (data: never) => Answer>> = {
  Q1: ({ hasNextPage, links }: { hasNextPage: boolean; links: (Timed<Link> & { orders: Timed<Order>[] })[] }) => ({
    hasNextPage,
    links: links.map((link) => ({ ...timed(link), orders: link.orders.map(timed) })),
  }),
  Q2: (link: Timed<Details>) => timed(link),
  Q3: (self: Self) => ({ ...self, memberships: sortMemberships(self.memberships) }),
  M1: ({ id, slug, title, accepts, createdBy }: Made) => {
    checkNew({ id, slug });
    return { title, accepts, createdBy };
  },
};

function timed<Row extends { readonly createdAt: string }>(row: Row): Omit<Row, 'createdAt'> & { createdAt: number } {
  return { ...row, createdAt: Date.parse(row.createdAt) };
}
