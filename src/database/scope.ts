import { GatewayError } from '../kernel/errors.ts';
import { runTogether } from './batch.ts';
import { createClient } from './client.ts';
import { databaseErrors, explainDatabaseError, isConnectionLost } from './errors.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import { type PoolOptions, ScenePool } from './pool.ts';
import { type Carrier, gatherReads, type Reader, readerOf } from './reader.ts';
import { currentScene, type Scene } from './scene.ts';
import { writerOf } from './writer.ts';

export type { Reader };

/** Prisma's client inside one transaction. */
export type Transaction = Prisma.TransactionClient;

/** One statement that has not been sent yet: Prisma's promises wait until they are awaited. */
export type Deed<Result = unknown> = Prisma.PrismaPromise<Result>;

type Answers<Deeds extends readonly Deed[]> = { -readonly [Place in keyof Deeds]: Awaited<Deeds[Place]> };

/** The database as one scene may see it. */
export interface Scope {
  readonly scene: Scene;
  /** Reads, those of one tick in one round trip; what their connection died under is asked again, twice at most. */
  readonly db: Reader;
  /**
   * Asks a function what stands in no table, in one round trip with the reads of its tick.
   * @param text a statement whose one row has one column, of JSON as text; null when it has no row
   */
  ask<Answer>(text: string): Promise<Answer | null>;
  /**
   * Does everything that is planned in one packet, in its order: one transaction, one round trip. What is to be read
   * of it afterwards is planned last. A deadlock undoes all of it, and then it is sent again, twice at most.
   * @throws OUTCOME_UNKNOWN when the connection died before the answer came
   */
  write<const Deeds extends readonly Deed[]>(plan: (tx: Transaction) => Deeds): Promise<Answers<Deeds>>;
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
    as: (scene) => openScope(client, pool, scene),
    ping: () => pool.ping(),
    close() {
      closing ??= client.$disconnect().then(() => pool.end());
      return closing;
    },
  };
}

function openScope(client: PrismaClient, pool: ScenePool, scene: Scene): Scope {
  const run = <Result>(operation: () => PromiseLike<Result>): Promise<Result> => inScene(scene, operation);
  const gather = gatherReads(pool, scene);
  const carrier: Carrier = {
    ask: (statement) => again(isCutOff, () => run(() => gather(statement))),
    run: (operation) => again(isCutOff, () => run(operation)),
  };
  const db = readerOf(client, carrier, run);
  const ask = async <Answer>(text: string): Promise<Answer | null> => {
    const json = await carrier.ask({ text, values: [], decode: (value) => value });
    return json === null ? null : (JSON.parse(json) as Answer);
  };
  const tx = writerOf(client, pool);
  const write = (plan: (tx: Transaction) => readonly Deed[]): Promise<unknown[]> =>
    run(() =>
      runTogether(
        plan(tx),
        (deed, place) => currentScene.run({ ...scene, place }, async () => await deed),
        (queries) => again(isUndone, () => pool.write(queries)),
      ),
    );
  return {
    scene,
    db,
    ask,
    write: (plan) => write(plan) as never,
    transaction: (callback) => run(() => client.$transaction(callback, TRANSACTION_LIMITS)),
  };
}

const ATTEMPTS = 3;

/** Tries what may be tried again without anybody's noticing. */
async function again<Result>(mayPass: (error: unknown) => boolean, run: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (attempt === ATTEMPTS || !mayPass(error)) throw error;
    }
  }
}

const UNDONE = new Set(['40001', '40P01']);

/** Two wanted the same rows in another order, and the server has undone this one. */
function isUndone(error: unknown): boolean {
  return UNDONE.has(String((error as { code?: unknown }).code));
}

/** The connection died under it; what only reads may be asked again. */
function isCutOff(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'UNAVAILABLE' && isConnectionLost(error.cause ?? {});
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
      const failure = gatewayErrorIn(error);
      throw scene.kind === 'impersonation' && isOfReading(failure)
        ? databaseErrors.IMPERSONATION_READ_ONLY({}, { cause: error })
        : (failure ?? error);
    }
  });
}

/** The transaction may only read; elsewhere that is so of a server which has become a standby. */
function isOfReading(failure: GatewayError | null): boolean {
  return (failure?.cause as { code?: unknown } | undefined)?.code === '25006';
}

/** The failure inside what Prisma wraps around an error of the pool or the server. */
function gatewayErrorIn(error: unknown, depth = 0): GatewayError | null {
  if (error instanceof GatewayError) return error;
  if (typeof error !== 'object' || error === null || depth > 5) return null;
  const { cause, code, meta, originalCode, originalMessage } = error as {
    cause?: unknown;
    code?: unknown;
    meta?: { driverAdapterError?: unknown };
    originalCode?: unknown;
    originalMessage?: unknown;
  };
  // Of a failure of ours Prisma keeps the code and the sentence.
  if (code === 'OUTCOME_UNKNOWN') return databaseErrors.OUTCOME_UNKNOWN({}, { cause: error });
  const explained = explainDatabaseError(originalCode ? { code: originalCode, message: originalMessage } : error);
  return explained ?? gatewayErrorIn(cause, depth + 1) ?? gatewayErrorIn(meta?.driverAdapterError, depth + 1);
}
