import { GatewayError } from '../kernel/errors.ts';
import { createClient } from './client.ts';
import { explainDatabaseError } from './errors.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import { type PoolOptions, ScenePool } from './pool.ts';
import { currentScene, type Scene } from './scene.ts';

/** The delegates of Prisma's client that only read, by model. */
export type Reader = Pick<PrismaClient, Uncapitalize<Prisma.ModelName> | '$queryRaw'>;

/** Prisma's client inside one transaction. */
export type Transaction = Prisma.TransactionClient;

/** The database as one scene may see it. */
export interface Scope {
  readonly scene: Scene;
  /** Reads, each in a transaction and a round trip of its own. */
  readonly db: Reader;
  /** Runs the callback in one transaction; what it throws undoes everything. */
  transaction<Result>(run: (tx: Transaction) => Promise<Result>): Promise<Result>;
}

/** The gateway's database: scopes to work in, and whether it answers. */
export interface Database {
  as(scene: Scene): Scope;
  /** Resolves when the database answers the bare login. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const TRANSACTION_LIMITS = { maxWait: 5_000, timeout: 15_000 };

/** Opens the pool of the gateway's login. */
export function openDatabase(options: PoolOptions): Database {
  const pool = new ScenePool(options);
  const client = createClient(pool);
  let closing: Promise<void> | undefined;
  return {
    as: (scene) => openScope(client, scene),
    ping: () => pool.ping(),
    close() {
      closing ??= client.$disconnect().then(() => pool.end());
      return closing;
    },
  };
}

function openScope(client: PrismaClient, scene: Scene): Scope {
  return {
    scene,
    db: readerOf(client, scene),
    transaction: (run) => inScene(scene, () => client.$transaction(run, TRANSACTION_LIMITS)),
  };
}

/**
 * Starts and finishes an operation inside the scene. Prisma's promises are lazy: awaited outside, they would start
 * outside, which is why they never leave this function.
 */
function inScene<Result>(scene: Scene, operation: () => PromiseLike<Result>): Promise<Result> {
  return currentScene.run(scene, async () => {
    try {
      return await operation();
    } catch (error) {
      throw gatewayErrorIn(error) ?? error;
    }
  });
}

const READS = new Set([
  'findMany',
  'findFirst',
  'findFirstOrThrow',
  'findUnique',
  'findUniqueOrThrow',
  'count',
  'aggregate',
  'groupBy',
]);

type Operation = (...input: unknown[]) => PromiseLike<unknown>;

function readerOf(client: PrismaClient, scene: Scene): Reader {
  const models = client as unknown as Record<string, Record<string, Operation> & Operation>;
  const delegates = new Map<string, unknown>();
  return new Proxy({} as Reader, {
    // Pothos asks whether there is such a model before it reads it.
    has: (_, name) => typeof name === 'string' && name in models,
    get(_, name) {
      if (typeof name !== 'string' || name === 'then') return undefined;
      let delegate = delegates.get(name);
      if (!delegate) {
        delegate = name === '$queryRaw' ? bindRaw(client, scene) : bindModel(models[name], scene);
        delegates.set(name, delegate);
      }
      return delegate;
    },
  });
}

function bindRaw(client: PrismaClient, scene: Scene): Operation {
  return (...input) => inScene(scene, () => (client.$queryRaw as unknown as Operation)(...input));
}

function bindModel(model: Record<string, Operation> | undefined, scene: Scene): unknown {
  return new Proxy(
    {},
    {
      get(_, operation) {
        const run = typeof operation === 'string' && READS.has(operation) ? model?.[operation] : undefined;
        return run && ((...input: unknown[]) => inScene(scene, () => run(...input)));
      },
    },
  );
}

/** The failure inside what Prisma wraps around an error of the pool or the server. */
function gatewayErrorIn(error: unknown, depth = 0): GatewayError | null {
  if (error instanceof GatewayError) return error;
  if (typeof error !== 'object' || error === null || depth > 5) return null;
  const { cause, meta, originalCode, originalMessage } = error as {
    cause?: unknown;
    meta?: { driverAdapterError?: unknown };
    originalCode?: unknown;
    originalMessage?: unknown;
  };
  const explained = explainDatabaseError(originalCode ? { code: originalCode, message: originalMessage } : error);
  return explained ?? gatewayErrorIn(cause, depth + 1) ?? gatewayErrorIn(meta?.driverAdapterError, depth + 1);
}
