import { readEnvironment } from '../environment.ts';
import { migrate, rollback, status } from './migrations.ts';
import { ensureRoles } from './roles.ts';

const USAGE = 'Say one of: npm run db:migrate · npm run db:rollback [-- <count>] · npm run db:status';

/** The URLs alone: what else a gateway needs in production, a job that migrates need not know. */
function readUrls(): { ownerUrl: string; gatewayUrl: string; operatorUrl: string | undefined } {
  const { DATABASE_URL, DATABASE_OWNER_URL, OPERATOR_DATABASE_URL } = process.env;
  const environment = readEnvironment({ DATABASE_URL, DATABASE_OWNER_URL, OPERATOR_DATABASE_URL });
  if (!environment.DATABASE_OWNER_URL || !environment.DATABASE_URL) {
    throw new Error(
      'Set DATABASE_OWNER_URL and DATABASE_URL (docs/operations.md). The embedded database is migrated by npm start.',
    );
  }
  return {
    ownerUrl: environment.DATABASE_OWNER_URL,
    gatewayUrl: environment.DATABASE_URL,
    operatorUrl: environment.OPERATOR_DATABASE_URL,
  };
}

async function run([verb, ...rest]: readonly string[]): Promise<void> {
  if (rest.length > (verb === 'rollback' ? 1 : 0)) throw new Error(USAGE);
  if (verb === 'migrate') {
    const urls = readUrls();
    await ensureRoles(urls);
    report('Applied', await migrate(urls.ownerUrl), 'Nothing to apply: the database is up to date.');
  } else if (verb === 'rollback') {
    const count = Number(rest[0] ?? 1);
    report('Undid', await rollback(readUrls().ownerUrl, count), 'Nothing to undo: no migration is applied.');
  } else if (verb === 'status') {
    const { applied, pending, fault } = await status(readUrls().ownerUrl);
    for (const name of applied) console.log(`applied  ${name}`);
    for (const name of pending) console.log(`pending  ${name}`);
    if (fault) throw new Error(fault);
    if (pending.length > 0) process.exitCode = 1;
  } else {
    throw new Error(USAGE);
  }
}

function report(deed: string, names: readonly string[], otherwise: string): void {
  console.log(names.length > 0 ? names.map((name) => `${deed} ${name}.`).join('\n') : otherwise);
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  // a host with several addresses that all refuse gives one error with no words of its own
  const reasons = error instanceof AggregateError ? error.errors : [error];
  console.error(reasons.map((reason) => (reason as Error).message).join('\n'));
  process.exitCode = 1;
}
