import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalError } from './localError.ts';
import { identifyProcess, isRunning, type ProcessIdentity } from './process.ts';
import { replaceFile } from './replaceFile.ts';

/** The right of one process to a folder, until it gives it up or dies. */
export interface Claim {
  /** Says where the owner answers, for whoever comes second. */
  announce(url: string): void;
  release(): void;
}

interface Owner extends ProcessIdentity {
  readonly url?: string;
}

/**
 * Claims the folder for this process, or says who holds it.
 *
 * Claims are files with rising numbers, and the newest one counts. A new one appears whole (it is linked into place, so
 * none is ever seen without its owner) and each number can be made once: of any number of starters that find the same
 * dead claim exactly one makes the next. The newest is never removed, only emptied, so no number comes twice; a starter
 * that slept until its number was cleared away finds a newer one beside it and begins again.
 */
export function claim(folder: string): Claim {
  mkdirSync(folder, { recursive: true });
  const self = identifyProcess(process.pid);
  if (!self) throw new LocalError('This process cannot be found in the list of processes.');
  for (;;) {
    const newest = newestOf(folder);
    const owner = readOwner(fileOf(folder, newest));
    if (owner && isRunning(owner)) {
      const where = owner.url ? `process ${owner.pid}, ${owner.url}` : `process ${owner.pid}`;
      throw new LocalError(`Tollhouse already runs in this folder (${where}).`);
    }
    const mine = newest + 1;
    if (!appear(fileOf(folder, mine), self)) continue;
    if (newestOf(folder) === mine) {
      clearBelow(folder, mine);
      return holdClaim(fileOf(folder, mine), self);
    }
    rmSync(fileOf(folder, mine), { force: true });
  }
}

function holdClaim(file: string, self: ProcessIdentity): Claim {
  let held = true;
  return {
    announce(url) {
      if (held) replaceFile(file, JSON.stringify({ ...self, url }), 0o644);
    },
    release() {
      if (!held) return;
      held = false;
      // The whole folder may have been removed meanwhile, and even be another's by now.
      const owner = readOwner(file);
      if (owner?.pid === self.pid && owner.born === self.born) truncateSync(file);
    },
  };
}

/** Makes a file that is whole from its first moment; false when it is there already. */
function appear(file: string, owner: ProcessIdentity): boolean {
  const draft = `${file}.${randomUUID()}`;
  try {
    writeFileSync(draft, JSON.stringify(owner), { flag: 'wx', mode: 0o644 });
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readOwner(file: string): Owner | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner;
  } catch {
    // Absent, or emptied by its owner on leaving, or by a power failure: nobody's.
    return null;
  }
}

function fileOf(folder: string, number: number): string {
  return join(folder, `${number}.json`);
}

function numbersIn(folder: string): number[] {
  return readdirSync(folder)
    .map((name) => Number(/^(\d+)\.json$/.exec(name)?.[1] ?? 0))
    .filter((number) => number > 0);
}

function newestOf(folder: string): number {
  return Math.max(0, ...numbersIn(folder));
}

function clearBelow(folder: string, number: number): void {
  for (const old of numbersIn(folder)) {
    if (old < number) rmSync(fileOf(folder, old), { force: true });
  }
}
