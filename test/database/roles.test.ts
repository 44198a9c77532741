import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { assertGatewayRole } from '../../src/database/assertGatewayRole.ts';
import { migrate } from '../../src/database/migrations.ts';
import { ensureRoles } from '../../src/database/roles.ts';
import { withSession } from '../../src/database/session.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { followOperations, type OperatedDatabase } from '../support/operations.ts';
import { startPostgres, type TestServer } from '../support/postgres.ts';

async function rowsOf<Row>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  return withSession(url, async (client) => (await client.query(text, values)).rows as Row[]);
}

// Roles are of the whole server, so these tests have one of their own.
describe('the roles of a server', () => {
  let server: TestServer;
  let urls: OperatedDatabase;

  const admin = (text: string): Promise<unknown[]> => rowsOf(server.adminUrl, text);
  const inside = (url: string, name: string): string => Object.assign(new URL(url), { pathname: `/${name}` }).href;

  const roles = (): Promise<unknown[]> =>
    admin(`
      select rolname as name, rolcanlogin as login, rolinherit as inherits, rolsuper or rolbypassrls or rolcreaterole
        or rolcreatedb or rolreplication as strong
      from pg_roles where rolname ~ '^tollhouse_' and rolname <> 'tollhouse_owner' order by rolname`);

  const memberships = async (): Promise<string[]> => {
    const rows = (await admin(`
      select m.rolname || ' -> ' || r.rolname || case when a.admin_option then ' (admin)' else '' end as text
      from pg_auth_members a join pg_roles m on m.oid = a.member join pg_roles r on r.oid = a.roleid
      where r.rolname ~ '^tollhouse_' and coalesce((to_jsonb(a) ->> 'set_option')::boolean, true)
      order by 1`)) as { text: string }[];
    return rows.map(({ text }) => text);
  };

  const EXPECTED_MEMBERSHIPS = [
    'tollhouse_gateway -> tollhouse_identity',
    'tollhouse_gateway -> tollhouse_member',
    'tollhouse_gateway -> tollhouse_public',
    'tollhouse_gateway -> tollhouse_worker',
    'tollhouse_operator_login -> tollhouse_operator',
    'tollhouse_owner -> tollhouse_auditor',
    'tollhouse_owner -> tollhouse_doorkeeper',
  ];

  /** Databases without migrations, whose schema belongs to the owner. */
  async function makeDatabases(length: number): Promise<string[]> {
    const names = Array.from({ length }, () => `roles_${randomBytes(6).toString('hex')}`);
    for (const name of names) {
      await admin(`create database ${name}`);
      await rowsOf(inside(server.adminUrl, name), 'alter schema public owner to tollhouse_owner');
    }
    return names;
  }

  /** As the server was before anyone migrated: the two logins of docs/operations.md and nothing else. */
  async function forgetRoles(): Promise<void> {
    const databases = (await admin(`select datname as name from pg_database where datname ~ '^roles_'`)) as {
      name: string;
    }[];
    for (const { name } of databases) await admin(`drop database ${name} with (force)`);
    const made = (await roles()) as { name: string }[];
    for (const { name } of made.filter((role) => role.name !== 'tollhouse_gateway')) await admin(`drop role ${name}`);
  }

  beforeAll(async () => {
    server = await startPostgres();
    urls = await followOperations(server.adminUrl);
  });
  afterEach(forgetRoles);
  afterAll(() => server?.stop());

  it('begin with two logins that an administrator of a managed server could make from the documentation', async () => {
    expect(
      await admin(`
        select rolname as name, rolcanlogin as login, rolsuper as super, rolcreaterole as createrole,
          rolinherit as inherits, rolbypassrls as bypassrls
        from pg_roles where rolname ~ '^tollhouse_' order by rolname`),
    ).toEqual([
      { name: 'tollhouse_gateway', login: true, super: false, createrole: false, inherits: false, bypassrls: false },
      { name: 'tollhouse_owner', login: true, super: false, createrole: true, inherits: false, bypassrls: false },
    ]);
    expect(await rowsOf(urls.gatewayUrl, 'select current_database() as name')).toEqual([{ name: 'tollhouse' }]);
  });

  it('are completed by an owner who is no superuser', async () => {
    await ensureRoles(urls);
    const group = { login: false, inherits: false, strong: false };
    expect(await roles()).toEqual([
      { name: 'tollhouse_auditor', ...group },
      { name: 'tollhouse_doorkeeper', ...group },
      { name: 'tollhouse_gateway', login: true, inherits: false, strong: false },
      { name: 'tollhouse_identity', ...group },
      { name: 'tollhouse_member', ...group },
      { name: 'tollhouse_operator', ...group },
      { name: 'tollhouse_operator_login', login: true, inherits: false, strong: false },
      { name: 'tollhouse_public', ...group },
      { name: 'tollhouse_worker', ...group },
    ]);
    expect(await memberships()).toEqual(EXPECTED_MEMBERSHIPS);
  });

  it('let that owner give a function away in a migration, and the gateway not', async () => {
    await ensureRoles(urls);
    const [name = ''] = await makeDatabases(1);
    const give = `
      create function answer() returns int language sql as 'select 42';
      grant create on schema public to tollhouse_doorkeeper;
      alter function answer() owner to tollhouse_doorkeeper;
      revoke create on schema public from tollhouse_doorkeeper`;
    await rowsOf(inside(urls.ownerUrl, name), give);
    const take = 'set role tollhouse_doorkeeper';
    await rowsOf(inside(urls.ownerUrl, name), take);
    await expect(rowsOf(inside(urls.gatewayUrl, name), take)).rejects.toThrow('permission denied');
    await expect(rowsOf(inside(urls.gatewayUrl, name), 'set role tollhouse_operator')).rejects.toThrow(
      'permission denied',
    );
    await rowsOf(inside(urls.gatewayUrl, name), 'set role tollhouse_member');
  });

  it('are the same after a second time, and no password is another one', async () => {
    await ensureRoles(urls);
    const before = [await roles(), await admin('select * from pg_auth_members order by 1, 2, 3'), await passwords()];
    await ensureRoles({
      ...urls,
      gatewayUrl: Object.assign(new URL(urls.gatewayUrl), { password: 'another' }).href,
    });
    expect([await roles(), await admin('select * from pg_auth_members order by 1, 2, 3'), await passwords()]).toEqual(
      before,
    );
  });

  const passwords = (): Promise<unknown[]> => admin('select rolname, rolpassword from pg_authid order by rolname');

  it('include the gateway’s login, with the password of its URL, where nobody made it', async () => {
    await admin('drop owned by tollhouse_gateway');
    await rowsOf(inside(server.adminUrl, 'tollhouse'), 'drop owned by tollhouse_gateway');
    await admin('drop role tollhouse_gateway');
    const gatewayUrl = Object.assign(new URL(urls.gatewayUrl), { password: encodeURIComponent(`it's 100%`) }).href;
    await ensureRoles({ ...urls, gatewayUrl });
    await admin('grant connect on database tollhouse to tollhouse_gateway');
    expect(await rowsOf(gatewayUrl, 'select current_user as name')).toEqual([{ name: 'tollhouse_gateway' }]);
    expect(await memberships()).toEqual(EXPECTED_MEMBERSHIPS);
    await expect(rowsOf(Object.assign(new URL(gatewayUrl), { password: 'other' }).href, 'select')).rejects.toThrow(
      'password authentication failed',
    );
    await admin(`alter role tollhouse_gateway password '${new URL(urls.gatewayUrl).password}'`);
  });

  it.each([
    ['through the maintenance database', ''],
    ['through their own, where that is closed', 'revoke connect on database postgres from public'],
  ])('survive six databases that migrate at the same moment, %s', async (_, before) => {
    if (before) await admin(before);
    try {
      const names = await makeDatabases(6);
      const runs = await Promise.all(
        names.map(async (name) => {
          const ownerUrl = inside(urls.ownerUrl, name);
          await ensureRoles({ ...urls, ownerUrl });
          return migrate(ownerUrl);
        }),
      );
      expect(new Set(runs.map((applied) => applied.join())).size).toBe(1);
      expect(runs[0]?.length).toBeGreaterThan(0);
      expect(await memberships()).toEqual(EXPECTED_MEMBERSHIPS);
    } finally {
      await admin('grant connect on database postgres to public');
    }
  });

  describe('where the owner may make none', () => {
    beforeAll(() => admin('alter role tollhouse_owner nocreaterole'));
    afterAll(() => admin('alter role tollhouse_owner createrole'));

    it('are asked of an administrator as SQL, which then is enough', async () => {
      const failure = (await ensureRoles(urls).catch((error: unknown) => error)) as Error;
      expect(failure.message).toContain('tollhouse_owner may not make or grant');
      expect(failure.message).toContain('  create role tollhouse_member nologin noinherit;');
      expect(failure.message).not.toContain('create role tollhouse_gateway');
      expect(failure.message).not.toContain(new URL(urls.gatewayUrl).password);
      expect(await roles()).toHaveLength(1);

      const [, ...statements] = failure.message.split('\n');
      await admin(statements.join('\n'));
      await ensureRoles(urls);
      expect(await memberships()).toEqual(EXPECTED_MEMBERSHIPS);
    });

    it('do not show the gateway’s password when its login is missing too', async () => {
      await admin('alter role tollhouse_gateway rename to tollhouse_elsewhere');
      try {
        const failure = (await ensureRoles(urls).catch((error: unknown) => error)) as Error;
        expect(failure.message).toContain('  create role tollhouse_gateway login noinherit password …;');
        expect(failure.message).not.toContain(new URL(urls.gatewayUrl).password);
      } finally {
        await admin('alter role tollhouse_elsewhere rename to tollhouse_gateway');
        await admin(`alter role tollhouse_gateway password '${new URL(urls.gatewayUrl).password}'`);
      }
    });
  });

  it('that somebody made stronger are refused, and left alone', async () => {
    await ensureRoles(urls);
    await admin('alter role tollhouse_member bypassrls; alter role tollhouse_gateway inherit');
    const before = await roles();
    const failure = (await ensureRoles(urls).catch((error: unknown) => error)) as Error;
    expect(await roles()).toEqual(before);
    const [intro, ...statements] = failure.message.split('\n');
    expect(intro).toContain('stronger than they may be');
    expect(statements).toHaveLength(2);
    await admin(statements.join('\n'));
    await ensureRoles(urls);
  });

  it('are not made for a gateway that logs in as somebody else', async () => {
    await expect(ensureRoles({ ...urls, gatewayUrl: urls.ownerUrl })).rejects.toThrow(
      'DATABASE_URL must log in as tollhouse_gateway, not as tollhouse_owner.',
    );
    await expect(ensureRoles({ ...urls, ownerUrl: urls.gatewayUrl })).rejects.toThrow(
      'DATABASE_OWNER_URL logs in as tollhouse_gateway, which must own nothing',
    );
    expect(await roles()).toHaveLength(1);
  });

  it('are left in place by a migration that is undone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tollhouse-migrations-'));
    await mkdir(join(folder, '20260101000000_wrong'));
    await writeFile(join(folder, '20260101000000_wrong', 'migration.sql'), 'select * from nowhere');
    const [name = ''] = await makeDatabases(1);
    await ensureRoles(urls);
    await expect(migrate(inside(urls.ownerUrl, name), folder)).rejects.toThrow('was undone');
    expect(await memberships()).toEqual(EXPECTED_MEMBERSHIPS);
    await rm(folder, { recursive: true });
  });
});

describe('the login of a gateway', () => {
  let database: TestDatabase;
  const logins: string[] = [];

  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(async () => {
    for (const name of logins) await rowsOf(database.adminUrl, `drop owned by ${name} cascade; drop role ${name}`);
    await database?.drop();
  });

  const SCENES = 'tollhouse_public, tollhouse_identity, tollhouse_member, tollhouse_worker';

  /** A login of the server's, made as a gateway's ought to be, and then changed. */
  async function login(change: (name: string) => string, inherits = 'noinherit'): Promise<string> {
    const name = `login_${randomBytes(6).toString('hex')}`;
    logins.push(name);
    await rowsOf(
      database.adminUrl,
      `create role ${name} login ${inherits} password 'secret';
       grant connect on database ${database.name} to ${name};
       grant ${SCENES} to ${name};
       ${change(name)}`,
    );
    return Object.assign(new URL(database.gatewayUrl), { username: name, password: 'secret' }).href;
  }

  it('is accepted as the documentation and the migrations make it', async () => {
    await assertGatewayRole(database.gatewayUrl);
    await assertGatewayRole(await login(() => ''));
  });

  it('may touch no table before it became anyone', async () => {
    const tables = await rowsOf<{ name: string }>(
      database.adminUrl,
      `select tablename as name from pg_tables where schemaname = 'public'`,
    );
    expect(tables.length).toBeGreaterThan(10);
    const answers = await withSession(database.gatewayUrl, async (client) => {
      const codes = new Set<unknown>();
      for (const { name } of tables) {
        for (const statement of [`select from ${name}`, `insert into ${name} default values`, `delete from ${name}`]) {
          codes.add(await client.query(statement).catch((error: { code: string }) => error.code));
        }
      }
      return codes;
    });
    expect(answers).toEqual(new Set(['42501']));
  });

  it('is refused as the owner', async () => {
    await expect(assertGatewayRole(database.ownerUrl)).rejects.toThrow(
      /refuses to run as tollhouse_owner[\s\S]*it has CREATEROLE[\s\S]*tollhouse_owner owns .+ and \d+ more/,
    );
  });

  it('is refused as the superuser', async () => {
    await expect(assertGatewayRole(database.adminUrl)).rejects.toThrow('it is a superuser');
  });

  it.each<[string, (name: string) => string, string | RegExp]>([
    ['superuser', (name) => `alter role ${name} superuser`, 'it is a superuser'],
    ['BYPASSRLS', (name) => `alter role ${name} bypassrls`, 'it has BYPASSRLS'],
    ['CREATEROLE', (name) => `alter role ${name} createrole`, 'it has CREATEROLE'],
    ['a member of the owner', (name) => `grant tollhouse_owner to ${name}`, 'it is a member of tollhouse_owner'],
    ['a member of the operator', (name) => `grant tollhouse_operator to ${name}`, 'a member of tollhouse_operator'],
    ['a member of the doorkeeper', (name) => `grant tollhouse_doorkeeper to ${name}`, 'tollhouse_doorkeeper owns'],
    ['a reader of all data', (name) => `grant pg_read_all_data to ${name}`, 'it is a member of pg_read_all_data'],
    ['able to pass its roles on', (name) => `grant tollhouse_member to ${name} with admin option`, 'may grant'],
    ['somebody from the start', (name) => `alter role ${name} set role tollhouse_member`, 'begin as tollhouse_member'],
    [
      'the owner of a table',
      (name) => `create table t_${name} (); alter table t_${name} owner to ${name}`,
      /owns table \S+t_login_\w+$/m,
    ],
    [
      'a reader of a table',
      (name) => `grant select on users to ${name}`,
      'without entering a scene it may use public.users',
    ],
    [
      'a reader of a column',
      (name) => `grant select (id) on sessions to ${name}`,
      'without entering a scene it may use public.sessions',
    ],
    [
      'able to truncate a table',
      (name) => `grant truncate on events to ${name}`,
      'without entering a scene it may use public.events',
    ],
    ['without its roles', (name) => `revoke tollhouse_worker from ${name}`, 'it cannot become tollhouse_worker'],
  ])('is refused as %s', async (_, change, fault) => {
    await expect(assertGatewayRole(await login(change))).rejects.toThrow(fault);
  });

  it('is refused when it inherits what it should become', async () => {
    const url = await login(() => '', 'inherit');
    await expect(assertGatewayRole(url)).rejects.toThrow('inherits the rights of tollhouse_member');
    await expect(assertGatewayRole(url)).rejects.toThrow('without entering a scene');
  });

  it('is refused when everyone may read a table', async () => {
    const open = await freshDatabase();
    try {
      await rowsOf(open.adminUrl, 'grant select on payment_links to public');
      await expect(assertGatewayRole(open.gatewayUrl)).rejects.toThrow(
        'without entering a scene it may use public.payment_links',
      );
    } finally {
      await open.drop();
    }
  });

  it('is told all that is wrong with it at once', async () => {
    const url = await login((name) => `alter role ${name} bypassrls createdb; grant tollhouse_operator to ${name}`);
    const failure = (await assertGatewayRole(url).catch((error: unknown) => error)) as Error;
    expect(failure.message.split('\n').filter((line) => line.startsWith('  - '))).toEqual([
      '  - it has BYPASSRLS',
      '  - it has CREATEDB',
      '  - it is a member of tollhouse_operator',
    ]);
  });
});
