import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const house = join(import.meta.dirname, '../..');

/** Every file below a folder of the house, by its path from the house; what a generator wrote is not ours to judge. */
function filesOf(folder: string): string[] {
  if (!existsSync(join(house, folder))) return [];
  return readdirSync(join(house, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(house.length + 1)
        .replaceAll('\\', '/'),
    )
    .filter((file) => !file.includes('/generated/') && !file.includes('/node_modules/'))
    .sort();
}

function read(file: string): string {
  return readFileSync(join(house, file), 'utf8');
}

const sources = filesOf('src').filter((file) => /\.tsx?$/.test(file));

const domains = ['idempotency', 'events', 'audit', 'identity', 'tenancy', 'chain', 'payments', 'webhooks'].filter(
  (domain) => filesOf(`src/${domain}`).length > 0,
);

/** Folders that are no domain: free in their rooms. */
const foundations = ['kernel', 'local', 'database', 'graphql', 'gateway'];

/** What others run: the package's client, and the pages that the gateway bundles for browsers. */
const faces = ['client', 'checkout', 'playground'];

const rooms = [
  'schema.ts',
  'schema',
  'model.ts',
  'model',
  'events.ts',
  'errors.ts',
  'jobs.ts',
  'commands',
  'providers',
];

/** A room that one domain alone needs. */
const extraRooms: Readonly<Record<string, readonly string[]>> = {
  // What an operator verifies the chains by.
  audit: ['command.ts'],
  // What an operator compares the read tables with the log by.
  payments: ['command.ts'],
  // The Solidity of the test token and its compiled bytecode.
  chain: ['contracts'],
  // What asks an account on the chain about a signature, in Solidity, and its compiled bytecode.
  identity: ['contracts'],
};

/** Exported values of a file, without its types. */
function exportedValues(file: string): string[] {
  return [...read(file).matchAll(/^export (?:async )?(?:const|let|function\*?|class) (\w+)/gm)].map(
    ([, name]) => name ?? '',
  );
}

/** The files that hold the text, by a pattern of one line. */
function holding(pattern: RegExp, files: readonly string[] = sources): string[] {
  return files.filter((file) => pattern.test(read(file)));
}

describe('the floor plan', () => {
  it('is a plan of something', () => {
    expect(domains.length).toBeGreaterThan(0);
    expect(sources.length).toBeGreaterThan(domains.length);
  });

  it('has no folder in src but the foundations and the domains', () => {
    const folders = new Set(sources.filter((file) => file.split('/').length > 2).map((file) => file.split('/')[1]));
    expect([...folders].filter((folder) => ![...foundations, ...faces, ...domains].includes(folder ?? ''))).toEqual([]);
  });

  it.each(domains)('gives %s only the rooms that every domain may have', (domain) => {
    const present = new Set(filesOf(`src/${domain}`).map((file) => file.split('/')[2]));
    const allowed = [...rooms, ...(extraRooms[domain] ?? [])];
    expect([...present].filter((room) => !allowed.includes(room ?? ''))).toEqual([]);
  });

  it.each(domains)('opens five doors to %s with one word', (domain) => {
    const doors = [`prisma/models/${domain}.prisma`, `prisma/policies/${domain}.sql`, `docs/domains/${domain}.md`];
    expect(doors.filter((door) => !existsSync(join(house, door)))).toEqual([]);
    expect(filesOf(`test/${domain}`)).not.toEqual([]);
  });

  it('keeps one verb a command file, named for it', () => {
    const commands = sources.filter((file) => file.includes('/commands/'));
    const odd = commands.filter((file) => exportedValues(file).join() !== basename(file, '.ts'));
    expect(odd).toEqual([]);
  });

  it('keeps commands and providers one floor deep', () => {
    expect(sources.filter((file) => /\/(commands|providers)\/.*\//.test(file))).toEqual([]);
  });

  it('has no file over 400 lines', () => {
    const ours = [...sources, ...filesOf('test'), ...filesOf('.ci'), ...filesOf('examples'), ...filesOf('bench')];
    const long = ours.filter((file) => /\.(tsx?|mjs)$/.test(file) && read(file).split('\n').length > 401);
    expect(long).toEqual([]);
  });

  it('has no drawer for odds and ends', () => {
    expect(sources.filter((file) => /(^|\/)(utils?|helpers?|common|services?|misc)(\.ts|\/)/i.test(file))).toEqual([]);
  });

  it('has no barrel and no default export in src', () => {
    expect(sources.filter((file) => basename(file) === 'index.ts')).toEqual([]);
    expect(holding(/^export default\b/m)).toEqual([]);
    expect(holding(/^export \* from\b/m)).toEqual([]);
  });

  it('defines failures in errors.ts alone, where the page of errors finds them', () => {
    expect(holding(/\bdefineErrors\(/).filter((file) => basename(file) !== 'errors.ts')).toEqual([]);
  });

  it('finishes the schema in one file', () => {
    const finishing = holding(/\.toSchema\(/);
    expect(finishing).toEqual(finishing.length > 0 ? ['src/gateway/schema.ts'] : []);
  });

  it('reads the environment at the entrance alone', () => {
    const entrances = [
      'environment',
      'main',
      'worker',
      'operator',
      'seed',
      'database/command',
      'audit/command',
      'payments/command',
    ].map((entrance) => `src/${entrance}.ts`);
    const readers = holding(/\bprocess\.env\b|\benv\b.*from 'node:process'/);
    expect(readers.filter((file) => !entrances.includes(file))).toEqual([]);
  });
});
