import { kernelErrors } from '../kernel/errors.ts';
import { isUuid } from '../kernel/ids.ts';
import { type Page, type PageArguments, sizeOf } from './connection.ts';

/** What a list is ordered by, and which end comes first. */
export interface Ordering<Field extends string = string> {
  readonly field: Field;
  readonly direction: 'ASC' | 'DESC';
}

/** What decides where a row stands in an order; of two with the same value the id decides. */
export interface Place {
  readonly value: string | Date;
  readonly id: string;
}

/** A row's place in an order, as a cursor, which is good in that order alone. */
function writePlace({ field, direction }: Ordering, { value, id }: Place): string {
  return Buffer.from(JSON.stringify([field, direction, value, id])).toString('base64url');
}

/**
 * The place that a cursor of this order stands for.
 * @param kind what rows are ordered by: a moment, or a text
 * @throws INVALID_CURSOR
 */
export function readPlace(
  { field, direction }: Ordering,
  cursor: string,
  kind: 'moment' | 'text',
): { readonly value: string; readonly id: string } {
  const [itsField, itsDirection, value, id] = listIn(Buffer.from(cursor, 'base64url').toString());
  const isPlace = kind === 'text' ? isText(value) : isMoment(value);
  if (itsField !== field || itsDirection !== direction || !isPlace || typeof id !== 'string' || !isUuid(id)) {
    throw kernelErrors.INVALID_CURSOR();
  }
  return { value: value as string, id };
}

/**
 * Turns rows, one more than the page shows and those next to its cursor first, into a page of an order.
 * @param placeOf where a row stands in it
 */
export function pageOfPlaces<Row>(
  rows: readonly Row[],
  { order, page, placeOf }: { order: Ordering; page: PageArguments; placeOf: (row: Row) => Place },
): Page<Row> {
  const size = sizeOf(page);
  const more = rows.length > size;
  const shown = rows.slice(0, size);
  if (page.last != null) shown.reverse();
  const edges = shown.map((node) => ({ cursor: writePlace(order, placeOf(node)), node }));
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

function listIn(text: string): readonly unknown[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 1_000 && !value.includes('\0');
}

function isMoment(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const time = Date.parse(value);
  return !Number.isNaN(time) && new Date(time).toISOString() === value;
}
