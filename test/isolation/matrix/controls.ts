import type pg from 'pg';
import { weaken } from './conditions.ts';
import { ROLES } from './privileges.ts';

/** One fault put into the law of a table, which the matrix must find. */
export interface Control {
  readonly name: string;
  readonly table: string;
  readonly statement: string;
  /** The only role whose cells can tell; null when everybody's may. */
  readonly role: string | null;
}

interface Policy {
  readonly table: string;
  readonly name: string;
  readonly role: string;
  readonly using: string | null;
  readonly check: string | null;
}

/** Each policy dropped. */
export async function droppedPolicies(client: pg.Client): Promise<readonly Control[]> {
  return (await readPolicies(client)).map(({ table, name, role }) => ({
    name: `${name} dropped`,
    table,
    statement: `drop policy ${name} on ${table}`,
    role,
  }));
}

/** Each policy's conditions with a part of them left out, and with all of them. */
export async function weakenedPolicies(client: pg.Client): Promise<readonly Control[]> {
  return (await readPolicies(client)).flatMap(({ table, name, role, using, check }) =>
    Object.entries({ using, 'with check': check }).flatMap(([clause, expression]) =>
      weaken(expression ?? 'true').map((weakened) => ({
        name: `${name} ${clause} without ${weakened.without}`,
        table,
        statement: `alter policy ${name} on ${table} ${clause} (${weakened.expression})`,
        role,
      })),
    ),
  );
}

/** Each table no longer under row security, and its owner no longer under it. */
export function unboundTables(tables: readonly string[]): readonly Control[] {
  return tables.flatMap((table) => [
    {
      name: `${table} does not force row security`,
      table,
      statement: `alter table ${table} no force row level security`,
      role: 'tollhouse_owner',
    },
    {
      name: `${table} has no row security`,
      table,
      statement: `alter table ${table} disable row level security`,
      role: null,
    },
  ]);
}

/** Each verb that a role does not have on a table, and each column that it does not have it for. */
export async function grantsTooMany(client: pg.Client): Promise<readonly Control[]> {
  const { rows } = await client.query<{ table: string; role: string; verb: string; columns: string[] | null }>(
    `/* findMissingGrants */
    select
      c.relname as table,
      role,
      verb,
      case when verb in ('select', 'insert', 'update') and has_any_column_privilege(role, c.oid, verb) then array(
        select a.attname::text
        from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          and not has_column_privilege(role, c.oid, a.attnum, verb)
      ) end as columns
    from pg_class c, unnest($1::text[]) as role, unnest($2::text[]) as verb
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and not has_table_privilege(role, c.oid, verb)
    order by c.relname, role, verb`,
    [ROLES, ['select', 'insert', 'update', 'delete', 'truncate']],
  );
  return rows.flatMap(({ table, role, verb, columns }) =>
    [verb, ...(columns ?? []).map((column) => `${verb} (${column})`)].map((granted) => ({
      name: `${granted} on ${table} granted to ${role}`,
      table,
      statement: `grant ${granted} on ${table} to ${role}`,
      role: role === 'public' ? null : role,
    })),
  );
}

async function readPolicies(client: pg.Client): Promise<readonly Policy[]> {
  const { rows } = await client.query<Policy>(`/* readPolicies */
    select
      p.polrelid::regclass::text as table,
      p.polname as name,
      p.polroles[1]::regrole::text as role,
      pg_get_expr(p.polqual, p.polrelid) as using,
      pg_get_expr(p.polwithcheck, p.polrelid) as check
    from pg_policy p join pg_class c on c.oid = p.polrelid
    where c.relnamespace = 'public'::regnamespace
    order by p.polname`);
  return rows;
}
