// Checks the types of what browsers run: each folder of src with a tsconfig.json of its own, by tsconfig.browser.json.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const folders = readdirSync('src').filter((folder) => existsSync(join('src', folder, 'tsconfig.json')));
const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
for (const folder of folders) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', join('src', folder)], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
if (folders.length === 0) throw new Error('No folder of src has a tsconfig.json: this check has stopped working.');
