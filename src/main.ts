import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Resources } from './context.ts';
import { migrate } from './database/migrations.ts';
import { ensureRoles } from './database/roles.ts';
import { demoWallets, seedPayments, seedPeople, waitForChain } from './demo.ts';
import { type Development, openDevelopment } from './development.ts';
import { type ChainSetting, type Environment, readEnvironment } from './environment.ts';
import { createLog } from './gateway/log.ts';
import { openTollhouse, type Supplies, type Tollhouse } from './tollhouse.ts';

/** What is running, to be stopped in this order. */
interface Running {
  tollhouse?: Tollhouse;
  development?: Development;
  stopping?: true;
}

/** The front door alone may take ten seconds to drain. */
const LONGEST_STOP_MS = 15_000;

async function main(): Promise<void> {
  const environment = readEnvironment(process.env);
  const log = createLog(environment.LOG_LEVEL);
  const running: Running = {};
  stopOnSignal(running, log);
  try {
    await (environment.production ? startProduction : startDevelopment)(environment, log, running);
  } catch (error) {
    // What a stop in the middle of the start breaks off is no failure; the stop ends the process.
    if (running.stopping) return;
    await stopAll(running);
    throw error;
  }
}

/** Production is given everything, makes nothing up and migrates nothing. */
async function startProduction(environment: Environment, log: Logger, running: Running): Promise<void> {
  const { DATABASE_URL, OPERATOR_DATABASE_URL = null, CHAINS, TOKEN_KEYS } = environment;
  if (!DATABASE_URL || !CHAINS || !TOKEN_KEYS) throw new Error('The environment was not checked for production.');
  const supplies: Supplies = {
    databaseUrl: DATABASE_URL,
    operatorUrl: OPERATOR_DATABASE_URL,
    chains: CHAINS,
    tokenKeys: TOKEN_KEYS,
  };
  running.tollhouse = await openTollhouse(environment, supplies, log);
  warm(running.tollhouse, log);
  log.info({ url: running.tollhouse.gateway.url, chains: CHAINS.map(({ chainId }) => chainId) }, 'ready');
}

/** Outside production whatever is missing is started, migrated and seeded. */
async function startDevelopment(environment: Environment, log: Logger, running: Running): Promise<void> {
  const development = await openDevelopment(process.cwd(), environment, log);
  running.development = development;
  const { databaseUrl, operatorUrl, ownerUrl, embedded, chains } = development;
  if (ownerUrl) {
    await ensureRoles({ ownerUrl, gatewayUrl: databaseUrl, operatorUrl: operatorUrl ?? undefined });
    await migrate(ownerUrl);
  }
  const supplies = { ...development, demoWallets: embedded && development.hasLocalChain ? demoWallets() : [] };
  const tollhouse = await openTollhouse(environment, supplies, log, async (resources) => {
    if (embedded) await seedPeople(resources);
  });
  running.tollhouse = tollhouse;
  warm(tollhouse, log);
  const [localChain] = development.hasLocalChain ? chains : [];
  const checkout = embedded && localChain ? await seedWhenCaughtUp(tollhouse.resources, localChain) : null;
  const graphql = `http://localhost:${tollhouse.gateway.port}/graphql`;
  await development.announce(graphql);
  process.stdout.write(welcome(graphql, { embedded, localChain, checkout }));
  log.info({ url: graphql, chains: chains.map(({ chainId }) => chainId) }, 'ready');
}

/** The first payer is not to wait for the page; and where it cannot be made, everything else goes on. */
function warm({ gateway }: Tollhouse, log: Logger): void {
  void gateway.warm().catch((error: unknown) => log.error({ err: error }, 'the checkout page cannot be made'));
}

/** What a newcomer may use. */
interface Started {
  readonly embedded: boolean;
  readonly localChain: ChainSetting | undefined;
  /** A page where something of the demo can be paid. */
  readonly checkout: string | null;
}

/** What a newcomer is told. */
function welcome(graphql: string, { embedded, localChain, checkout }: Started): string {
  const wallets = demoWallets().flatMap(({ name, part, address, privateKey }) => [
    `    ${name.padEnd(6)}${part}`,
    `          address ${address}`,
    `          key     ${privateKey}`,
  ]);
  const lines = [
    '',
    `  Tollhouse is ready: ${graphql}`,
    '  Open it in a browser for the playground.',
    '',
    `  Database     ${embedded ? 'its own, in .tollhouse/' : 'the one of DATABASE_URL'}`,
    `  Local chain  ${localChain ? `${localChain.publicRpcUrl} (chain 31337)` : 'none; the log says why'}`,
    ...(embedded ? ['', '  Demo wallets. Development only: everybody knows these keys.', ...wallets] : []),
    '',
    '  Try   query { chains { name assets { symbol caip19 } } }',
    `  Or    npm run example:pay-a-link -- ${graphql}`,
    ...(checkout
      ? [`  Or    ${checkout}`, '        and pay it in ETH, with Dave’s key in a wallet of the browser']
      : []),
    '',
  ];
  return `${lines.join('\n')}\n`;
}

async function seedWhenCaughtUp(resources: Resources, chain: ChainSetting): Promise<string | null> {
  if (await waitForChain(resources, chain)) return seedPayments(resources, chain);
  resources.log.warn('The local chain was not read in time; the demo has no payments.');
  return null;
}

/** Stops once, however often a signal comes; the servers of the checkout are in groups of their own and ended by us. */
function stopOnSignal(running: Running, log: Logger): void {
  const stop = (signal: string): void => {
    if (running.stopping) return;
    running.stopping = true;
    log.info({ signal }, 'stopping');
    void stopAll(running)
      .catch((error: unknown) => log.error({ err: error }, 'could not stop in order'))
      .then(() => process.exit(0));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
}

/** A gateway that cannot stop in time, for a database that does not answer, is left as it is. */
async function stopAll({ tollhouse, development }: Running): Promise<void> {
  try {
    if (tollhouse) await Promise.race([tollhouse.stop(), setTimeout(LONGEST_STOP_MS)]);
  } finally {
    await development?.stop();
  }
}

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
