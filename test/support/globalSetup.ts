import { randomBytes } from 'node:crypto';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/database/migrations.ts';
import { ensureRoles, OPERATOR_LOGIN } from '../../src/database/roles.ts';
import { withSession } from '../../src/database/session.ts';
import { followOperations } from './operations.ts';
import { startPostgres } from './postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server of this run, and its migrated database that every test file's own is cloned from. */
    postgres: { adminUrl: string; ownerUrl: string; gatewayUrl: string; operatorUrl: string };
  }
}

/** Starts the server that all test files share, and prepares the database that theirs are cloned from. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  try {
    const template = await followOperations(server.adminUrl);
    const operatorUrl = Object.assign(new URL(template.gatewayUrl), {
      username: OPERATOR_LOGIN,
      password: randomBytes(18).toString('base64url'),
    }).href;
    await ensureRoles({ ...template, operatorUrl });
    await migrate(template.ownerUrl);
    // Cloning fails while anyone is connected.
    await withSession(server.adminUrl, (client) =>
      client.query('alter database tollhouse with allow_connections false'),
    );
    project.provide('postgres', { adminUrl: server.adminUrl, ...template, operatorUrl });
  } catch (error) {
    await server.stop();
    throw error;
  }
  return () => server.stop();
}
