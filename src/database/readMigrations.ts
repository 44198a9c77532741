import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One folder of `prisma/migrations`, read. */
export interface Migration {
  /** `<stamp>_<purpose>`; the names' order is the order in which migrations are applied. */
  readonly name: string;
  readonly up: string;
  /** What undoes it; null when it cannot be undone. */
  readonly down: string | null;
  /** SHA-256 of `migration.sql`, in hexadecimal digits, as Prisma computes it. */
  readonly checksum: string;
}

/** Reads every migration of a folder, oldest first. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const up = await readScript(join(folder, name, 'migration.sql'));
      if (up === null) throw new Error(`Migration ${name} has no migration.sql.`);
      const down = await readScript(join(folder, name, 'down.sql'));
      return { name, up, down, checksum: createHash('sha256').update(up).digest('hex') };
    }),
  );
}

async function readScript(file: string): Promise<string | null> {
  try {
    // A checkout with other line endings is the same migration, to us as to Prisma.
    return (await readFile(file, 'utf8')).replaceAll('\r\n', '\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
