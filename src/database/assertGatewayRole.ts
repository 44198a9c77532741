import type pg from 'pg';
import { OPERATOR_ROLES, SCENE_ROLES } from './roles.ts';
import { withSession } from './session.ts';

/**
 * Refuses a login that Row-Level Security does not bind, or that is anyone before it enters a scene. Looks at what the
 * login is, at every role it can become through memberships, at what these own, and at what it may touch as itself.
 * @throws Error that lists everything that is wrong with the login, not only the first
 */
export function assertGatewayRole(gatewayUrl: string): Promise<void> {
  return assertLogin(gatewayUrl, { variable: 'DATABASE_URL', roles: SCENE_ROLES });
}

/**
 * Refuses an operator's login that could be anybody but the operator, in the same way.
 * @throws Error that lists everything that is wrong with the login, not only the first
 */
export function assertOperatorRole(operatorUrl: string): Promise<void> {
  return assertLogin(operatorUrl, { variable: 'OPERATOR_DATABASE_URL', roles: OPERATOR_ROLES });
}

/** A variable that says how to log in, and the roles that this login becomes. */
interface ExpectedLogin {
  readonly variable: string;
  readonly roles: readonly string[];
}

function assertLogin(url: string, { variable, roles }: ExpectedLogin): Promise<void> {
  return withSession(url, async (client) => {
    const { rows } = await client.query<{ name: string; strongest: boolean }>(`/* readLogin */
      select session_user as name, rolsuper as strongest from pg_roles where rolname = session_user`);
    const login = rows[0]?.name;
    // A superuser may do everything: a list of it would say nothing more.
    const faults = rows[0]?.strongest
      ? ['it is a superuser']
      : [
          ...(await findStrength(client)),
          ...(await findMemberships(client, roles)),
          ...(await findPossessions(client)),
          ...(await findOpenTables(client)),
        ];
    if (faults.length === 0) return;
    throw new Error(
      [
        `The gateway refuses to run as ${login}, because Row-Level Security would not hold:`,
        ...faults.map((fault) => `  - ${fault}`),
        `${variable} must log in as the role that docs/operations.md describes.`,
      ].join('\n'),
    );
  });
}

/** The login, and every role that it is a member of, directly or through others. */
const REACHABLE = `
  with recursive reachable (oid) as (
    select oid from pg_roles where rolname = session_user
    union
    select m.roleid from pg_auth_members m join reachable on reachable.oid = m.member
  )`;

const AND_MORE = `case when count(*) > 1 then format(' and %s more', count(*) - 1) else '' end`;

async function findStrength(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ fault: string }>(`/* findStrength */
    ${REACHABLE}
    select
      case when r.rolname = session_user then 'it' else 'it can become ' || r.rolname || ', which' end || said.fault
        as fault
    from reachable
    join pg_roles r using (oid)
    cross join lateral (
      values
        (' is a superuser', r.rolsuper),
        (' has BYPASSRLS', r.rolbypassrls),
        (' has CREATEROLE', r.rolcreaterole),
        (' has CREATEDB', r.rolcreatedb),
        (' has REPLICATION', r.rolreplication)
    ) as said (fault, holds)
    where said.holds
    union all
    select 'its sessions begin as ' || current_user || ', not as itself'
    where current_user <> session_user`);
  return rows.map(({ fault }) => fault);
}

async function findMemberships(client: pg.Client, roles: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ fault: string }>(
    `/* findMemberships */
    ${REACHABLE},
    -- the options of one membership came with PostgreSQL 16; before it, inheriting was the member's own attribute
    membership as (
      select
        r.rolname as role,
        m.rolname as member,
        coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, m.rolinherit) as inherits,
        a.admin_option as administers,
        coalesce((to_jsonb(a) ->> 'set_option')::boolean, true) as becomes
      from pg_auth_members a
      join reachable on reachable.oid = a.member
      join pg_roles r on r.oid = a.roleid
      join pg_roles m on m.oid = a.member
    )
    select 'it is a member of ' || role as fault from membership where role <> all ($1)
    union
    select member || ' inherits the rights of ' || role || ' (the grant must say NOINHERIT)'
    from membership
    where inherits
    union
    select member || ' may grant ' || role || ' to others' from membership where administers
    union
    select 'it cannot become ' || wanted.role || ' (has the database been migrated?)'
    from unnest($1::text[]) as wanted (role)
    where not exists (
      select from membership m where m.role = wanted.role and m.member = session_user and m.becomes
    )
    order by fault`,
    [roles],
  );
  return rows.map(({ fault }) => fault);
}

/** Anything at all, here or shared by all databases: an owner walks past RLS, or may switch it off. */
async function findPossessions(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ fault: string }>(`/* findPossessions */
    ${REACHABLE}
    select r.rolname || ' owns ' || min(pg_describe_object(d.classid, d.objid, d.objsubid)) || ${AND_MORE} as fault
    from pg_shdepend d
    join reachable on reachable.oid = d.refobjid
    join pg_roles r on r.oid = reachable.oid
    where d.refclassid = 'pg_authid'::regclass
      and d.deptype = 'o'
      and d.dbid in (0, (select oid from pg_database where datname = current_database()))
    group by r.rolname
    order by r.rolname`);
  return rows.map(({ fault }) => fault);
}

/** A forgotten scene must show nothing, so the login by itself may touch no table; extensions keep their own rules. */
async function findOpenTables(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ fault: string }>(`/* findOpenTables */
    select 'without entering a scene it may use ' || min(format('%I.%I', n.nspname, c.relname)) || ${AND_MORE} as fault
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f')
      and n.nspname <> 'information_schema'
      and n.nspname !~ '^pg_'
      and not exists (
        select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
      )
      and (
        has_table_privilege(session_user, c.oid, 'select, insert, update, delete, truncate, references, trigger')
        or has_any_column_privilege(session_user, c.oid, 'select, insert, update, references')
      )
    having count(*) > 0`);
  return rows.map(({ fault }) => fault);
}
