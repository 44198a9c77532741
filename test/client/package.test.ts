import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTollhouse } from '../support/tollhouse.ts';

const house = join(import.meta.dirname, '../..');
const run = promisify(execFile);
let site: string;

/** What `npm pack` needs of the house, so that nothing is built inside it. */
const PACKED = [
  'package.json',
  'tsconfig.json',
  'tsconfig.client.json',
  'src/client',
  'docs/client.md',
  'README.md',
  'LICENSE',
  'schema.graphql',
];
/** What the client and those who use it here import. */
const IMPORTED = ['gql.tada', 'graphql', 'viem', 'thirdweb', 'typescript', '@types/node'];

beforeAll(async () => {
  site = mkdtempSync(join(tmpdir(), 'tollhouse-client-'));
  const [source, consumer] = [join(site, 'source'), join(site, 'consumer')];
  for (const path of PACKED) cpSync(join(house, path), join(source, path), { recursive: true });
  symlinkSync(join(house, 'node_modules'), join(source, 'node_modules'));
  await npm(source, 'pack', '--pack-destination', site);
  const [tarball = ''] = readdirSync(site).filter((file) => file.endsWith('.tgz'));
  const installed = join(consumer, 'node_modules/tollhouse');
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', join(site, tarball), '-C', installed, '--strip-components=1']);
  for (const name of IMPORTED) {
    const path = join(consumer, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(join(house, 'node_modules', name), path);
  }
  write('package.json', '{ "type": "module" }');
});
afterAll(() => rmSync(site, { recursive: true, force: true }));

/** Runs npm without a network and without anything of the person's own settings. */
function npm(folder: string, ...words: string[]): Promise<unknown> {
  const settings = {
    npm_config_offline: 'true',
    npm_config_cache: join(site, 'cache'),
    npm_config_userconfig: '/dev/null',
  };
  return run('npm', words, { cwd: folder, env: { PATH: process.env.PATH, HOME: site, ...settings } });
}

function write(file: string, text: string): void {
  writeFileSync(join(site, 'consumer', file), text);
}

/** What the compiler says of these files, by a project of the consumer's own. */
async function compile(files: readonly string[], options: object): Promise<string> {
  const shared = { target: 'ES2023', strict: true, exactOptionalPropertyTypes: true, skipLibCheck: true, noEmit: true };
  write('tsconfig.json', JSON.stringify({ compilerOptions: { ...shared, ...options }, files }));
  const tsc = join(house, 'node_modules/typescript/bin/tsc');
  return run(process.execPath, [tsc, '-p', '.'], { cwd: join(site, 'consumer') }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout || 'the compiler failed without a word',
  );
}

const NODE = { module: 'nodenext', lib: ['ES2023'], types: ['node'] };
const BROWSER = {
  module: 'esnext',
  moduleResolution: 'bundler',
  lib: ['ES2023', 'DOM', 'DOM.AsyncIterable'],
  types: [],
};

const TYPED = `
import { createTollhouseClient, graphql, type ResultOf, type Session } from 'tollhouse/client';
import { createWalletClient, http } from 'viem';
const wallet = createWalletClient({ transport: http('http://localhost') });
const client = createTollhouseClient({ url: '/graphql', wallet });
const Who = graphql('query Who { viewer { role user { id wallets { address kind } } } }');
const Order = graphql('subscription Order($token: String!) { checkoutOrderChanged(token: $token) { status } }');
const Rename = graphql('mutation Rename($name: String!) { updateOrganization(input: { name: $name }) { organization { name } } }');
type Kind = NonNullable<ResultOf<typeof Who>['viewer']>['user']['wallets'][number]['kind'];
export const kind: Kind = 'EOA_7702';
// @ts-expect-error no such kind
export const other: Kind = 'EOA_7703';
// @ts-expect-error no such wallet
createTollhouseClient({ url: '/graphql', wallet: {} });
export async function use(): Promise<Session> {
  const { viewer } = await client.query(Who);
  // @ts-expect-error nobody may be signed in
  viewer.role;
  // @ts-expect-error no such field
  viewer?.rule;
  const role: 'OWNER' | 'ADMIN' | 'MEMBER' | undefined = viewer?.role;
  // @ts-expect-error the token is missing
  client.subscribe(Order);
  for await (const { checkoutOrderChanged } of client.subscribe(Order, { token: String(role) })) {
    // @ts-expect-error no such state
    if (checkoutOrderChanged?.status === 'BOUGHT') break;
  }
  // @ts-expect-error a name is a text
  await client.mutate(Rename, { name: 1 });
  const { updateOrganization } = await client.mutate(Rename, { name: 'Bakery' });
  const name: string = updateOrganization.organization.name;
  return client.signIn({ chainId: name.length });
}
`;

describe('the package', () => {
  it('holds the compiled client with its types, the schema, and nothing else', () => {
    const files = readdirSync(join(site, 'consumer/node_modules/tollhouse'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).split('/node_modules/tollhouse/')[1] ?? '');
    const odd = files.filter((file) => !/^dist\/client\/(generated\/)?\w+\.(js|d\.ts)$/.test(file)).sort();
    expect(odd).toEqual(['LICENSE', 'README.md', 'docs/client.md', 'package.json', 'schema.graphql']);
    expect(files).toContain('dist/client/tollhouseClient.js');
  });

  it('signs in and asks from plain Node', async () => {
    write(
      'use.mjs',
      `import { createTollhouseClient, graphql } from 'tollhouse/client';
      import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
      const wallet = privateKeyToAccount(generatePrivateKey());
      const client = createTollhouseClient({ url: process.argv[2], wallet });
      const session = await client.signIn();
      const { viewer } = await client.query(graphql('{ viewer { user { id wallets { address } } } }'));
      console.log(viewer.user.id === session.user.id && viewer.user.wallets[0].address === wallet.address);`,
    );
    const tollhouse = await startTollhouse();
    try {
      const { stdout } = await run(process.execPath, ['use.mjs', tollhouse.url], { cwd: join(site, 'consumer') });
      expect(stdout).toBe('true\n');
    } finally {
      await tollhouse.stop();
    }
  });

  it('types what is asked and answered, and does what its page says, as far as a compiler can tell', async () => {
    const page = readFileSync(join(house, 'docs/client.md'), 'utf8');
    const blocks = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block]) => block);
    expect(blocks.length).toBeGreaterThan(5);
    write('documented.ts', blocks.join('\n'));
    write('typed.ts', TYPED);
    expect(await compile(['typed.ts', 'documented.ts'], NODE)).toBe('');
  });

  it('types the same in browsers', async () => {
    write('page.ts', `${TYPED}\ncreateTollhouseClient({ url: '/graphql', storage: localStorage });\n`);
    expect(await compile(['page.ts'], BROWSER)).toBe('');
  });

  it('names each of its own failures on its page', async () => {
    const { clientFailures } = await import('../../src/client/tollhouseError.ts');
    const page = readFileSync(join(house, 'docs/client.md'), 'utf8');
    expect(Object.keys(clientFailures).filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
  });

  it('is small in a browser, and asks it for nothing of Node', async () => {
    const { outputFiles } = await build({
      stdin: { contents: "export * from 'tollhouse/client';", resolveDir: join(site, 'consumer') },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      minify: true,
      write: false,
    });
    const [bundle] = outputFiles;
    const script = bundle?.text ?? '';
    expect(script).not.toMatch(/\brequire\(|node:/);
    expect(gzipSync(script).length).toBeGreaterThan(5_000);
    expect(gzipSync(script).length).toBeLessThan(16_000);
  });
});
