import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The tests that need an example’s own packages where they are not installed, to be left out; the run’s last lines say so. */
export function testsWithoutExamples(): string[] {
  return ['dapp', 'thirdweb'].flatMap((name) => {
    if (existsSync(join(import.meta.dirname, '../../../examples', name, 'node_modules'))) return [];
    const test = `test/browser/${name}.test.ts`;
    const line = `Left out: ${test}, since the packages of the example are not installed: npm ci --prefix examples/${name}`;
    process.once('exit', () => process.stderr.write(`\n${line}\n`));
    return [test];
  });
}
