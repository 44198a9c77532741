import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { findChainStatuses } from './chain/commands/findChainStatuses.ts';
import { caip19Of } from './chain/model.ts';
import { publicAccounts } from './chain/providers/devAccounts.ts';
import { createNodeReader } from './chain/providers/nodeReader.ts';
import type { Resources, Streams } from './context.ts';
import { assertGatewayRole, assertOperatorRole } from './database/assertGatewayRole.ts';
import { openHints } from './database/hints.ts';
import { pollHints } from './database/polledHints.ts';
import { type PacketObserver, poolOptions } from './database/pool.ts';
import { type Database, openDatabase } from './database/scope.ts';
import { hasDemoAccount } from './demo.ts';
import type { ChainSetting, Environment, SigningKey } from './environment.ts';
import { readStreamEnds } from './events/commands/readStreamEnds.ts';
import type { DemoWallet } from './gateway/playground.ts';
import { schema } from './gateway/schema.ts';
import { type Gateway, openGateway } from './gateway/server.ts';
import { describeFault } from './graphql/errors.ts';
import { createStreams } from './graphql/streams.ts';
import { createCodeDigest } from './identity/providers/codes.ts';
import { createMailSender } from './identity/providers/mail.ts';
import { createThirdwebAccounts } from './identity/providers/thirdweb.ts';
import { createTokens } from './identity/providers/tokens.ts';
import { createWalletVerifier } from './identity/providers/wallet.ts';
import { foundOrganization } from './tenancy/commands/foundOrganization.ts';
import { keepSubscriptionDefaults } from './tenancy/commands/keepSubscriptionDefaults.ts';
import { createDomainResolver } from './tenancy/providers/dns.ts';
import { startWorker, type Worker } from './worker.ts';

/** Operators are few and ask seldom. */
const OPERATOR_POOL = { min: 0, max: 2 };

/** A database that is silent for longer is as good as away. */
const LONGEST_PING_MS = 2_000;

/** What a gateway needs from outside, wherever it comes from: the environment, a development checkout, a test. */
export interface Supplies {
  readonly databaseUrl: string;
  /** The operator's own login; without it nobody is an operator. */
  readonly operatorUrl?: string | null;
  readonly chains: readonly ChainSetting[];
  readonly tokenKeys: readonly SigningKey[];
  /** Wallets that whoever explores the API may be; development only, everybody knows their keys. */
  readonly demoWallets?: readonly DemoWallet[];
  /** Told of every network round trip to the database. */
  readonly onPacket?: PacketObserver;
}

/** A gateway that answers, with its worker inside. */
export interface Tollhouse {
  readonly gateway: Gateway;
  readonly resources: Resources;
  /** Drains the front door, then stops the worker, then leaves the database; once is enough. */
  stop(): Promise<void>;
}

/**
 * Joins all parts to a gateway that answers: the front door is bound first, so that everything knows its port.
 * @param prepare runs when the database can be used and before the first request is answered
 * @throws when the database's login is stronger than a gateway may be, or production holds a demo account
 */
export async function openTollhouse(
  environment: Environment,
  supplies: Supplies,
  log: Logger,
  prepare: (resources: Resources) => Promise<void> = async () => {},
): Promise<Tollhouse> {
  const parts: {
    gateway?: Gateway;
    worker?: Worker;
    streams?: Streams;
    operatorDatabase?: Database;
    database?: Database;
  } = {};
  const stop = async (): Promise<void> => {
    await parts.gateway?.drain();
    await parts.worker?.stop();
    await parts.streams?.stop();
    await parts.operatorDatabase?.close();
    await parts.database?.close();
  };
  try {
    await assertGatewayRole(supplies.databaseUrl);
    if (supplies.operatorUrl) await assertOperatorRole(supplies.operatorUrl);
    const host = environment.HOST ?? (environment.production ? '0.0.0.0' : '127.0.0.1');
    const gateway = await openGateway({ host, port: environment.PORT }, log);
    parts.gateway = gateway;
    const { databaseUrl, operatorUrl, chains, onPacket } = supplies;
    const database = openDatabase({ ...poolOptions(environment, databaseUrl), ...(onPacket && { onPacket }) });
    parts.database = database;
    const operatorDatabase = operatorUrl
      ? openDatabase({ ...poolOptions(environment, operatorUrl), ...OPERATOR_POOL, ...(onPacket && { onPacket }) })
      : null;
    if (operatorDatabase) parts.operatorDatabase = operatorDatabase;
    if (environment.production && (await hasDemoAccount({ database }))) {
      throw new Error('A demo wallet, whose key everybody knows, is a user of this database; production refuses it.');
    }
    const resources = await makeResources(environment, supplies, { gateway, database, operatorDatabase, log });
    parts.streams = resources.streams;
    await keepSubscriptionDefaults({ database, requestId: 'start' }, environment);
    await prepare(resources);
    parts.worker = startWorker({
      database,
      databaseUrl,
      chains,
      retentionDays: environment.ORGANIZATION_RETENTION_DAYS,
      log,
    });
    gateway.serve({
      resources,
      schema,
      health: { ready: () => notReady(database), degraded: () => chainsBehind(database, chains) },
      playground: { demoWallets: supplies.demoWallets ?? [], asset: firstAsset(chains) },
    });
    return { gateway, resources, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function makeResources(
  environment: Environment,
  { databaseUrl, tokenKeys, chains }: Supplies,
  parts: { gateway: Gateway; database: Database; operatorDatabase: Database | null; log: Logger },
): Promise<Resources> {
  const { gateway, database, operatorDatabase, log } = parts;
  const local = [`http://localhost:${gateway.port}`, `http://127.0.0.1:${gateway.port}`];
  const publicUrl = (environment.PUBLIC_URL ?? `http://localhost:${gateway.port}`).replace(/\/+$/, '');
  const clock = { now: () => Date.now() };
  const chainIds = chains.map(({ chainId }) => chainId);
  const readers = new Map(chains.map((setting) => [setting.chainId, createNodeReader(setting)]));
  const onError = (error: unknown): void =>
    log.warn({ err: describeFault(error) }, 'hints for open streams are not heard for now');
  return {
    environment,
    signInOrigins: environment.SIGN_IN_ORIGINS ?? local,
    signInChainIds: environment.SIGN_IN_CHAIN_IDS ?? (chainIds.length > 0 ? chainIds : [31_337]),
    refusedAccounts: new Set(environment.production ? publicAccounts() : []),
    publicUrl,
    database,
    operatorDatabase,
    tokens: await createTokens({
      keys: tokenKeys,
      issuer: publicUrl,
      lifetime: environment.ACCESS_TOKEN_SECONDS,
      clock,
    }),
    walletVerifier: createWalletVerifier({ chains, factories: environment.ERC6492_FACTORIES }),
    chainReader: (chainId) => readers.get(chainId) ?? null,
    thirdwebAccounts: createThirdwebAccounts(environment),
    domainResolver: createDomainResolver(environment.DNS_SERVERS),
    mailSender: createMailSender(environment, log),
    digestCode: createCodeDigest(tokenKeys),
    streams: createStreams(
      pollHints(openHints({ url: databaseUrl, onError }), { ...readStreamEnds(database), onError }),
      { perSession: environment.LIMIT_STREAMS_PER_SESSION, perClient: environment.LIMIT_STREAMS_PER_CLIENT },
    ),
    clock,
    log,
    foundOrganization,
  };
}

/** Something that can be paid in, for an example. */
function firstAsset([chain]: readonly ChainSetting[]): string | null {
  const [asset] = chain?.assets ?? [];
  return chain && asset ? caip19Of(chain.chainId, asset.address ?? null) : null;
}

/** What a request would have to wait for, in plain words. */
async function notReady(database: Database): Promise<string[]> {
  const silence = setTimeout(LONGEST_PING_MS).then(() => ['database']);
  const answer = database.ping().then(
    () => [],
    () => ['database'],
  );
  return Promise.race([answer, silence]);
}

/**
 * Chains that are not being read, and so take no new orders, or whose nodes fail, and how; the rest goes on without. Of those
 * that the settings do not name the ones that nobody watches.
 */
async function chainsBehind(database: Database, chains: readonly ChainSetting[]): Promise<string[]> {
  const statuses = await findChainStatuses(database.as({ kind: 'public', requestId: 'health' }));
  const unwatched = statuses.filter(({ state }) => state === 'UNWATCHED').map((one) => Number(one.chainId));
  const told = new Set([...chains.map(({ chainId }) => chainId), ...unwatched]);
  return [...told].flatMap((chainId) => {
    const status = statuses.find((one) => Number(one.chainId) === chainId);
    if (!status) return [`chain ${chainId} was never read`];
    const { state, since, failingSince, reason } = status;
    const troubled = state === 'READING' ? failingSince : since;
    if (troubled === null) return [];
    const fares = state === 'READING' ? 'fails' : `is ${state}`;
    return [`chain ${chainId} ${fares} since ${troubled.toISOString()}${reason === null ? '' : `: ${reason}`}`];
  });
}
