import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { withSession } from '../../src/database/session.ts';

/** A database of a test file's own. */
export interface TestDatabase {
  readonly name: string;
  /** As `tollhouse_owner`, who owns the tables and is no superuser. */
  readonly ownerUrl: string;
  /** As `tollhouse_gateway`. */
  readonly gatewayUrl: string;
  /** As the operator’s own login. */
  readonly operatorUrl: string;
  /** As a superuser, whom nothing binds. */
  readonly adminUrl: string;
  /** The rows of one statement, as a superuser, over connections that are kept. */
  sql<Row = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Ends the connections that are kept; the next statement opens others. */
  leave(): Promise<void>;
  /** Ends whoever is connected, and drops the database. */
  drop(): Promise<void>;
}

/** A migrated database, as an operator would have it after `npm run db:migrate`. */
export function freshDatabase(): Promise<TestDatabase> {
  return makeDatabase('template tollhouse');
}

/** A database with what is in another one now, that nobody is connected to. */
export async function copyOf(source: TestDatabase): Promise<TestDatabase> {
  await source.leave();
  return makeDatabase(`template ${source.name}`);
}

/** A database without migrations, whose schema belongs to the owner. */
export async function emptyDatabase(): Promise<TestDatabase> {
  const database = await makeDatabase('template template0');
  await withSession(database.adminUrl, (client) => client.query('alter schema public owner to tollhouse_owner'));
  return database;
}

/** Statements of the superuser whom this URL logs in. */
export function superuserOf(adminUrl: string): Pick<TestDatabase, 'sql' | 'leave'> {
  let pool: pg.Pool | null = null;
  return {
    async sql(text, values = []) {
      // a test may kill who is connected; the next statement finds another connection
      pool ??= new pg.Pool({ connectionString: adminUrl, max: 4, idleTimeoutMillis: 0 }).on('error', () => {});
      return (await pool.query(text, values)).rows as never;
    },
    async leave() {
      const left = pool;
      pool = null;
      await left?.end();
    },
  };
}

async function makeDatabase(source: string): Promise<TestDatabase> {
  const { adminUrl, ownerUrl, gatewayUrl, operatorUrl } = inject('postgres');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const inside = (url: string): string => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  await withSession(adminUrl, async (client) => {
    await client.query(`create database ${name} ${source}`);
    // What docs/operations.md grants on the database itself; a clone does not take it over.
    await client.query(`
      revoke connect, temporary on database ${name} from public;
      grant connect, create on database ${name} to tollhouse_owner;
      grant connect on database ${name} to tollhouse_gateway, tollhouse_operator_login`);
  });
  const superuser = superuserOf(inside(adminUrl));
  return {
    ...superuser,
    name,
    adminUrl: inside(adminUrl),
    ownerUrl: inside(ownerUrl),
    gatewayUrl: inside(gatewayUrl),
    operatorUrl: inside(operatorUrl),
    async drop() {
      await superuser.leave();
      await withSession(adminUrl, (client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}
