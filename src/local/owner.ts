import { chownSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Gives what root made in somebody's folder to that person, who can then start the gateway again; else does nothing. */
export function giveToOwner(path: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(path));
  chownSync(path, uid, gid);
}
