import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { startEphemeralPostgres } from '../src/database/embedded.ts';
import { migrate } from '../src/database/migrations.ts';
import { ensureRoles } from '../src/database/roles.ts';
import { withSession } from '../src/database/session.ts';
import { parentOf } from './processorTime.ts';

/** How much there is to read. */
export interface Sizes {
  readonly organizations: number;
  /** Of each organization; the first is its owner. */
  readonly users: number;
  /** Of each organization. */
  readonly links: number;
  /** Of each link. */
  readonly orders: number;
}

/** 4,000 users, 5,000 links, 100,000 orders. */
const SIZES: Sizes = { organizations: 200, users: 20, links: 25, orders: 20 };

/** A migrated, seeded database on a PostgreSQL of the bench's own. */
export interface BenchDatabase {
  /** Logs in as `tollhouse_gateway`, as every system does. */
  readonly gatewayUrl: string;
  /** Logs in as a superuser. */
  readonly adminUrl: string;
  /** The server's own process, which all its backends are children of. */
  readonly postmaster: number;
  /** As the server names itself, such as `18.0`. */
  readonly version: string;
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL, migrates as docs/operations.md says and seeds. The server forgets what it has committed when the
 * machine dies (`fsync` and `synchronous_commit` are off): no system here is slower than another at waiting for a disk.
 */
export async function openBenchDatabase(sizes: Sizes = SIZES): Promise<BenchDatabase> {
  const server = await startEphemeralPostgres();
  try {
    const passwords = { owner: randomBytes(18).toString('base64url'), gateway: randomBytes(18).toString('base64url') };
    await withSession(server.adminUrl, async (client) => {
      await client.query(
        `create role tollhouse_owner login createrole noinherit password ${pg.escapeLiteral(passwords.owner)}`,
      );
      await client.query('create database tollhouse owner tollhouse_owner');
    });
    const as = (username: string, password: string): string =>
      Object.assign(new URL(server.adminUrl), { username, password, pathname: '/tollhouse' }).href;
    const adminUrl = Object.assign(new URL(server.adminUrl), { pathname: '/tollhouse' }).href;
    const ownerUrl = as('tollhouse_owner', passwords.owner);
    const gatewayUrl = as('tollhouse_gateway', passwords.gateway);
    await ensureRoles({ ownerUrl, gatewayUrl });
    await migrate(ownerUrl);
    await withSession(adminUrl, (client) => seed(client, sizes));
    return { gatewayUrl, adminUrl, ...(await withSession(adminUrl, identify)), stop: server.stop };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function seed(client: pg.Client, sizes: Sizes): Promise<void> {
  for (const [name, value] of Object.entries(sizes)) {
    await client.query('select set_config($1, $2, false)', [`bench.${name}`, String(value)]);
  }
  await client.query(await readFile(new URL('seed.sql', import.meta.url), 'utf8'));
  await client.query('vacuum analyze');
  await client.query('checkpoint');
}

async function identify(client: pg.Client): Promise<{ postmaster: number; version: string }> {
  const { rows } = await client.query<{ backend: number; version: string }>(
    `select pg_backend_pid() as backend, current_setting('server_version') as version`,
  );
  const [{ backend, version } = { backend: 0, version: '' }] = rows;
  return { postmaster: parentOf(backend), version };
}
