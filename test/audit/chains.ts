import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { findSealedUpTo } from '../../src/audit/commands/findSealedUpTo.ts';
import { type Report, verifyOrganization } from '../../src/audit/commands/verifyOrganization.ts';
import { withSession } from '../../src/database/session.ts';
import type { TestDatabase } from '../support/database.ts';

/** A statement as a superuser, whom nothing binds. */
export async function sql<Row = Record<string, unknown>>(
  database: Pick<TestDatabase, 'sql'>,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  return database.sql<Row>(text, values);
}

/** A connection that has become the worker, as the gateway's does. */
export async function openSealer({ gatewayUrl }: Pick<TestDatabase, 'gatewayUrl'>): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: gatewayUrl });
  // one of them is killed
  client.on('error', () => {});
  await client.connect();
  await client.query('set role tollhouse_worker');
  return client;
}

/** How many entries this sealed; null when somebody else was at it. */
export async function seal(client: pg.Client, batch = 1_000): Promise<number | null> {
  const { rows } = await client.query<{ sealed: number | null }>('select seal_audit_entries($1) as sealed', [batch]);
  return rows[0]?.sealed ?? null;
}

/** Seals until nothing is left; other tests' transactions, on the same server, may have to end first. */
export async function sealAll(database: TestDatabase): Promise<void> {
  const client = await openSealer(database);
  try {
    while ((await unsealed(database)) > 0) {
      if (!(await seal(client))) await setTimeout(20);
    }
  } finally {
    await client.end();
  }
}

/** How many entries have no seal. */
export async function unsealed(database: TestDatabase): Promise<number> {
  const [row] = await sql<{ count: number }>(
    database,
    `select count(*)::int as count from audit_entries e
     where not exists (select from audit_seals s where s.organization_id = e.organization_id and s.id = e.id)`,
  );
  return row?.count ?? 0;
}

/** Follows an organization's chain as the auditor, as `npm run audit:verify` does. */
export async function verify({ ownerUrl }: TestDatabase, organizationId: string, head?: string): Promise<Report> {
  return withSession(ownerUrl, async (client) => {
    await client.query('set role tollhouse_auditor');
    const reader = {
      read: async <Row>({ text, values }: { text: string; values: unknown[] }) =>
        (await client.query(text, [...values])).rows as Row[],
    };
    return verifyOrganization(reader, { organizationId, head, sealedUpTo: await findSealedUpTo(reader) });
  });
}
