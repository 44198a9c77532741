import pg from 'pg';
import type { Row } from '../declarations/scopes.ts';

/** Adds a row, naming each of its columns. */
export function insertOf(table: string, row: Row): string {
  return `insert into ${table} (${Object.keys(row)}) values (${Object.values(row).map(literal)})`;
}

/** Adds a row, or changes the one whose key it has. */
export function upsertOf(table: string, row: Row, key: readonly string[], change: Row): string {
  return `${insertOf(table, row)} on conflict (${key}) do update set ${assignments(change)}`;
}

/** Changes the rows where the condition holds; all when there is none. */
export function updateOf(table: string, change: Row, where?: string): string {
  return `update ${table} set ${assignments(change)}${where ? ` where ${where}` : ''}`;
}

/** Deletes the rows where the condition holds; all when there is none. */
export function deleteOf(table: string, where?: string): string {
  return `delete from ${table}${where ? ` where ${where}` : ''}`;
}

/** Changes the row that matches, by MERGE. */
export function mergeUpdateOf(table: string, change: Row, on: string): string {
  return `merge into ${table} using (values (1)) as always (one) on ${on} when matched then update set ${assignments(change)}`;
}

/** Adds a row where none matches, by MERGE. */
export function mergeInsertOf(table: string, row: Row, on: string): string {
  return `merge into ${table} using (values (1)) as always (one) on ${on}
    when not matched then insert (${Object.keys(row)}) values (${Object.values(row).map(literal)})`;
}

/** What only the row with this key fulfils. */
export function isRow(key: readonly string[], row: Row): string {
  return key.map((column) => `${column} = ${literal(row[column] ?? null)}`).join(' and ');
}

function assignments(change: Row): string {
  return Object.entries(change)
    .map(([column, value]) => `${column} = ${literal(value)}`)
    .join(', ');
}

function literal(value: string | null): string {
  return value === null ? 'null' : pg.escapeLiteral(value);
}
