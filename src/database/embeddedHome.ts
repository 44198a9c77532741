import { randomBytes, randomUUID } from 'node:crypto';
import {
  chownSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { ServerAccount } from '../local/account.ts';
import { type LocalFolder, makeServerFolder } from '../local/folder.ts';
import { startGuarded } from '../local/guard.ts';
import { LocalError } from '../local/localError.ts';
import type { LocalLog } from '../local/log.ts';
import { findBinaries } from './embeddedBinaries.ts';

/** What Node answers where nobody has set another folder. */
const DEFAULT = '/tmp';
const MEMORY = '/dev/shm';
const TMPFS = 0x01021994;
/** What a run of the tests takes at most, and as much again. */
const PLENTY = 4 * 2 ** 30;

/**
 * Where data lies that nobody keeps: where TMPDIR says, if that is not `/tmp`; else in memory, when there is plenty. A database is a thousand files,
 * and to make and remove them by the hundred is what a file system on a disk is slowest at.
 */
export function scratchFolder(): string {
  if (tmpdir() === DEFAULT) {
    try {
      const { type, bavail, bsize } = statfsSync(MEMORY);
      // and what is left of the memory itself, which a container may have less of than its file system says
      const free = Math.min(bavail * bsize, process.availableMemory() / 2);
      if (type === TMPFS && free >= PLENTY) return MEMORY;
    } catch {
      // this system has none
    }
  }
  return realpathSync(tmpdir());
}

/** What initdb is told: `data` and `password` lie in the home; every login needs the password. */
export function initdbArguments(home: string): string[] {
  const login = ['-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', join(home, 'password')];
  // Collation by code point, the same on every machine and in every version of its libraries.
  const locale = ['-E', 'UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  return ['-D', join(home, 'data'), ...login, ...locale];
}

/** Makes data and password aside and moves them into place together: a start that is killed leaves nothing half made. */
export async function makeHome(home: string, folder: LocalFolder, log: LocalLog): Promise<void> {
  log.info({ folder: home }, 'Making a new local database; this happens once.');
  const { initdb } = findBinaries(folder.account, log);
  const draft = `${home}.new.${randomUUID()}`;
  makeServerFolder(draft, folder.account);
  writePassword(draft, folder.account);
  const making = await startGuarded({
    command: initdb,
    arguments: initdbArguments(draft),
    folder: draft,
    keeps: true,
    signal: 'TERM',
    account: folder.account,
  });
  const made = await making.finish();
  if (!made) {
    rmSync(draft, { recursive: true, force: true });
    throw new LocalError(`A new local database could not be made: ${making.said().trim()}`);
  }
  rmSync(join(draft, 'server.log'));
  renameSync(draft, home);
}

/** Clears what starts left that were killed while they made a home. */
export async function clearDrafts(home: string): Promise<void> {
  for (const name of readdirSync(dirname(home))) {
    if (!name.startsWith(`${basename(home)}.new.`)) continue;
    // Its makers may be ending only now, and what resists does no harm.
    const patience = { recursive: true, force: true, maxRetries: 20, retryDelay: 100 };
    await rm(join(dirname(home), name), patience).catch(() => {});
  }
}

/** Gives a new home its superuser's password, for its own account alone to read. */
export function writePassword(home: string, account: ServerAccount | null): string {
  const password = randomBytes(24).toString('base64url');
  const file = join(home, 'password');
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  if (account) chownSync(file, account.uid, account.gid);
  return password;
}

/** The superuser's password. */
export function readPassword(home: string): string {
  try {
    return readFileSync(join(home, 'password'), 'utf8').trim();
  } catch (cause) {
    const sentence = `The local database in ${home} has no readable password: remove the folder to begin a new one.`;
    throw new LocalError(sentence, { cause });
  }
}

interface Lock {
  readonly pid: number;
  readonly port: number;
}

/** Who serves this data and on which port, as the server itself wrote it; null when none does. */
export function readLock(data: string): Lock | null {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number(lines[0]), port: Number(lines[3]) };
  } catch {
    return null;
  }
}

const PATIENCE = 60_000;

/** Waits until the server answers and it is this data that it serves; false when it ends before, or takes too long. */
export async function becomesReady(
  server: { isRunning(): boolean },
  url: () => string | null,
  data: string,
): Promise<boolean> {
  for (const end = Date.now() + PATIENCE; Date.now() < end && server.isRunning(); await sleep(20)) {
    const where = url();
    const served = where && (await askDataDirectory(where));
    if (served && realpathSync(served) === realpathSync(data)) return true;
  }
  return false;
}

async function askDataDirectory(url: string): Promise<string | null> {
  const client = new pg.Client({
    connectionString: url,
    ssl: false,
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('show data_directory');
    return rows[0]?.data_directory ?? null;
  } catch {
    return null;
  } finally {
    await client.end().catch(() => {});
  }
}
