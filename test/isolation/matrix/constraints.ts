import type pg from 'pg';
import { newId } from '../../../src/kernel/ids.ts';
import { pick, type Row } from '../declarations/scopes.ts';
import { type Asking, askingOf, type Subject } from './asking.ts';
import type { Placed } from './cast.ts';
import { newRows } from './cells.ts';
import { fresh } from './newRows.ts';
import type { Stage } from './stage.ts';
import { insertOf, isRow, updateOf } from './statements.ts';

/** What looks at rows of other tenants, whoever writes: a foreign key, or a unique index without the tenant. */
export interface Constraint {
  readonly table: string;
  readonly name: string;
  readonly columns: readonly string[];
  /** What a foreign key refers to; null for an index. */
  readonly parent: string | null;
  readonly parentColumns: readonly string[];
}

/** Two writes that differ only in whether what they name is there, in another tenant. */
export interface Pair {
  readonly there: string;
  readonly nowhere: string;
}

/** Every constraint of the live catalog through which one tenant might feel another. */
export async function readConstraints(client: pg.Client): Promise<readonly Constraint[]> {
  const names = (table: string, numbers: string): string => `array(
    select a.attname::text
    from unnest(${numbers}) with ordinality u (n, i) join pg_attribute a on a.attrelid = ${table} and a.attnum = n
    order by i
  )`;
  const { rows } = await client.query<Constraint>(`/* readConstraints */
    select conrelid::regclass::text as table, conname as name, ${names('conrelid', 'conkey')} as columns,
      confrelid::regclass::text as parent, ${names('confrelid', 'confkey')} as "parentColumns"
    from pg_constraint
    where contype = 'f' and connamespace = 'public'::regnamespace
    union all
    select indrelid::regclass::text, indexrelid::regclass::text, ${names('indrelid', 'indkey::int[]')}, null, '{}'
    from pg_index join pg_class c on c.oid = indrelid
    where indisunique and c.relnamespace = 'public'::regnamespace
      and not exists (
        select from pg_attribute a
        where a.attrelid = indrelid and a.attnum = any (indkey::int[]) and a.attname = 'organization_id'
      )
    order by 1, 2`);
  return rows;
}

/** Every way in which the actor can ask the constraint about a row that it does not see. */
export function pairsOf({ subjects }: Stage, constraint: Constraint, placed: Placed): readonly Pair[] {
  const asking = askingOf(subjects.get(constraint.table) as Subject, placed);
  if (constraint.parent === null) return uniquePairs(constraint, asking);
  return parentPairs(constraint, asking, askingOf(subjects.get(constraint.parent) as Subject, placed));
}

/** Naming another tenant's parent, with its organization or with one's own. */
function parentPairs({ columns, parentColumns }: Constraint, asking: Asking, parents: Asking): Pair[] {
  const unseen = parents.targets.find(({ tenant, row }) => tenant === OTHER && !parents.reaches('select', row))?.row;
  if (!unseen) return [];
  const there = Object.fromEntries(
    columns.map((column, index) => [column, unseen[parentColumns[index] ?? ''] ?? null]),
  );
  const nowhere = Object.fromEntries(columns.map((column) => [column, newId()]));
  const withoutTenant = columns.filter((column) => column !== 'organization_id');
  return [columns, ...(withoutTenant.length < columns.length ? [withoutTenant] : [])]
    .filter(({ length }) => length > 0)
    .flatMap((named) => writes(asking, pick(there, named), pick(nowhere, named)));
}

/** Taking what another tenant's row has, where only one may have it. */
function uniquePairs({ table, columns }: Constraint, asking: Asking): Pair[] {
  const { targets, reaches, world } = asking;
  const unseen = targets.filter(({ tenant, row }) => [OTHER, '-'].includes(tenant) && !reaches('select', row));
  return unseen.flatMap(({ row }) => {
    const nowhere = { ...pick(row, columns), ...pick(fresh(table, row, world), columns) };
    return writes(asking, pick(row, columns), nowhere);
  });
}

/** The number of the organization that is asked about; everybody asks from another. */
const OTHER = '1';

/** Each write that is allowed otherwise, with the one and with the other. */
function writes(asking: Asking, there: Row, nowhere: Row): Pair[] {
  const { relation, targets, may, reaches, change } = asking;
  const columns = Object.keys(there);
  const pairs: Pair[] = [];
  const pair = (write: (words: Row) => string): number => pairs.push({ there: write(there), nowhere: write(nowhere) });
  const added = newRows(asking).find(({ row }) => reaches('insert', row))?.row;
  if (added && may('insert', columns)) pair((words) => insertOf(relation.name, { ...added, ...words }));
  const changed = targets.find(({ row }) => reaches('update', row))?.row;
  if (changed && may('update', columns)) {
    pair((words) => updateOf(relation.name, { ...change(changed), ...words }, isRow(relation.key, changed)));
  }
  return pairs;
}
