import { parseArgs } from 'node:util';
import { migrate } from './database/migrations.ts';
import { ensureRoles } from './database/roles.ts';
import { openDevelopment } from './development.ts';
import { EnvironmentError, readEnvironment } from './environment.ts';
import { createLog } from './gateway/log.ts';
import { type ShowcaseSizes, seedShowcase } from './showcase.ts';
import { openTollhouse } from './tollhouse.ts';

const USAGE = 'Say: npm run db:seed [-- --organizations <count> --links <count> --orders <count>]';

/** How much is asked for; what is not named is what the demo has of itself. */
function readSizes(args: readonly string[]): ShowcaseSizes {
  const size = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...args], options: { organizations: size, links: size, orders: size } });
  const read = (text: string | undefined, least: number): number => {
    const count = text === undefined ? least : Number(text);
    if (!Number.isSafeInteger(count) || count < least || count > 1_000_000) throw new Error(USAGE);
    return count;
  };
  const links = read(values.links, 0);
  const orders = read(values.orders, 0);
  if (orders > 0 && links === 0) throw new Error(`${USAGE}; orders need links.`);
  return { organizations: read(values.organizations, 2), links, orders };
}

/** Starts what `npm start` would, on a port of its own, seeds and stops. */
async function run(args: readonly string[]): Promise<void> {
  const sizes = readSizes(args);
  const given = readEnvironment(process.env);
  if (given.production && !given.TOLLHOUSE_UNSAFE_SEED) {
    throw new EnvironmentError([
      'NODE_ENV: production is not seeded, since everybody knows the keys of the demo; TOLLHOUSE_UNSAFE_SEED=1 lets it',
    ]);
  }
  const environment = { ...given, PORT: 0 };
  const log = createLog(environment.LOG_LEVEL === 'info' ? 'warn' : environment.LOG_LEVEL);
  const development = await openDevelopment(process.cwd(), environment, log);
  try {
    const { databaseUrl, ownerUrl, operatorUrl, chains } = development;
    if (ownerUrl && !environment.production) {
      await ensureRoles({ ownerUrl, gatewayUrl: databaseUrl, operatorUrl: operatorUrl ?? undefined });
      await migrate(ownerUrl);
    }
    // the demo's people are refused in production otherwise
    const tollhouse = await openTollhouse({ ...environment, production: false }, development, log);
    try {
      const [chain = null] = chains;
      await seedShowcase(tollhouse.resources, { chain, sizes });
    } finally {
      await tollhouse.stop();
    }
  } finally {
    await development.stop();
  }
  console.log(
    'The demo is there; npm start shows it. Orders go on becoming final, or expiring, within a minute or two.',
  );
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
