import { parseArgs } from 'node:util';
import { withSession } from '../database/session.ts';
import { readEnvironment } from '../environment.ts';
import { findChains } from './commands/findChains.ts';
import { findSealedUpTo } from './commands/findSealedUpTo.ts';
import { type Report, verifyOrganization } from './commands/verifyOrganization.ts';
import { type AuditReader, FAULTS } from './model.ts';

const USAGE = 'Say: npm run audit:verify [-- --organization <slug or id> [--head <hash>]]';

interface Asked {
  readonly organization?: string | undefined;
  readonly head?: string | undefined;
}

function readArguments(given: string[]): Asked {
  const options = { organization: { type: 'string' }, head: { type: 'string' } } as const;
  let asked: Asked;
  try {
    asked = parseArgs({ args: given, options }).values;
  } catch {
    throw new Error(USAGE);
  }
  const { organization, head } = asked;
  if (head === undefined) return asked;
  const [, digits] = /^(?:0x)?([0-9a-f]{64})$/i.exec(head) ?? [];
  if (!digits || organization === undefined) throw new Error(USAGE);
  return { organization, head: digits.toLowerCase() };
}

/** As `npm run db:migrate` is told it. */
function readUrl(): string {
  const { DATABASE_URL, DATABASE_OWNER_URL } = process.env;
  const environment = readEnvironment({ DATABASE_URL, DATABASE_OWNER_URL });
  if (!environment.DATABASE_OWNER_URL) {
    throw new Error('Set DATABASE_OWNER_URL and DATABASE_URL (docs/operations.md).');
  }
  return environment.DATABASE_OWNER_URL;
}

/** One line an organization, and one for what is wrong with it. */
function tell(name: string, { end, waiting, fault }: Report): void {
  if (!fault) {
    console.log(`${name}  ${end.position} sealed, head ${end.hash}, ${waiting} not sealed yet`);
    return;
  }
  const entry = fault.entryId === null ? '' : `, entry ${fault.entryId}`;
  console.log(`${name}  ${end.position} sound, then ${fault.kind} at position ${fault.position}${entry}`);
  console.log(`  ${FAULTS[fault.kind]}`);
}

async function verify(reader: AuditReader, { organization, head }: Asked): Promise<boolean> {
  // asked for first: whatever is behind it was sealed by then
  const sealedUpTo = await findSealedUpTo(reader);
  let seen = 0;
  let sound = true;
  for await (const { organizationId, slug } of findChains(reader, { organization })) {
    const report = await verifyOrganization(reader, { organizationId, head, sealedUpTo });
    tell(slug ? `${organizationId} (${slug})` : organizationId, report);
    sound &&= !report.fault;
    seen += 1;
  }
  if (seen === 0 && organization !== undefined) throw new Error('No audit entry belongs to such an organization.');
  return sound;
}

try {
  const asked = readArguments(process.argv.slice(2));
  const sound = await withSession(readUrl(), async (client) => {
    // the one role that sees the entries of all, and may neither change nor delete one
    await client.query('set role tollhouse_auditor');
    await client.query('set default_transaction_read_only = on');
    return verify({ read: async ({ text, values }) => (await client.query(text, [...values])).rows }, asked);
  });
  if (!sound) process.exitCode = 1;
} catch (error) {
  // a host with several addresses that all refuse gives one error with no words of its own
  const reasons = error instanceof AggregateError ? error.errors : [error];
  console.error(reasons.map((reason) => (reason as Error).message).join('\n'));
  process.exitCode = 1;
}
