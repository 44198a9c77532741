import { parseArgs } from 'node:util';
import type pg from 'pg';
import { withSession } from '../database/session.ts';
import { readEnvironment } from '../environment.ts';
import { type Comparison, compareProjection } from '../events/commands/compareProjection.ts';
import { rebuildProjection } from '../events/commands/rebuildProjection.ts';
import { newId } from '../kernel/ids.ts';
import { PAYMENT_PROJECTIONS } from './model/projections.ts';

const USAGE =
  'Say: npm run events:verify [-- --organization <slug or id>], or npm run events:rebuild with the same words';

interface Organization {
  readonly id: string;
  readonly slug: string;
}

type Deed = 'verify' | 'rebuild';

interface Asked {
  readonly deed: Deed;
  readonly organization?: string | undefined;
}

function readArguments([deed, ...given]: string[]): Asked {
  if (deed !== 'verify' && deed !== 'rebuild') throw new Error(USAGE);
  try {
    return { deed, ...parseArgs({ args: given, options: { organization: { type: 'string' } } }).values };
  } catch {
    throw new Error(USAGE);
  }
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

async function findOrganizations(client: pg.Client, asked: string | undefined): Promise<Organization[]> {
  const { rows } = await client.query<Organization>(
    `/* findOrganizations */
    select id, slug from organizations where $1::text is null or slug = $1 or id::text = $1 order by id`,
    [asked ?? null],
  );
  if (rows.length === 0 && asked !== undefined) throw new Error('There is no such organization.');
  return rows;
}

/** One line an organization and table, and one for the first row that differs. */
function tell({ id, slug }: Organization, table: string, comparison: Comparison): boolean {
  const { rows, shownHash, toldHash, differences } = comparison;
  const [first] = differences;
  const verdict = first ? `${shownHash}, and the log makes ${toldHash}` : shownHash;
  console.log(`${id} (${slug})  ${table}  ${rows} rows  ${verdict}`);
  if (!first) return true;
  console.log(`  ${first.id} is ${JSON.stringify(first.shown)}, and was told to be ${JSON.stringify(first.told)}`);
  return false;
}

async function verify(client: pg.Client, asked: string | undefined): Promise<boolean> {
  // the one role that sees the log and the tables of all, and may change neither
  await client.query('set role tollhouse_auditor');
  await client.query('set default_transaction_read_only = on');
  const read = sender(client);
  let sound = true;
  for (const organization of await findOrganizations(client, asked)) {
    for (const projection of PAYMENT_PROJECTIONS) {
      const comparison = await compareProjection({ read }, { projection, organizationId: organization.id, most: 1 });
      if (!tell(organization, projection.table, comparison)) sound = false;
    }
  }
  return sound;
}

async function rebuild(client: pg.Client, asked: string | undefined): Promise<boolean> {
  const requestId = `events-rebuild-${newId()}`;
  await client.query('set role tollhouse_auditor');
  const organizations = await findOrganizations(client, asked);
  await client.query('reset role');
  let sound = true;
  for (const organization of organizations) {
    for (const projection of PAYMENT_PROJECTIONS) {
      const input = { projection, organizationId: organization.id, requestId };
      const rebuilt = await rebuildProjection({ send: sender(client) }, input);
      tell(organization, projection.table, rebuilt.before);
      if (rebuilt.written > 0) {
        console.log(`  ${rebuilt.written} of them written, on record by the request ${requestId}; now`);
        tell(organization, projection.table, rebuilt.after);
      }
      for (const { id, reason } of rebuilt.left) console.log(`  ${id} is left as it is: ${reason}`);
      if (rebuilt.after.differences.length > 0) sound = false;
    }
  }
  return sound;
}

function sender(client: pg.Client): <Row>(statement: { text: string; values: unknown[] }) => Promise<Row[]> {
  return async <Row>({ text, values }: { text: string; values: unknown[] }) =>
    (await client.query(text, values)).rows as Row[];
}

try {
  const { deed, organization } = readArguments(process.argv.slice(2));
  const run = deed === 'verify' ? verify : rebuild;
  const sound = await withSession(readUrl(), (client) => run(client, organization));
  if (!sound) process.exitCode = 1;
} catch (error) {
  // a host with several addresses that all refuse gives one error with no words of its own
  const reasons = error instanceof AggregateError ? error.errors : [error];
  console.error(reasons.map((reason) => (reason as Error).message).join('\n'));
  process.exitCode = 1;
}
