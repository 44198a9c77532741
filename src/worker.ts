import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { sealAuditEntries } from './audit/jobs.ts';
import { noteFailure } from './chain/commands/noteFailure.ts';
import { type RegisteredChain, registerChain } from './chain/commands/registerChain.ts';
import { followChain } from './chain/jobs.ts';
import { WATCH_LOCK } from './chain/model.ts';
import { createNodeReader } from './chain/providers/nodeReader.ts';
import { NodeError } from './chain/providers/rpc.ts';
import type { WorkerContext } from './context.ts';
import { assertGatewayRole } from './database/assertGatewayRole.ts';
import { lead } from './database/leader.ts';
import { poolOptions } from './database/pool.ts';
import { type Database, openDatabase } from './database/scope.ts';
import { type ChainSetting, EnvironmentError, readEnvironment } from './environment.ts';
import { serveSubscriber, sweepDeliveries } from './events/jobs.ts';
import { createLog } from './gateway/log.ts';
import { sweepIdempotencyKeys } from './idempotency/jobs.ts';
import { sweepSignIns } from './identity/jobs.ts';
import { newId } from './kernel/ids.ts';
import { checkProjections } from './payments/commands/checkProjections.ts';
import { recheckWatched } from './payments/commands/recheckWatched.ts';
import { tellOfUnwatched } from './payments/commands/tellOfUnwatched.ts';
import { reviewForsakenOrders, settleOrders, UnsettledError } from './payments/jobs.ts';
import { WATCHED_PROJECTIONS } from './payments/model/projections.ts';
import type { ChainReader } from './ports.ts';
import { keepSubscriptionDefaults } from './tenancy/commands/keepSubscriptionDefaults.ts';
import { purgeOrganizations } from './tenancy/jobs.ts';

const POLL_MS = 500;
const LONGEST_BACKOFF_MS = 30_000;
const SWEEP_MS = 60_000;
const SEAL_MS = 1_000;
const SERVE_MS = 1_000;

/** What work answers that has more to do. */
const MORE = Symbol('more');

/** Follows the log, and compares what it tells of with the tables. */
const PROJECTION_CHECK = {
  name: 'projections',
  about: WATCHED_PROJECTIONS.map(({ aggregate }) => aggregate),
  work: checkProjections,
};

/** Background work that is going on. */
export interface Worker {
  stop(): Promise<void>;
}

/** Does all background work: one leader a chain, one that sweeps, and whoever seals and purges; any number may stand by. */
export function startWorker(options: {
  readonly database: Database;
  readonly databaseUrl: string;
  readonly chains: readonly ChainSetting[];
  /** Days until a deleted organization is purged. */
  readonly retentionDays: number;
  readonly log: Logger;
}): Worker {
  const { database, databaseUrl, chains, retentionDays, log } = options;
  const context = { database, log, requestId: `worker-${newId()}` };
  const onError = (error: unknown): void => log.warn({ err: error }, 'background work was interrupted');
  // The database lets one of all seal at a time, and gives each another organization to purge, so nobody has to lead.
  const ending = new AbortController();
  const sealing = repeat(context, 'seal audit', SEAL_MS, ending.signal, () => sealAuditEntries(context, ending.signal));
  const purging = repeat(context, 'purge', SWEEP_MS, ending.signal, () =>
    purgeOrganizations(context, { retentionDays, signal: ending.signal }),
  );
  const serving = repeat(context, 'projections', SERVE_MS, ending.signal, () =>
    serveSubscriber(context, PROJECTION_CHECK, ending.signal),
  );
  const leaders = [
    ...chains.map((setting) =>
      lead({ url: databaseUrl, name: `${WATCH_LOCK}${setting.chainId}`, onError }, (signal) =>
        watch(context, setting, signal),
      ),
    ),
    lead({ url: databaseUrl, name: 'sweep', onError }, (signal) => {
      const told = new Set<bigint>();
      const watched = chains.map(({ chainId }) => chainId);
      return Promise.all([
        repeat(context, 'sweep', SWEEP_MS, signal, () => sweep(context)),
        repeat(context, 'unwatched chains', SWEEP_MS, signal, () =>
          tellOfUnwatched(context, { watched, told, signal }),
        ),
      ]).then(() => undefined);
    }),
  ];
  return {
    stop: async () => {
      ending.abort();
      await Promise.all([sealing, purging, serving, ...leaders.map((leader) => leader.stop())]);
    },
  };
}

async function sweep(context: WorkerContext): Promise<void> {
  await sweepSignIns(context);
  await sweepIdempotencyKeys(context);
  await sweepDeliveries(context);
}

/** Follows one chain and settles its orders until the signal says stop. */
async function watch(context: WorkerContext, setting: ChainSetting, signal: AbortSignal): Promise<void> {
  const reader = createNodeReader(setting, signal);
  let chain: RegisteredChain | null = null;
  let unsettled: string | null = null;
  let opening = Promise.resolve();
  await repeat(context, `chain ${setting.chainId}`, POLL_MS, signal, async () => {
    const read = await follow(context, setting, chain, reader).catch((error: unknown) => {
      // What was read before, and what members decide, waits for no node.
      if (chain === null) throw error;
      return { chain, outcome: null, error };
    });
    // Once it is read again its links open, beside all that, however many they are.
    if (chain === null) opening = opening.then(() => openLinks(context, signal));
    chain = read.chain;
    const { failure, isMore } = await settle(context, chain);
    // It may be so for long, and then each round: what is the same as before is told once.
    if (failure !== null && failure.message !== unsettled) {
      context.log.warn({ chainId: chain.chainId, err: failure }, 'some could not be settled; it is tried again');
    }
    unsettled = failure?.message ?? null;
    if (read.outcome === null) throw read.error;
    if (read.outcome === 'following') return isMore ? MORE : undefined;
    // A node that has nothing new to tell, or another past, may be of a chain that was reset.
    if ((await reader.genesisHash()) !== chain.genesisHash) chain = null;
    if (read.outcome === 'waiting') reader.turn();
    return isMore ? MORE : undefined;
  });
  await opening;
}

/** Lets the links of a chain that is watched again take payments; what fails in it is done by whoever sweeps. */
async function openLinks(context: WorkerContext, signal: AbortSignal): Promise<void> {
  await recheckWatched(context, { signal }).catch((error: unknown) =>
    context.log.warn({ err: error }, 'links could not be told that their chain is watched; it is tried again'),
  );
}

/** One round of settling; what fails in it concerns those alone that it is about, and neither the chain nor the others. */
async function settle(
  context: WorkerContext,
  chain: RegisteredChain,
): Promise<{ failure: UnsettledError | null; isMore: boolean }> {
  try {
    return { failure: null, isMore: await settleOrders(context, chain) };
  } catch (error) {
    if (error instanceof UnsettledError) return { failure: error, isMore: error.isMore };
    throw error;
  }
}

/** One round of reading; that it failed is told to everybody, and what failed if a node did. */
async function follow(
  context: WorkerContext,
  setting: ChainSetting,
  registered: RegisteredChain | null,
  reader: ChainReader,
): Promise<{ chain: RegisteredChain; outcome: Awaited<ReturnType<typeof followChain>> }> {
  try {
    const chain = registered ?? (await register(context, setting, reader));
    return { chain, outcome: await followChain(context, chain, reader) };
  } catch (error) {
    const reason = error instanceof NodeError ? error.message : 'It could not be read; the log says why.';
    await noteFailure(context, { chainId: setting.chainId, reason }).catch(() => {});
    throw error;
  }
}

async function register(context: WorkerContext, setting: ChainSetting, reader: ChainReader): Promise<RegisteredChain> {
  const chain = await registerChain(context, { setting, reader });
  const forsaken = await reviewForsakenOrders(context);
  if (chain.reset) {
    context.log.warn(
      { chainId: chain.chainId, genesisHash: chain.genesisHash, ordersToReview: forsaken },
      'the chain has another genesis block than before: it was reset, and is read as a new incarnation',
    );
  }
  return chain;
}

/** Does something again and again, at once while there is more; after a failure it waits longer each time, up to half a minute. */
async function repeat(
  context: WorkerContext,
  what: string,
  pause: number,
  signal: AbortSignal,
  work: () => Promise<unknown>,
): Promise<void> {
  let failures = 0;
  let isMore = false;
  while (!signal.aborted) {
    try {
      isMore = (await work()) === MORE;
      failures = 0;
    } catch (error) {
      isMore = false;
      failures += 1;
      if (!signal.aborted)
        context.log.warn({ what, failures, err: error }, 'background work failed; it is tried again');
    }
    if (isMore) continue;
    const wait = failures === 0 ? pause : Math.min(pause * 2 ** failures, LONGEST_BACKOFF_MS);
    await setTimeout(wait, undefined, { signal }).catch(() => {});
  }
}

/** A process that does nothing else. */
async function main(): Promise<void> {
  const environment = readEnvironment(process.env);
  if (!environment.DATABASE_URL || !environment.CHAINS) {
    throw new EnvironmentError(['DATABASE_URL, CHAINS: a worker of its own needs both; `npm start` has one inside']);
  }
  await assertGatewayRole(environment.DATABASE_URL);
  const log = createLog(environment.LOG_LEVEL);
  const database = openDatabase(poolOptions(environment, environment.DATABASE_URL));
  await keepSubscriptionDefaults({ database, requestId: 'start' }, environment).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });
  const { DATABASE_URL: databaseUrl, CHAINS: chains, ORGANIZATION_RETENTION_DAYS: retentionDays } = environment;
  const worker = startWorker({ database, databaseUrl, chains, retentionDays, log });
  log.info({ chains: chains.map(({ chainId }) => chainId) }, 'the worker works');
  const stop = (): void => {
    void worker
      .stop()
      .then(() => database.close())
      .then(() => process.exit(0));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
