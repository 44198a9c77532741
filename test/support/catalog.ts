import type pg from 'pg';
import { withSession } from '../../src/database/session.ts';

/** Everything of one kind that a database holds, one line an object, in a stable order. */
export type CatalogSnapshot = Readonly<Record<string, readonly string[]>>;

const OURS = `n.nspname not in ('information_schema') and n.nspname !~ '^pg_'`;

/** Grants as text, whoever made them first; the default ones of an untouched object are spelled out. */
const acl = (column: string, kind: string, owner: string): string => `(
  select coalesce(string_agg(format('%s:%s%s', coalesce(g.rolname, 'public'), a.privilege_type,
    case when a.is_grantable then '*' end), ' ' order by g.rolname collate "C", a.privilege_type), '')
  from aclexplode(coalesce(${column}, acldefault('${kind}', ${owner}))) a
  left join pg_roles g on g.oid = a.grantee
  where a.grantee <> ${owner}
)`;

/** Who may do what: the part of the catalog that prisma/policies shows. */
const LAW: Readonly<Record<string, string>> = {
  'row security': `
    select format('%s enabled=%s forced=%s', c.oid::regclass, c.relrowsecurity, c.relforcerowsecurity)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and ${OURS}`,
  policies: `
    select format('%I.%I %s %s %s to %s using (%s) check (%s)',
      schemaname, tablename, policyname, permissive, cmd, roles, qual, with_check)
    from pg_policies`,
  'table grants': `
    select c.oid::regclass || ' ' || ${acl('c.relacl', 'r', 'c.relowner')}
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and ${OURS}`,
  'column grants': `
    select format('%s.%I %s', c.oid::regclass, a.attname, ${acl('a.attacl', 'c', 'c.relowner')})
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where a.attacl is not null and ${acl('a.attacl', 'c', 'c.relowner')} <> '' and ${OURS}`,
  'sequence grants': `
    select c.oid::regclass || ' ' || ${acl('c.relacl', 's', 'c.relowner')}
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'S' and ${OURS}`,
  'function grants': `
    select p.oid::regprocedure || ' ' || ${acl('p.proacl', 'f', 'p.proowner')}
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where ${OURS}`,
};

/** What there is. */
const SHAPE: Readonly<Record<string, string>> = {
  schemas: `select n.nspname || ' ' || n.nspowner::regrole from pg_namespace n where ${OURS}`,
  'schema grants': `
    select n.nspname || ' ' || ${acl('n.nspacl', 'n', 'n.nspowner')} from pg_namespace n where ${OURS}`,
  extensions: `select extname || ' ' || extversion from pg_extension`,
  relations: `
    select format('%s %s owner=%s persistence=%s options=%s comment=%s definition=%s', c.relkind, c.oid::regclass,
      c.relowner::regrole, c.relpersistence, c.reloptions, obj_description(c.oid, 'pg_class'),
      case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind not in ('i', 'I', 't') and ${OURS}`,
  columns: `
    select format('%s.%I %s %s notnull=%s default=%s identity=%s generated=%s collation=%s comment=%s', c.oid::regclass,
      a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
      a.attidentity, a.attgenerated, nullif(a.attcollation, 0)::regcollation, col_description(c.oid, a.attnum))
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c') and ${OURS}`,
  constraints: `
    select format('%s %I %s validated=%s', coalesce(nullif(k.conrelid, 0)::regclass::text, k.contypid::regtype::text),
      k.conname, pg_get_constraintdef(k.oid), k.convalidated)
    from pg_constraint k join pg_namespace n on n.oid = k.connamespace
    where ${OURS}`,
  indexes: `
    select format('%s valid=%s', pg_get_indexdef(i.indexrelid), i.indisvalid)
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    where ${OURS}`,
  sequences: `
    select format('%I.%I %s %s..%s by %s cache %s cycle=%s', schemaname, sequencename, data_type, min_value, max_value,
      increment_by, cache_size, cycle)
    from pg_sequences`,
  triggers: `
    select format('%s enabled=%s', pg_get_triggerdef(t.oid), t.tgenabled)
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where not t.tgisinternal and ${OURS}`,
  rules: `
    select format('%I.%I %s', schemaname, tablename, definition) from pg_rules r where schemaname !~ '^pg_'`,
  functions: `
    select format('%s owner=%s %s', p.oid::regprocedure, p.proowner::regrole, pg_get_functiondef(p.oid))
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where p.prokind in ('f', 'p') and ${OURS}`,
  types: `
    select format('%s owner=%s %s grants=%s', t.oid::regtype, t.typowner::regrole,
      (select string_agg(e.enumlabel, ',' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
      ${acl('t.typacl', 'T', 't.typowner')})
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where t.typtype in ('e', 'd', 'r') and ${OURS}`,
  'default grants': `
    select format('%s in %s for %s: %s', d.defaclrole::regrole, nullif(d.defaclnamespace, 0)::regnamespace,
      d.defaclobjtype, d.defaclacl)
    from pg_default_acl d`,
};

/** The whole catalog, as a superuser reads it. */
export function readCatalog(url: string): Promise<CatalogSnapshot> {
  return readSnapshot(url, { ...SHAPE, ...LAW });
}

/** Who may do what in the tables of the domains; the migrations' own bookkeeping keeps its own law. */
export async function readLaw(url: string): Promise<CatalogSnapshot> {
  const law = await readSnapshot(url, LAW);
  return Object.fromEntries(
    Object.entries(law).map(([kind, lines]) => [kind, lines.filter((line) => !/^(public\.)?_prisma_migr/.test(line))]),
  );
}

async function readSnapshot(url: string, queries: Readonly<Record<string, string>>): Promise<CatalogSnapshot> {
  return withSession(url, async (client) => {
    const snapshot: Record<string, readonly string[]> = {};
    for (const [kind, query] of Object.entries(queries)) snapshot[kind] = await readLines(client, query);
    return snapshot;
  });
}

async function readLines(client: pg.Client, query: string): Promise<string[]> {
  const { rows } = await client.query<[string]>({ text: query, rowMode: 'array' });
  return rows.map(([line]) => line.trim()).sort();
}
