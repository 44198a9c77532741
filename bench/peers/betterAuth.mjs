// better-auth with its SIWE plugin as its own documentation has it, on node:http; what verifies signatures is the
// caller's to choose there, and chosen here by BENCH_VERIFIER: viem's own, as documented, or the one that Tollhouse uses.
import { createServer } from 'node:http';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { siwe } from 'better-auth/plugins';
import pg from 'pg';
import { verifyMessage } from 'viem';
import { generateSiweNonce } from 'viem/siwe';

const { databaseUrl, poolSize, verifier } = JSON.parse(process.env.BENCH_SYSTEM);

const verifiers = {
  viem: ({ message, signature, address }) => verifyMessage({ message, signature, address }),
  async native({ message, signature, address }) {
    const { recoverSigner } = await import('../../src/identity/providers/recoverSigner.ts');
    return recoverSigner(message, signature) === address.toLowerCase();
  },
};

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address();

const options = {
  baseURL: `http://localhost:${port}`,
  secret: 'a secret that is long enough for a bench, and for nothing else',
  database: new pg.Pool({ connectionString: databaseUrl, max: poolSize }),
  // Tollhouse's limits are off in the bench, too.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: 'error' },
  plugins: [
    siwe({
      domain: `localhost:${port}`,
      getNonce: async () => generateSiweNonce(),
      verifyMessage: verifiers[verifier],
    }),
  ],
};
const { runMigrations } = await getMigrations(options);
await runMigrations();
server.on('request', toNodeHandler(betterAuth(options)));
process.send?.({ port });
process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => process.exit());
