import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { codeOf } from './errors.ts';
import { withSession } from './session.ts';

/** What the gateway logs in as; the migrations grant to this name. */
export const GATEWAY_LOGIN = 'tollhouse_gateway';

/** What the operator's own pool logs in as; it alone may become the operator. */
export const OPERATOR_LOGIN = 'tollhouse_operator_login';

/** The roles that the operator's login may become. */
export const OPERATOR_ROLES = ['tollhouse_operator'] as const;

/** The roles that the gateway's login may become, one for each scene. */
export const SCENE_ROLES = ['tollhouse_public', 'tollhouse_identity', 'tollhouse_member', 'tollhouse_worker'] as const;

/** The narrow owners of the functions that run with their owner's rights. */
const FUNCTION_OWNERS = ['tollhouse_doorkeeper', 'tollhouse_auditor'] as const;

/** Roles without a login. */
const GROUPS: readonly string[] = [...SCENE_ROLES, ...OPERATOR_ROLES, ...FUNCTION_OWNERS];

/** Roles with one, each with the variable that says how to log in. */
const LOGINS = { [GATEWAY_LOGIN]: 'DATABASE_URL', [OPERATOR_LOGIN]: 'OPERATOR_DATABASE_URL' } as const;

type Login = keyof typeof LOGINS;

/** The passwords that logins get when they are made. */
type Passwords = Readonly<Record<Login, string | null>>;

const LOCK = 'tollhouse roles';

/** How often a run is tried again that collided with one which did not see its lock. */
const ATTEMPTS = 10;

/** Two runs made the same role or changed the same membership at the same moment, or waited for each other. */
const COLLISIONS = new Set(['23505', '40P01', '42710', 'XX000']);

/** `postgres` does not exist, may not be connected to, or is not let in by the server's rules. */
const NOT_OPEN = new Set(['28000', '3D000', '42501']);

/** Where the roles are made. */
export interface RoleOptions {
  /** The owner: a superuser, a plain login with CREATEROLE, or any login once all roles are there. */
  readonly ownerUrl: string;
  /** Gives the gateway's login its password when it is made; without it the login has none yet. */
  readonly gatewayUrl?: string | undefined;
  /** The same for the operator's login. */
  readonly operatorUrl?: string | undefined;
}

/**
 * Makes the roles of the whole cluster that are missing, and the memberships between them; never changes or drops one.
 * Any number of processes may call it at once, each for another database.
 * @throws Error that lists, as SQL, what is missing and the owner may not make, or what is stronger than it may be
 */
export async function ensureRoles({ ownerUrl, gatewayUrl, operatorUrl }: RoleOptions): Promise<void> {
  const passwords = {
    [GATEWAY_LOGIN]: passwordOf(gatewayUrl, GATEWAY_LOGIN),
    [OPERATOR_LOGIN]: passwordOf(operatorUrl, OPERATOR_LOGIN),
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await inMaintenanceDatabase(ownerUrl, (client) => completeRoles(client, passwords));
    } catch (error) {
      if (attempt === ATTEMPTS || !COLLISIONS.has(codeOf(error))) throw error;
      await setTimeout(Math.random() * 100);
    }
  }
}

/**
 * An advisory lock belongs to one database, and roles to all of them: only a database that everyone can connect to
 * excludes everyone. Where `postgres` is closed, the owner's own database has to do, and collisions are tried again.
 */
async function inMaintenanceDatabase(ownerUrl: string, run: (client: pg.Client) => Promise<void>): Promise<void> {
  const maintenance = new URL(ownerUrl);
  maintenance.pathname = '/postgres';
  try {
    return await withSession(maintenance.href, run);
  } catch (error) {
    if (!NOT_OPEN.has(codeOf(error))) throw error;
    return await withSession(ownerUrl, run);
  }
}

async function completeRoles(client: pg.Client, passwords: Passwords): Promise<void> {
  await client.query('begin');
  await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [LOCK]);
  const owner = await readOwner(client);
  if (owner.name in LOGINS) {
    throw new Error(`DATABASE_OWNER_URL logs in as ${owner.name}, which must own nothing; give it another login.`);
  }
  const mending = await findTooStrong(client);
  if (mending.length > 0) {
    throw new Error(listing('Some roles exist already and are stronger than they may be; mend them with:', mending));
  }
  const missing = await findMissing(client, owner, passwords);
  const explain = (cause?: unknown): Error => {
    const intro = `Roles are missing that ${owner.name} may not make or grant; let an administrator run:`;
    return new Error(listing(intro, missing), cause === undefined ? undefined : { cause });
  };
  if (missing.length > 0 && !owner.mayMakeRoles) throw explain();
  for (const statement of missing) {
    try {
      await client.query(statement);
    } catch (error) {
      throw codeOf(error) === '42501' ? explain(error) : error;
    }
  }
  await client.query('commit');
}

interface Owner {
  readonly name: string;
  readonly mayMakeRoles: boolean;
  /** Whether memberships say one by one if rights are inherited and if the role may be taken: since PostgreSQL 16. */
  readonly grantsHaveOptions: boolean;
}

async function readOwner(client: pg.Client): Promise<Owner> {
  const { rows } = await client.query<Owner>(`/* readOwner */
    select
      rolname as name,
      rolsuper or rolcreaterole as "mayMakeRoles",
      current_setting('server_version_num')::int >= 160000 as "grantsHaveOptions"
    from pg_roles
    where rolname = current_user`);
  if (!rows[0]) throw new Error('The owner has no role.');
  return rows[0];
}

/** What weakens the roles that were made by somebody else: changing those is a person's decision. */
async function findTooStrong(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `/* findTooStrong */
    select rolname as name
    from pg_roles
    where rolname = any ($1)
      and (
        rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or rolinherit
        or rolcanlogin <> (rolname = any ($2))
      )
    order by rolname`,
    [[...Object.keys(LOGINS), ...GROUPS], Object.keys(LOGINS)],
  );
  return rows.map(
    ({ name }) =>
      `alter role ${name} ${name in LOGINS ? 'login' : 'nologin'} ` +
      'noinherit nosuperuser nobypassrls nocreaterole nocreatedb noreplication',
  );
}

/** The statements that make what is not there yet. */
async function findMissing(client: pg.Client, owner: Owner, passwords: Passwords): Promise<string[]> {
  const existing = await client.query<{ name: string }>('select rolname as name from pg_roles');
  const names = new Set(existing.rows.map(({ name }) => name));
  const secretOf = (login: Login): string => {
    const password = passwords[login];
    return password ? ` password ${pg.escapeLiteral(password)}` : '';
  };
  const roles = [
    ...(Object.keys(LOGINS) as Login[])
      .filter((name) => !names.has(name))
      .map((name) => `create role ${name} login noinherit${secretOf(name)}`),
    ...GROUPS.filter((name) => !names.has(name)).map((name) => `create role ${name} nologin noinherit`),
  ];
  // Changing a function's owner asks for both sides, except of a superuser; to have made a role is not to be in it.
  const memberships = [
    ...SCENE_ROLES.map((role) => ({ role, member: GATEWAY_LOGIN })),
    ...OPERATOR_ROLES.map((role) => ({ role, member: OPERATOR_LOGIN })),
    ...FUNCTION_OWNERS.map((role) => ({ role, member: owner.name })),
  ];
  const { rows } = await client.query<{ role: string; member: string }>(
    `/* findMissingMemberships */
    select wanted.role, wanted.member
    from unnest($1::text[], $2::text[]) as wanted (role, member)
    where not exists (
      select
      from pg_roles r, pg_roles m
      where r.rolname = wanted.role and m.rolname = wanted.member and pg_has_role(m.oid, r.oid, $3)
    )`,
    [
      memberships.map(({ role }) => role),
      memberships.map(({ member }) => member),
      owner.grantsHaveOptions ? 'SET' : 'MEMBER',
    ],
  );
  const options = owner.grantsHaveOptions ? ' with admin false, inherit false, set true' : '';
  const grants = rows.map(({ role, member }) => `grant ${role} to ${pg.escapeIdentifier(member)}${options}`);
  return [...roles, ...grants];
}

function passwordOf(url: string | undefined, login: Login): string | null {
  if (url === undefined) return null;
  // pg's own reading of the URL: percent-encoding, and parameters that override its parts
  const { user, password } = new pg.Client({ connectionString: url });
  if (user !== login) throw new Error(`${LOGINS[login]} must log in as ${login}, not as ${user}.`);
  return password ?? null;
}

function listing(intro: string, statements: readonly string[]): string {
  const shown = statements.map((statement) => `  ${statement.replace(/ password .*/s, ' password …')};`);
  return [intro, ...shown].join('\n');
}
