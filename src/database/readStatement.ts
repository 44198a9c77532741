import { TABLES } from './generated/tables.ts';
import { type Decode, decodeEach, decodeFields, decoderOf } from './readValue.ts';
import { complete, conditionsOf, NOT_OURS, own, parameter, plainObject, type Walk } from './readWhere.ts';
import type { Column, Relation, Table } from './tables.ts';

/** One statement that answers a read with one column of one row: the JSON of all that was asked for. */
export interface ReadStatement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** What the JSON means, as Prisma would have answered it; null where nothing was found. */
  readonly decode: Decode;
}

/** The reads that can be said as one statement. */
export type ReadOperation = 'findMany' | 'findFirst' | 'findUnique';

/**
 * Says a read of Prisma's as one statement, however deep it reaches: each relation is a subquery, each row becomes JSON
 * once, and PostgreSQL touches the columns that were asked for and no others. Names come from the models alone, and
 * whatever a caller sent is a parameter. Null for all that this does not know: Prisma answers it.
 */
export function readStatement(model: string, operation: ReadOperation, args: unknown): ReadStatement | null {
  const table = own(TABLES, model);
  if (!table) return null;
  const walk: Walk = { values: [], aliases: 0 };
  try {
    const read = argumentsOf(args);
    const one = operation !== 'findMany';
    if (operation === 'findUnique') checkKey(table, plainObject(read.where));
    if (operation === 'findFirst' && read.take !== undefined) throw NOT_OURS;
    const rows = rowsOf(walk, table, one ? { ...read, take: 1 } : read, null);
    const json = one ? 'row_to_json(r)' : "coalesce(json_agg(r), '[]')";
    return {
      text: `/* ${operation} ${model} */ select ${json}::text from (${rows.text}) r`,
      values: walk.values,
      decode: one ? (rows.decode ?? ((row: unknown) => row)) : decodeEach(rows.decode),
    };
  } catch (error) {
    if (error === NOT_OURS) return null;
    throw error;
  }
}

/** `findUnique` wants a whole key of the table, and nothing in it missing. */
function checkKey({ keys }: Table, where: Record<string, unknown>): void {
  const names = Object.keys(where);
  complete(where, names);
  if (!names.some((name) => own(keys, name))) throw NOT_OURS;
}

interface ReadArguments {
  readonly select?: unknown;
  readonly where?: unknown;
  readonly orderBy?: unknown;
  readonly take?: unknown;
}

const KNOWN = new Set(['select', 'where', 'orderBy', 'take']);

function argumentsOf(args: unknown): ReadArguments {
  const given = plainObject(args);
  for (const name in given) if (given[name] !== undefined && !KNOWN.has(name)) throw NOT_OURS;
  return given;
}

interface Rows {
  readonly text: string;
  readonly decode: Decode | null;
}

/** The rows that a row above them points at. */
interface Join {
  readonly relation: Relation;
  readonly alias: string;
}

function rowsOf(walk: Walk, table: Table, { select, where, orderBy, take }: ReadArguments, join: Join | null): Rows {
  // Without a choice Prisma answers every column, which is nobody's need here.
  if (select === undefined || select === null) throw NOT_OURS;
  const alias = `t${walk.aliases++}`;
  const decoders: [name: string, decode: Decode][] = [];
  const shown: string[] = [];
  for (const [name, wanted] of Object.entries(plainObject(select))) {
    if (wanted === false || wanted === undefined) continue;
    const column = own(table.columns, name);
    const field = column
      ? columnOf(column, alias, wanted)
      : relationOf(walk, own(table.relations, name), alias, wanted);
    shown.push(`${field.text} as "${name}"`);
    if (field.decode) decoders.push([name, field.decode]);
  }
  if (shown.length === 0) throw NOT_OURS;
  const conditions = [
    ...(join?.relation.to ?? []).map((to, index) => `${alias}.${to} = ${join?.alias}.${join?.relation.from[index]}`),
    ...conditionsOf(walk, table, alias, where),
  ];
  const order = orderOf(table, alias, orderBy);
  const text = [
    `select ${shown.join(', ')} from ${table.name} ${alias}`,
    ...(conditions.length > 0 ? [`where ${conditions.join(' and ')}`] : []),
    ...(order.length > 0 ? [`order by ${order.join(', ')}`] : []),
    ...(take === undefined ? [] : [`limit ${parameter(walk, sizeOf(take))}`]),
  ].join(' ');
  return { text, decode: decoders.length > 0 ? decodeFields(decoders) : null };
}

/** JSON has no number that holds an amount, so these travel as texts. */
const AS_TEXT = new Set(['BigInt', 'Decimal']);

function columnOf({ column, type, list }: Column, alias: string, wanted: unknown): Rows {
  if (wanted !== true || (list && (AS_TEXT.has(type) || type === 'Bytes'))) throw NOT_OURS;
  const decode = decoderOf(type);
  // To Prisma a list is never null.
  const place = list ? `coalesce(${alias}.${column}, '{}')` : `${alias}.${column}`;
  return {
    text: type === 'Bytes' ? `encode(${place}, 'hex')` : `${place}${AS_TEXT.has(type) ? '::text' : ''}`,
    decode: decode && list ? decodeEach(decode) : decode,
  };
}

function relationOf(walk: Walk, relation: Relation | undefined, alias: string, wanted: unknown): Rows {
  const table = relation && TABLES[relation.model];
  if (!table || wanted === true) throw NOT_OURS;
  const read = argumentsOf(wanted);
  if (!relation.list && (read.where ?? read.orderBy ?? read.take) !== undefined) throw NOT_OURS;
  const rows = rowsOf(walk, table, read, { relation, alias });
  if (!relation.list) return { text: `(select row_to_json(r) from (${rows.text}) r)`, decode: rows.decode };
  return {
    text: `(select coalesce(json_agg(r), '[]') from (${rows.text}) r)`,
    decode: rows.decode && decodeEach(rows.decode),
  };
}

function orderOf(table: Table, alias: string, orderBy: unknown): string[] {
  if (orderBy === undefined) return [];
  return (Array.isArray(orderBy) ? orderBy : [orderBy]).map((each: unknown) => {
    const [[name, direction] = ['', undefined], ...others] = Object.entries(plainObject(each));
    if (others.length > 0) throw NOT_OURS;
    const column = own(table.columns, name);
    if (!column || (direction !== 'asc' && direction !== 'desc')) throw NOT_OURS;
    return `${alias}.${column.column} ${direction}`;
  });
}

function sizeOf(take: unknown): number {
  if (typeof take !== 'number' || !Number.isSafeInteger(take) || take < 0) throw NOT_OURS;
  return take;
}
