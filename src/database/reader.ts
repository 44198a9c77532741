import { isConnectionLost } from './errors.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import { TABLES } from './generated/tables.ts';
import type { Query } from './packet.ts';
import { OUR_TYPES, type ScenePool } from './pool.ts';
import { type ReadOperation, type ReadStatement, readStatement } from './readStatement.ts';
import { currentScene, type Scene } from './scene.ts';

/** The delegates of Prisma's client that only read, by model. */
export type Reader = Pick<PrismaClient, Uncapitalize<Prisma.ModelName> | '$queryRaw'>;

/** The reads that are said as one statement of ours, where they can be. */
const OURS: Readonly<Record<string, ReadOperation>> = {
  findMany: 'findMany',
  findFirst: 'findFirst',
  findFirstOrThrow: 'findFirst',
  findUnique: 'findUnique',
  findUniqueOrThrow: 'findUnique',
};

/** The reads that are Prisma's alone. */
const PRISMAS = new Set(['count', 'aggregate', 'groupBy']);

type Operation = (...input: unknown[]) => PromiseLike<unknown>;
type Delegate = Readonly<Record<string, Operation | undefined>>;

/** Prisma's own delegate of a model, by the name that its client has for it. */
function delegateOf(client: PrismaClient, name: string): Delegate | undefined {
  return (client as unknown as Record<string, Delegate | undefined>)[name];
}

/** The model that a client has under this name. */
function modelNamed(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** How a read is carried out. */
export interface Carrier {
  /** Sends our statement, and answers its JSON. */
  ask(statement: ReadStatement): Promise<string | null>;
  /** Runs a read of Prisma's. */
  run(operation: () => PromiseLike<unknown>): Promise<unknown>;
}

/**
 * Reads of a client, each carried out as it is called.
 * @param runRaw runs SQL, which may do anything
 */
export function readerOf(client: PrismaClient, carrier: Carrier, runRaw: Carrier['run']): Reader {
  const delegates = new Map<string, unknown>();
  return new Proxy({} as Reader, {
    // Pothos asks whether there is such a model before it reads it.
    has: (_, name) => typeof name === 'string' && name in client,
    get(_, name) {
      if (typeof name !== 'string' || name === 'then') return undefined;
      let delegate = delegates.get(name);
      if (!delegate) {
        delegate = name === '$queryRaw' ? rawOf(client, runRaw) : modelOf(client, name, carrier);
        delegates.set(name, delegate);
      }
      return delegate;
    },
  });
}

function rawOf(client: PrismaClient, run: Carrier['run']): Operation {
  return (...input) => run(() => (client.$queryRaw as unknown as Operation)(...input));
}

function modelOf(client: PrismaClient, name: string, carrier: Carrier): unknown {
  return new Proxy(
    {},
    {
      get(_, operation) {
        if (typeof operation !== 'string') return undefined;
        const prismas = delegateOf(client, name)?.[operation];
        if (!prismas || !(operation in OURS || PRISMAS.has(operation))) return undefined;
        return (args: unknown) => readBy(carrier, name, operation, args, () => prismas(args));
      },
    },
  );
}

/** Carries out one read: by a statement of ours, or by Prisma where we do not know how to say it. */
export async function readBy(
  carrier: Carrier,
  delegate: string,
  operation: string,
  args: unknown,
  prismas: () => PromiseLike<unknown>,
): Promise<unknown> {
  const known = OURS[operation];
  const statement = known && readStatement(modelNamed(delegate), known, args);
  if (!statement) return carrier.run(prismas);
  const json = await carrier.ask(statement);
  if (json !== null) return (statement.decode as (value: unknown) => unknown)(JSON.parse(json));
  // Prisma has its own words for a row that should be there.
  return operation.endsWith('OrThrow') ? carrier.run(prismas) : null;
}

/** Whether a delegate's operation is one that `readBy` may say by itself. */
export function isRead(delegate: string, operation: string): boolean {
  return operation in OURS && modelNamed(delegate) in TABLES;
}

interface Waiting {
  readonly query: Query;
  resolve(json: string | null): void;
  reject(error: unknown): void;
}

/** Our statement as the pool takes it. */
export function queryOf({ text, values }: ReadStatement): Query {
  return { text, values, types: OUR_TYPES };
}

/** Whether a failure is that of one statement: not of the scene that all are in, of their connection, or of their time. */
function isOneOnesOwn(error: unknown): boolean {
  return !isConnectionLost(error) && !/^(TH|57)/.test(String((error as { code?: unknown }).code));
}

/**
 * Sends what is asked for in one tick in one packet. Should one of them fail by itself, each is asked again alone, so
 * that nobody is told of another's failure.
 */
export function gatherReads(pool: ScenePool, scene: Scene): Carrier['ask'] {
  let waiting: Waiting[] = [];
  const send = async (together: readonly Waiting[]): Promise<void> => {
    try {
      const results = await currentScene.run(scene, () => pool.ask(together.map(({ query }) => query)));
      for (const [index, { resolve }] of together.entries()) resolve((results[index]?.rows[0]?.[0] ?? null) as string);
    } catch (error) {
      if (together.length > 1 && isOneOnesOwn(error)) await Promise.all(together.map((each) => send([each])));
      else for (const { reject } of together) reject(error);
    }
  };
  return (statement) =>
    new Promise((resolve, reject) => {
      waiting.push({ query: queryOf(statement), resolve, reject });
      if (waiting.length > 1) return;
      process.nextTick(() => {
        const together = waiting;
        waiting = [];
        void send(together);
      });
    });
}
