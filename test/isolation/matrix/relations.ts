import type pg from 'pg';

/** A table as the live catalog has it. */
export interface Relation {
  readonly name: string;
  readonly columns: readonly string[];
  /** The columns that a new row may name: not those that the database always fills. */
  readonly written: readonly string[];
  readonly key: readonly string[];
  /** The columns of all unique indexes. */
  readonly unique: readonly string[];
}

/** Everything in the public schema that can be asked like a table. */
export async function readRelations(client: pg.Client): Promise<readonly Relation[]> {
  const { rows } = await client.query<Relation>(`/* readRelations */
    select
      c.relname as name,
      array_agg(a.attname::text order by a.attnum) as columns,
      array_agg(a.attname::text order by a.attnum) filter (where a.attidentity = '' and a.attgenerated = '') as written,
      array(
        select k.attname::text
        from pg_index i join pg_attribute k on k.attrelid = i.indexrelid
        where i.indrelid = c.oid and i.indisprimary
        order by k.attnum
      ) as key,
      array(
        select distinct k.attname::text
        from pg_index i join pg_attribute k on k.attrelid = i.indexrelid
        where i.indrelid = c.oid and i.indisunique
      ) as unique
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
    group by c.oid
    order by c.relname`);
  return rows;
}
