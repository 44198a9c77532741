import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { LocalError } from './localError.ts';

/** The account that a server runs as when the gateway is root; null elsewhere means: as the gateway itself. */
export interface ServerAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to be root: the account to drop to, or null when we are not root.
 * @param owner the number of the account that owns the data's folder: root in somebody's checkout lets the servers run
 * as that person, so that both can start it, in turn
 */
export function serverAccount(owner = 0): ServerAccount | null {
  if (process.getuid?.() !== 0) return null;
  const rows = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((row) => row.split(':'));
  // By name only where the system knows one: initdb refuses to run for a bare number.
  const row =
    rows.find(([, , uid]) => owner !== 0 && uid === String(owner)) ??
    rows.find(([name]) => name === 'postgres') ??
    rows.find(([name]) => name === 'nobody');
  if (row) return { name: row[0] ?? '', uid: Number(row[2]), gid: Number(row[3]) };
  throw new LocalError(
    'PostgreSQL refuses to run as root, and there is no account `postgres` or `nobody` to run it as: start Tollhouse as another user, or set DATABASE_URL.',
  );
}

/** Whether the account can enter the folder, whatever the modes of the folders above it. */
export function canReach(account: ServerAccount | null, folder: string): boolean {
  if (!account) return true;
  const { uid, gid } = account;
  const probe = spawnSync('/bin/sh', ['-c', 'cd -- "$0"', folder], { uid, gid, cwd: '/', env: {}, stdio: 'ignore' });
  if (probe.error) {
    throw new LocalError(
      `PostgreSQL refuses to run as root, and this root may not run it as \`${account.name}\`: start Tollhouse as another user, or set DATABASE_URL.`,
      { cause: probe.error },
    );
  }
  return probe.status === 0;
}
