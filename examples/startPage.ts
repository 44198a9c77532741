// Starts an example that is a page, with Vite: `startPage.ts dapp http://localhost:4000/graphql`. Its packages are its
// own, and are installed the first time.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const [name = 'dapp', gateway = 'http://localhost:4000/graphql'] = process.argv.slice(2);
if (!URL.canParse(gateway)) {
  console.error(`This is no address of a gateway: ${gateway}`);
  process.exit(1);
}
const folder = join(import.meta.dirname, name);
const run = (command: string, given: readonly string[]): void => {
  const env = { ...process.env, VITE_GATEWAY_URL: gateway };
  const { status } = spawnSync(command, given, {
    cwd: folder,
    env,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
};
if (!existsSync(join(folder, 'node_modules'))) run('npm', ['ci', '--no-audit', '--no-fund']);
console.log(`The gateway is ${gateway}: start it with npm start, if it does not run.`);
run('node', ['node_modules/vite/bin/vite.js']);
