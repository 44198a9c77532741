import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { giveToOwner } from './owner.ts';

/** Gives a file new contents at once: whoever reads it, or is killed, sees the old ones or the new ones, never a part. */
export function replaceFile(path: string, contents: string | Buffer, mode = 0o600): void {
  const fresh = `${path}.${randomUUID()}`;
  try {
    writeFileSync(fresh, contents, { mode, flag: 'wx' });
    giveToOwner(fresh);
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}
