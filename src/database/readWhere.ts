import { TABLES } from './generated/tables.ts';
import type { Column, Relation, Table } from './tables.ts';

/** What grows while a read is being said. */
export interface Walk {
  readonly values: unknown[];
  aliases: number;
}

/** Thrown where a read asks for what we do not know; it is then left to Prisma. */
export const NOT_OURS: unique symbol = Symbol('left to Prisma');

/** Adds a value, and says where it stands. */
export function parameter(walk: Walk, value: unknown): string {
  walk.values.push(value);
  return `$${walk.values.length}`;
}

/** What a record has under a name that somebody else chose. */
export function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** What is a plain object, or nothing at all. */
export function plainObject(value: unknown): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw NOT_OURS;
  return value as Record<string, unknown>;
}

/** A `where` of Prisma's as conditions that all must hold. */
export function conditionsOf(walk: Walk, table: Table, alias: string, where: unknown): string[] {
  return Object.entries(plainObject(where)).flatMap(([name, asked]) => {
    if (asked === undefined) return [];
    if (name === 'AND') return alternatives(asked).flatMap((each) => conditionsOf(walk, table, alias, each));
    if (name === 'OR' && !Array.isArray(asked)) throw NOT_OURS;
    if (name === 'OR') return [anyOf(alternatives(asked).map((each) => conditionsOf(walk, table, alias, each)))];
    const column = own(table.columns, name);
    if (column) return comparisons(walk, column, `${alias}.${column.column}`, asked);
    const relation = own(table.relations, name);
    if (relation) return [related(walk, relation, alias, asked)];
    const key = own(table.keys, name);
    if (!key) throw NOT_OURS;
    return conditionsOf(walk, table, alias, complete(plainObject(asked), key));
  });
}

/** A key of which a part is missing would be answered with whatever row comes first. */
export function complete(asked: Record<string, unknown>, key: readonly string[]): Record<string, unknown> {
  if (key.length === 0 || key.some((name) => asked[name] === undefined)) throw NOT_OURS;
  return asked;
}

function alternatives(asked: unknown): unknown[] {
  return Array.isArray(asked) ? asked : [asked];
}

function anyOf(choices: readonly (readonly string[])[]): string {
  // For no alternatives, and for one that asks for nothing, Prisma has rules of its own.
  if (choices.length === 0 || choices.some((all) => all.length === 0)) throw NOT_OURS;
  return `(${choices.map((all) => `(${all.join(' and ')})`).join(' or ')})`;
}

/** Rows whose one relation is as asked. */
function related(walk: Walk, { model, from, to, list }: Relation, alias: string, asked: unknown): string {
  const table = TABLES[model];
  const filter = plainObject(asked);
  if (!table || list || asked === null || 'is' in filter || 'isNot' in filter) throw NOT_OURS;
  const other = `t${walk.aliases++}`;
  const joined = to.map((column, index) => `${other}.${column} = ${alias}.${from[index]}`);
  const conditions = [...joined, ...conditionsOf(walk, table, other, filter)];
  return `exists (select from ${table.name} ${other} where ${conditions.join(' and ')})`;
}

const OPERATORS: Readonly<Record<string, string>> = { equals: '=', lt: '<', lte: '<=', gt: '>', gte: '>=' };

function comparisons(walk: Walk, { type, list }: Column, place: string, asked: unknown): string[] {
  if (list || type === 'Json') throw NOT_OURS;
  if (asked === null) return [`${place} is null`];
  const value = sendable(asked);
  if (value !== undefined) return [`${place} = ${parameter(walk, value)}`];
  return Object.entries(plainObject(asked)).flatMap(([name, operand]) => {
    if (operand === undefined) return [];
    if (name === 'equals' && operand === null) return [`${place} is null`];
    if (name === 'in' && Array.isArray(operand)) return [`${place} = any(${parameter(walk, operand.map(needed))})`];
    const operator = own(OPERATORS, name);
    if (!operator) throw NOT_OURS;
    return [`${place} ${operator} ${parameter(walk, needed(operand))}`];
  });
}

function needed(operand: unknown): unknown {
  const value = sendable(operand);
  if (value === undefined) throw NOT_OURS;
  return value;
}

/** A value as `pg` sends it; undefined for what is no single value. */
function sendable(asked: unknown): unknown {
  if (typeof asked === 'bigint') return asked.toString();
  if (typeof asked !== 'object') return asked;
  // PostgreSQL writes years of five digits without a sign.
  if (asked instanceof Date) return asked.toISOString().replace(/^\+0*/, '');
  if (asked instanceof Uint8Array) return Buffer.from(asked);
  return undefined;
}
