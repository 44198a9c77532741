import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canReach, type ServerAccount, serverAccount } from './account.ts';
import { claim } from './claim.ts';
import { LocalError } from './localError.ts';
import type { LocalLog } from './log.ts';
import { giveToOwner } from './owner.ts';
import { isPrivateFolder } from './privateFolder.ts';
import { replaceFile } from './replaceFile.ts';

/** The folder in which one checkout keeps what its local servers need; held by one process at a time. */
export interface LocalFolder {
  /** `.tollhouse/` in the checkout, absolute. */
  readonly path: string;
  /** Where data, logs and records of servers lie: `path`, unless the server's account cannot reach it there. */
  readonly dataPath: string;
  /** The account that PostgreSQL runs as; null when that is our own. */
  readonly account: ServerAccount | null;
  /** Remembers where the gateway answers; a second start in this folder names it. */
  announce(url: string): Promise<void>;
  /** Gives the folder up, after its servers have stopped; once is enough. */
  release(): Promise<void>;
}

/**
 * Takes `.tollhouse/` of a checkout for this process, and makes it if it is not there.
 * @throws LocalError when another process holds it, or it cannot be made
 */
export async function claimFolder(root: string, log?: LocalLog): Promise<LocalFolder> {
  const path = makeFolder(root);
  const held = claim(join(path, 'claims'));
  try {
    const account = serverAccount(statSync(path).uid);
    const dataPath = canReach(account, path) ? path : dataElsewhere(path, account, log);
    return {
      path,
      dataPath,
      account,
      announce: async (url) => held.announce(url),
      release: async () => held.release(),
    };
  } catch (error) {
    held.release();
    throw error;
  }
}

function makeFolder(root: string): string {
  const path = join(realpathSync(root), '.tollhouse');
  try {
    mkdirSync(path, { recursive: true });
    const { uid } = statSync(path);
    if (uid === process.getuid?.()) {
      // An account that we drop to has to pass through, and to see nothing.
      chmodSync(path, uid === 0 ? 0o711 : 0o700);
    }
    const claims = join(path, 'claims');
    mkdirSync(claims, { recursive: true });
    giveToOwner(claims);
    return path;
  } catch (error) {
    throw new LocalError(
      `${path} cannot be used (${(error as Error).message}): start Tollhouse as the account that owns it, or remove it, or set DATABASE_URL.`,
      { cause: error },
    );
  }
}

interface Elsewhere {
  readonly why: string;
  readonly dataPath: string;
}

function dataElsewhere(path: string, account: ServerAccount | null, log?: LocalLog): string {
  const note = join(path, 'data-is-elsewhere.json');
  const known = readNote(note);
  if (known && isPrivateFolder(known) && canReach(account, known)) {
    log?.info({ dataPath: known }, `The local data of this checkout is in ${known}.`);
    return known;
  }
  if (known) log?.warn({ dataPath: known }, `The local data was in ${known} and is gone: starting afresh.`);
  // A random name: nobody can have made it before us.
  const dataPath = mkdtempSync(join(realpathSync(tmpdir()), 'tollhouse-data-'));
  chmodSync(dataPath, 0o711);
  if (!canReach(account, dataPath)) {
    throw new LocalError(
      `PostgreSQL runs as \`${account?.name}\` here and can reach neither ${path} nor ${dataPath}: give another place with TMPDIR, or set DATABASE_URL.`,
    );
  }
  const why = `PostgreSQL refuses to be root; it runs as ${account?.name}, who cannot reach this folder.`;
  replaceFile(note, `${JSON.stringify({ why, dataPath } satisfies Elsewhere, null, 2)}\n`);
  log?.warn({ dataPath }, `${why} The local data is in ${dataPath} instead.`);
  return dataPath;
}

function readNote(note: string): string | null {
  try {
    return (JSON.parse(readFileSync(note, 'utf8')) as Elsewhere).dataPath;
  } catch {
    return null;
  }
}

/** Makes a folder that belongs to the servers' account alone. */
export function makeServerFolder(path: string, account: ServerAccount | null): void {
  mkdirSync(path, { mode: 0o700 });
  if (account) chownSync(path, account.uid, account.gid);
}
