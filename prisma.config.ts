import { defineConfig } from 'prisma/config';

// Before every command Prisma's CLI downloads a native engine that none of these three uses. Any file that exists
// satisfies its check, so the machine needs no second registry. Migrations have a runner of our own.
const withoutEngine = ['generate', 'validate', 'format'];
if (process.argv.some((argument) => withoutEngine.includes(argument))) {
  process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;
}

export default defineConfig({ schema: 'prisma' });
