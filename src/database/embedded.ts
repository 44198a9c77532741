import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { canReach, serverAccount } from '../local/account.ts';
import type { LocalFolder } from '../local/folder.ts';
import { freePort } from '../local/freePort.ts';
import { startGuarded } from '../local/guard.ts';
import { LocalError } from '../local/localError.ts';
import type { LocalLog } from '../local/log.ts';
import { identifyProcess } from '../local/process.ts';
import { adoptProcess, adoptServer, type LocalServer, type ServerPlace, startServer } from '../local/server.ts';
import { findBinaries } from './embeddedBinaries.ts';
import {
  becomesReady,
  clearDrafts,
  initdbArguments,
  makeHome,
  readLock,
  readPassword,
  scratchFolder,
  writePassword,
} from './embeddedHome.ts';

/** The checkout's own PostgreSQL, on 127.0.0.1 alone. */
export interface EmbeddedPostgres {
  /** Logs in as the superuser `postgres`, to the database `postgres`. */
  readonly url: string;
  readonly port: number;
  /** Whether it was found running, left behind by a gateway that was killed. */
  readonly adopted: boolean;
  /** Ends it as PostgreSQL wants to be ended; call it after the last client, as often as you like. */
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL of this folder, or takes over the one that a killed gateway left running; makes its data when
 * there is none.
 * @throws LocalError where none can run; it says to set DATABASE_URL
 */
export async function startEmbeddedPostgres(given: {
  readonly folder: LocalFolder;
  readonly log: LocalLog;
}): Promise<EmbeddedPostgres> {
  const { folder, log } = given;
  const home = join(folder.dataPath, 'postgres');
  const data = join(home, 'data');
  const place: ServerPlace = { name: 'postgres', folder, log, signals: ['SIGINT', 'SIGQUIT'], patience: 5_000 };
  await clearDrafts(home);
  if (!existsSync(home)) await makeHome(home, folder, log);
  const password = readPassword(home);
  const left = await adopt(place, data, password);
  if (left) {
    log.info(
      { port: left.port, pid: left.server.pid },
      'Took over the local PostgreSQL that a killed start left running.',
    );
    return { url: urlOf(left.port, password), port: left.port, adopted: true, stop: left.server.stop };
  }
  const { server, port } = await start(place, home, password);
  log.info({ port, pid: server.pid, data }, `The local PostgreSQL runs on port ${port}; its data is in ${data}.`);
  return { url: urlOf(port, password), port, adopted: false, stop: server.stop };
}

const SETTINGS = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'timezone=UTC', 'log_timezone=UTC'];

function flags(settings: readonly string[]): string[] {
  return settings.flatMap((setting) => ['-c', setting]);
}

function urlOf(port: number, password: string): string {
  return `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
}

// What passes by itself: another took the port, or the last processes of a killed server are still going.
const PASSING = /Address already in use|lock file "postmaster.pid" already exists|pre-existing shared memory block/;
const ATTEMPTS = 10;

async function start(
  place: ServerPlace,
  home: string,
  password: string,
): Promise<{ server: LocalServer; port: number }> {
  const { folder, log } = place;
  const { postgres } = findBinaries(folder.account, log);
  const data = join(home, 'data');
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const server = await startServer({
      ...place,
      command: postgres,
      arguments: ['-D', data, '-p', String(port), ...flags(SETTINGS)],
      cwd: home,
      drops: true,
    });
    if (await becomesReady(server, () => urlOf(port, password), data)) {
      server.remember(`postgresql://127.0.0.1:${port}`);
      return { server, port };
    }
    const said = server.said().trim();
    await server.stop();
    if (attempt === ATTEMPTS || !PASSING.test(said)) {
      throw new LocalError(`The local PostgreSQL did not start; it said: ${said.slice(-1500) || 'nothing'}`);
    }
    await sleep(250);
  }
}

/** The server of this data that runs already and can be used, if there is one. */
async function adopt(
  place: ServerPlace,
  data: string,
  password: string,
): Promise<{ server: LocalServer; port: number } | null> {
  const server = adoptServer(place) ?? adoptByLock(place, data);
  if (!server) return null;
  const url = (): string | null => {
    const port = readLock(data)?.port;
    return port ? urlOf(port, password) : null;
  };
  const ready = await becomesReady(server, url, data);
  const port = readLock(data)?.port;
  if (ready && port) {
    server.remember(`postgresql://127.0.0.1:${port}`);
    return { server, port };
  }
  // It was just ending, or it hangs.
  await server.stop();
  return null;
}

/** A server whose record was lost still names itself in its data's lock file. */
function adoptByLock(place: ServerPlace, data: string): LocalServer | null {
  const lock = readLock(data);
  if (!lock || !identifyProcess(lock.pid)) return null;
  const server = adoptProcess(place, lock.pid);
  // Else somebody was given the number since, whom PostgreSQL would take for its own kind, and refuse.
  if (!server) rmSync(join(data, 'postmaster.pid'), { force: true });
  return server;
}

/** A PostgreSQL for one run of tests; nothing of it remains. */
export interface EphemeralPostgres {
  /** Logs in as the superuser `postgres`, to the database `postgres`. */
  readonly adminUrl: string;
  readonly port: number;
  /** Ends it and removes its data, once. */
  stop(): Promise<void>;
}

const EPHEMERAL_SETTINGS = [
  ...['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'wal_level=minimal', 'max_wal_senders=0'],
  'max_connections=200',
];

// Both in one command, so that what guards the server guards the making of its data too.
const MAKE_AND_SERVE = `
initdb=$1 postgres=$2 settings=$3; shift 3
"$initdb" "$@" && exec "$postgres" $settings -D data
`;

/**
 * Starts a PostgreSQL with data of its own that is as quick as it is careless, for tests; it ends within moments when
 * this process does, killed or not.
 * @throws LocalError where none can run
 */
export async function startEphemeralPostgres(): Promise<EphemeralPostgres> {
  const account = serverAccount();
  const { initdb, postgres } = findBinaries(account);
  for (let attempt = 1; ; attempt += 1) {
    const home = mkdtempSync(join(scratchFolder(), 'tollhouse-postgres-'));
    if (account) chownSync(home, account.uid, account.gid);
    if (!canReach(account, home)) {
      rmSync(home, { recursive: true });
      throw new LocalError(`PostgreSQL runs as \`${account?.name}\` here, who cannot reach ${home}: set TMPDIR.`);
    }
    const password = writePassword(home, account);
    const port = await freePort();
    const settings = flags([...SETTINGS, ...EPHEMERAL_SETTINGS, `port=${port}`]).join(' ');
    const making = [...initdbArguments(home), '--no-sync'];
    const server = await startGuarded({
      command: '/bin/sh',
      arguments: ['-c', MAKE_AND_SERVE, 'make-and-serve', initdb, postgres, settings, ...making],
      folder: home,
      keeps: false,
      // The quickest ending: its data is not needed any more.
      signal: 'QUIT',
      account,
    });
    const adminUrl = urlOf(port, password);
    if (await becomesReady(server, () => adminUrl, join(home, 'data'))) {
      return { adminUrl, port, stop: server.stop };
    }
    await server.stop();
    const said = server.said().trim();
    if (attempt === ATTEMPTS || !PASSING.test(said)) {
      throw new LocalError(`An ephemeral PostgreSQL did not start; it said: ${said.slice(-1500) || 'nothing'}`);
    }
  }
}
