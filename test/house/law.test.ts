import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const house = join(import.meta.dirname, '../..');
const sites: string[] = [];

afterEach(() => {
  for (const site of sites.splice(0)) rmSync(site, { recursive: true, force: true });
});

/** What the law says of the house that stands in this folder. */
function judgeHouse(site: string): { lawful: boolean; said: string } {
  const run = spawnSync(process.execPath, ['--import', 'tsx', join(house, '.ci/law.ts')], {
    cwd: site,
    encoding: 'utf8',
  });
  return { lawful: run.status === 0, said: run.stdout + run.stderr };
}

/** What the law says of a house of these files. */
function judge(files: Readonly<Record<string, string>>): { lawful: boolean; said: string } {
  const site = mkdtempSync(join(tmpdir(), 'tollhouse-law-'));
  sites.push(site);
  for (const file of ['package.json', 'tsconfig.json', '.dependency-cruiser.cjs']) {
    cpSync(join(house, file), join(site, file));
  }
  symlinkSync(join(house, 'node_modules'), join(site, 'node_modules'), 'dir');
  for (const [file, text] of Object.entries({ 'src/kernel/words.ts': 'export const word: string = "";\n', ...files })) {
    mkdirSync(dirname(join(site, file)), { recursive: true });
    writeFileSync(join(site, file), text);
  }
  return judgeHouse(site);
}

/** What each file of an unlawful house imports, and the rule that must refuse it. */
const planted: readonly (readonly [file: string, imported: string, rule: string])[] = [
  ['src/kernel/low.ts', '../payments/model.ts', 'kernel/ below local/'],
  ['src/local/low.ts', '../database/pool.ts', 'local/ below database/'],
  ['src/database/low.ts', '../ports.ts', 'database/ below ports.ts'],
  ['src/graphql/low.ts', '../tenancy/schema/organizations.ts', 'graphql/ below idempotency/'],
  ['src/chain/low.ts', '../payments/commands/creditOrder.ts', 'chain/ below payments/'],
  ['src/payments/low.ts', '../webhooks/model.ts', 'payments/ below webhooks/'],
  ['src/webhooks/low.ts', '../gateway/server.ts', 'webhooks/ below gateway/'],
  ['src/gateway/low.ts', '../main.ts', 'gateway/ below worker.ts'],
  ['src/client/low.ts', '../kernel/words.ts', 'client/ below kernel/'],
  ['src/gateway/pages.ts', '../checkout/app.tsx', 'a face is served, not imported'],
  ['src/checkout/low.tsx', '../kernel/words.ts', 'a face knows itself and the client'],
  ['src/playground/low.tsx', '../checkout/app.tsx', 'a face knows itself and the client'],
  ['src/checkout/core.tsx', 'node:fs', 'browsers have nothing of Node'],
  ['src/utils/low.ts', '../kernel/words.ts', 'every room has its floor'],
  ['src/chain/one.ts', './two.ts', 'no cycle'],
  ['src/tenancy/low.ts', '../environment.ts', 'the environment is read at the entrance'],
  ['src/context.ts', './environment.ts', 'the environment is read at the entrance'],
  ['src/environment.ts', './identity/model.ts', 'the environment knows plain words alone'],
  ['test/payments/low.test.ts', '../../src/gateway/schema.ts', 'the finished schema belongs to the front door'],
  ['src/events/low.ts', '../../test/support/fixture.ts', 'the house stands without its scaffolding'],
  ['src/audit/low.ts', '../../prisma/seed.ts', 'the seed is sown at the entrance'],
  ['src/identity/low.ts', 'vitest', 'the house stands on its own dependencies'],
  ['src/identity/lost.ts', './nowhere.ts', 'every import leads somewhere'],
];

describe('the law of dependency', () => {
  it('passes a house whose folders import from their left', () => {
    const { lawful, said } = judge({
      'src/environment.ts': 'export type Environment = string;\n',
      'src/context.ts': "import type { Environment } from './environment.ts';\nexport type Context = Environment;\n",
      'src/payments/model.ts': "import { word } from '../kernel/words.ts';\nexport const model: string = word;\n",
      'src/client/client.ts': 'export const client = "";\n',
      'src/checkout/main.tsx':
        "import { client } from '../client/client.ts';\nimport { app } from './app.tsx';\nexport const main = app + client;\n",
      'src/checkout/app.tsx': 'export const app = "";\n',
      'src/gateway/server.ts': "import { model } from '../payments/model.ts';\nexport const server: string = model;\n",
    });
    expect(said).toContain('0 violations, 0 unseen');
    expect(lawful).toBe(true);
  });

  it('holds in this house', () => {
    const { lawful, said } = judgeHouse(house);
    expect(said).toContain('0 violations, 0 unseen');
    expect(lawful).toBe(true);
  });

  it('refuses every kind of import against it, by the name of the rule', () => {
    const lawfulTargets = planted
      .map(([file, imported]) => (imported.startsWith('.') ? join(dirname(file), imported) : ''))
      .filter((file) => file && !file.endsWith('nowhere.ts'));
    const { lawful, said } = judge({
      ...Object.fromEntries(lawfulTargets.map((file) => [file, 'export {};\n'])),
      ...Object.fromEntries(planted.map(([file, imported]) => [file, `import '${imported}';\nexport {};\n`])),
      'src/chain/two.ts': "import './one.ts';\nexport {};\n",
    });
    expect(lawful).toBe(false);
    for (const [file, , rule] of planted) expect(said).toMatch(new RegExp(`^${file} → .*\\n  ${rule}:`, 'm'));
  });

  it('counts an import of types alone as an import', () => {
    const { lawful, said } = judge({
      'src/kernel/low.ts': "import type { Model } from '../payments/model.ts';\nexport type Low = Model;\n",
      'src/payments/model.ts': 'export type Model = string;\n',
    });
    expect(said).toContain('kernel/ below local/');
    expect(lawful).toBe(false);
  });

  it('refuses to pass a house in which it sees nothing', () => {
    const { lawful, said } = judge({});
    expect(said).toContain('No import was seen at all');
    expect(lawful).toBe(false);
  });
});
