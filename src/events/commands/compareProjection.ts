import { Prisma } from '../../database/generated/client.ts';
import { jsonOfColumns, type Projection } from '../model.ts';

/** Sends a statement as whoever may read both the log and the table, and answers its rows. */
export interface ProjectionReader {
  read<Row>(statement: Prisma.Sql): Promise<Row[]>;
}

/** A row that does not say what the log says. */
export interface Difference {
  readonly id: string;
  /** What the table says; null when it has no such row. */
  readonly shown: Readonly<Record<string, string>> | null;
  /** What the log says; null when nothing was told of it. */
  readonly told: Readonly<Record<string, string>> | null;
}

/** What came of making an organization's rows anew from the log. */
export interface Comparison {
  readonly rows: number;
  /** SHA-256 of all rows as the table has them, and as the log makes them, in hexadecimal digits. */
  readonly shownHash: string;
  readonly toldHash: string;
  /** The first of them, in the order of their ids. */
  readonly differences: readonly Difference[];
}

/**
 * Makes the rows of one organization anew from the log, and compares them with those that there are, in one statement and
 * so at one instant. What no fact tells (older ones say less) counts as told.
 * @param input.ids only these rows; all when absent
 * @param input.most how many differences are named
 */
export async function compareProjection(
  { read }: ProjectionReader,
  input: {
    readonly projection: Projection;
    readonly organizationId: string;
    readonly ids?: readonly string[];
    readonly most: number;
  },
): Promise<Comparison> {
  const { projection, organizationId, ids = null, most } = input;
  const { table, aggregate } = projection;
  const told = Prisma.raw(
    jsonOfColumns(
      projection,
      ({ fact, first }) => `coalesce(
        (array_agg(e.data ->> '${fact}' order by e.aggregate_version desc) filter (where e.data ? '${fact}'))[1],
        case when max(e.aggregate_version) = 1 then '${first}' end
      )`,
    ),
  );
  const shown = Prisma.raw(jsonOfColumns(projection, (column) => column.shown));
  const hashOf = (state: string): Prisma.Sql => Prisma.sql`encode(sha256(convert_to(
    coalesce(string_agg(id || ' ' || ${Prisma.raw(state)}, chr(10) order by id), ''), 'UTF8'
  )), 'hex')`;
  const [row] = await read<Comparison>(Prisma.sql`
    /* compareProjection */
    with rebuilt as materialized (
      select e.aggregate_id as id, ${told} as told
      from events e
      where e.organization_id = ${organizationId}::uuid
        and e.aggregate_type = ${aggregate}
        and (${ids}::uuid[] is null or e.aggregate_id = any (${ids}::uuid[]))
      group by e.aggregate_id
    ),
    there as (
      select r.id, ${shown} as shown
      from ${Prisma.raw(table)} r
      where r.organization_id = ${organizationId}::uuid
        and (${ids}::uuid[] is null or r.id = any (${ids}::uuid[]))
    ),
    beside as (
      select id, shown, coalesce(shown, '{}') || jsonb_strip_nulls(told) as told
      from rebuilt full join there using (id)
    )
    select
      count(*)::integer as rows,
      ${hashOf('shown::text')} as "shownHash",
      ${hashOf('told::text')} as "toldHash",
      coalesce((
        select jsonb_agg(jsonb_build_object('id', d.id, 'shown', d.shown, 'told', d.told) order by d.id)
        from (select * from beside where shown is distinct from told order by id limit ${most}::integer) d
      ), '[]') as differences
    from beside`);
  if (!row) throw new Error('A comparison has no answer.');
  return row;
}
