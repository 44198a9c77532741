import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { LocalError } from './localError.ts';

/**
 * Makes a folder that nobody but this account can put anything into, or makes sure that it is one: in a temporary
 * folder anyone may have made the name before us.
 * @param mode 0o700, or with `x` for others when a server of another account has to pass through
 */
export function makePrivateFolder(path: string, mode: number): void {
  try {
    mkdirSync(path);
    // Apart from mkdir, whose mode is cut by the umask.
    chmodSync(path, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (!isPrivateFolder(path)) {
    throw new LocalError(
      `${path} belongs to another account, or others may write to it: remove it, or give another place with TMPDIR.`,
    );
  }
}

/** Whether the path is a folder, not a link to one, that only this account can write to. */
export function isPrivateFolder(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return false;
  // Windows knows neither owners nor modes here; its temporary folder is each account's own.
  if (!process.getuid) return true;
  return found.uid === process.getuid() && (found.mode & 0o022) === 0;
}
