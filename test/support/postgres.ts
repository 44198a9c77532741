import { chownSync, existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startEphemeralPostgres } from '../../src/database/embedded.ts';
import { becomesReady, scratchFolder, writePassword } from '../../src/database/embeddedHome.ts';
import { serverAccount } from '../../src/local/account.ts';
import { freePort } from '../../src/local/freePort.ts';
import { startGuarded } from '../../src/local/guard.ts';

/** A PostgreSQL of the tests' own. */
export interface TestServer {
  /** Logs in as a superuser, to the database `postgres`. */
  readonly adminUrl: string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Starts the embedded server, or with `TEST_POSTGRES=debian` the newest that Debian's packages installed. */
export function startPostgres(): Promise<TestServer> {
  return process.env.TEST_POSTGRES === 'debian' ? startDebianPostgres() : startEphemeralPostgres();
}

const INSTALLED = '/usr/lib/postgresql';

const MAKE_AND_SERVE = `
"$1/initdb" -D data -U postgres -A scram-sha-256 --pwfile password -E UTF8 --locale=C.UTF-8 --no-sync &&
exec "$1/postgres" -D data -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \\
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200
`;

async function startDebianPostgres(): Promise<TestServer> {
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED).sort((a, b) => Number(b) - Number(a)) : [];
  if (!versions[0]) throw new Error(`TEST_POSTGRES=debian, but there is no PostgreSQL in ${INSTALLED}.`);
  const account = serverAccount();
  const folder = mkdtempSync(join(scratchFolder(), 'tollhouse-postgres-'));
  if (account) chownSync(folder, account.uid, account.gid);
  const password = writePassword(folder, account);
  const port = await freePort();
  const server = await startGuarded({
    command: '/bin/sh',
    arguments: ['-c', MAKE_AND_SERVE, 'make-and-serve', join(INSTALLED, versions[0], 'bin'), String(port)],
    folder,
    keeps: false,
    signal: 'QUIT',
    account,
  });
  const adminUrl = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
  if (!(await becomesReady(server, () => adminUrl, join(folder, 'data')))) {
    await server.stop();
    throw new Error(`PostgreSQL did not start; it said: ${server.said()}`);
  }
  return { adminUrl, stop: server.stop };
}
