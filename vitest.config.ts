import { defineConfig } from 'vitest/config';

// Every test file has a database of its own on one PostgreSQL that the global set-up starts and stops. The real
// figures (more seeds, more rows, more rounds) are asked for with TOLLHOUSE_TEST_SCALE=full; the tests are the same.
export default defineConfig({
  resolve: {
    // Some packages require graphql and some import it; two copies refuse each other's schemas.
    alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/globalSetup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    passWithNoTests: false,
  },
});
