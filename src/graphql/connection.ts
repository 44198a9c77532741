import { kernelErrors } from '../kernel/errors.ts';
import { isUuid } from '../kernel/ids.ts';

/** What Relay lets a client ask of a connection. */
export interface PageArguments {
  readonly first?: number | null | undefined;
  readonly last?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly before?: string | null | undefined;
}

/** The columns that every connection is ordered by, newest first; kept by the database to the millisecond. */
export interface SortKey {
  readonly createdAt: Date;
  readonly id: string;
}

/** The columns a page needs besides those that were asked for. */
export const SORT_KEY = { select: { createdAt: true, id: true } } as const;

const DEFAULT_SIZE = 20;
const MAX_SIZE = 100;

type Bound = { readonly lt: unknown } | { readonly gt: unknown };

/** What a page asks of Prisma: one row more than it shows, to know whether another page follows. */
export interface PageQuery {
  where: { AND: object[] };
  orderBy: [{ createdAt: 'asc' | 'desc' }, { id: 'asc' | 'desc' }];
  take: number;
}

/**
 * Turns the arguments of a connection into a keyset query; a cursor whose row is gone continues from its place.
 * @param options.oldestFirst whether the oldest row comes first; the newest does otherwise
 */
export function pageQuery(page: PageArguments, { oldestFirst = false } = {}): PageQuery {
  const direction = (page.last == null) === oldestFirst ? 'asc' : 'desc';
  const older = (value: unknown): Bound => ({ lt: value });
  const newer = (value: unknown): Bound => ({ gt: value });
  const [behind, inFront] = oldestFirst ? [newer, older] : [older, newer];
  const conditions = [
    ...(page.after == null ? [] : [beyond(decodeCursor(page.after), behind)]),
    ...(page.before == null ? [] : [beyond(decodeCursor(page.before), inFront)]),
  ];
  return {
    where: { AND: conditions },
    orderBy: [{ createdAt: direction }, { id: direction }],
    take: sizeOf(page) + 1,
  };
}

/** What a page asks of a statement of one's own, which `pageOf` then makes the page of. */
export interface PageBounds {
  readonly after: SortKey | null;
  readonly before: SortKey | null;
  readonly oldestFirst: boolean;
  /** One row more than the page shows. */
  readonly take: number;
}

/** Turns the arguments of a connection into the places that a statement of one's own begins and ends at. */
export function pageBounds(page: PageArguments): PageBounds {
  return {
    after: page.after == null ? null : decodeCursor(page.after),
    before: page.before == null ? null : decodeCursor(page.before),
    oldestFirst: page.last != null,
    take: sizeOf(page) + 1,
  };
}

/** A connection as Relay shapes it. */
export interface Page<Row> {
  readonly edges: { readonly cursor: string; readonly node: Row }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** Turns the rows that `pageQuery` asked for into a page. */
export function pageOf<Row extends SortKey>(rows: readonly Row[], page: PageArguments): Page<Row> {
  const size = sizeOf(page);
  const more = rows.length > size;
  const shown = rows.slice(0, size);
  if (page.last != null) shown.reverse();
  const edges = shown.map((node) => ({ cursor: encodeCursor(node), node }));
  return {
    edges,
    pageInfo: {
      hasNextPage: page.last == null ? more : page.before != null,
      hasPreviousPage: page.last == null ? page.after != null : more,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** How many rows a page shows at most. */
export function sizeOf({ first, last }: PageArguments): number {
  if (first != null && last != null) {
    throw kernelErrors.BAD_USER_INPUT({ argument: 'last', expected: 'either first or last, not both' });
  }
  const size = first ?? last ?? DEFAULT_SIZE;
  if (size < 1 || size > MAX_SIZE) {
    throw kernelErrors.BAD_USER_INPUT({
      argument: first == null ? 'last' : 'first',
      expected: `1 to ${MAX_SIZE}`,
      actual: size,
    });
  }
  return size;
}

/** Older than (`lt`) or newer than (`gt`) a place in the order; the first condition is what an index can start from. */
function beyond({ createdAt, id }: SortKey, bound: (value: unknown) => Bound): object {
  const inclusive = 'lt' in bound(0) ? { lte: createdAt } : { gte: createdAt };
  return { createdAt: inclusive, OR: [{ createdAt: bound(createdAt) }, { id: bound(id) }] };
}

function encodeCursor({ createdAt, id }: SortKey): string {
  const bytes = Buffer.alloc(22);
  bytes.writeUIntBE(createdAt.getTime(), 0, 6);
  bytes.write(id.replaceAll('-', ''), 6, 'hex');
  return bytes.toString('base64url');
}

function decodeCursor(cursor: string): SortKey {
  const bytes = Buffer.from(cursor, 'base64url');
  const hex = bytes.toString('hex', 6);
  const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  if (bytes.length !== 22 || bytes.toString('base64url') !== cursor || !isUuid(id)) {
    throw kernelErrors.INVALID_CURSOR();
  }
  return { createdAt: new Date(bytes.readUIntBE(0, 6)), id };
}
