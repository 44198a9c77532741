import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';
import { testsWithoutBrowser } from './test/browser/support/chromium.ts';
import { testsWithoutExamples } from './test/browser/support/withoutExamples.ts';

// Every test file has a database of its own on one PostgreSQL that the global set-up starts and stops. The real
// figures (more seeds, more rows, more rounds) are asked for with TOLLHOUSE_TEST_SCALE=full; the tests are the same.
export default defineConfig({
  resolve: {
    // Some packages require graphql and some import it; two copies refuse each other's schemas.
    alias: [
      { find: /^graphql$/, replacement: 'graphql/index.js' },
      // what an app imports of the package
      { find: /^tollhouse\/client$/, replacement: join(import.meta.dirname, 'src/client/tollhouseClient.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...testsWithoutBrowser(), ...testsWithoutExamples()],
    globalSetup: ['test/support/globalSetup.ts'],
    pool: 'forks',
    // What is tested is loaded once a worker: a file has a database, a gateway and a chain of its own, and no module
    // of the house remembers more than what it has made of its own source. Most files wait as well as compute, so that
    // three fill two cores.
    isolate: false,
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What is waited for is asked often, and given up late: a machine that does much else is slow, and not wrong.
    expect: { poll: { interval: 50, timeout: 30_000 } },
    passWithNoTests: false,
  },
});
