import pg from 'pg';
import { createClient, type PrismaClient } from '../../src/database/client.ts';
import type { PacketResult, Statement } from '../../src/database/packet.ts';
import { ScenePool } from '../../src/database/pool.ts';
import { currentScene, enter, type Scene } from '../../src/database/scene.ts';
import { GatewayError } from '../../src/kernel/errors.ts';

/** What a connection would give to whoever is lent it next. */
export interface Leftovers {
  readonly pid: number;
  readonly user: string;
  readonly role: string;
  /** The settings of scenes that are not empty. */
  readonly settings: readonly string[];
  readonly inTransaction: boolean;
}

/** `pg`'s own, past the one of ours that asks for a scene. */
const lendAny = pg.Pool.prototype.connect as (this: unknown) => Promise<pg.PoolClient>;

/** What a connection must look like between two statements. */
export const CLEAN = { user: 'tollhouse_gateway', role: 'none', settings: [], inTransaction: false };

/** The gateway's pool and Prisma's client over it, open to be looked into. */
export interface DataPath {
  readonly pool: ScenePool;
  readonly client: PrismaClient;
  /** What went over the network, a list of statements for each round trip. */
  readonly packets: (readonly Statement[])[];
  /** Runs inside a scene to the end, as `Scope` does. */
  as<Result>(scene: Scene, run: () => PromiseLike<Result>): Promise<Result>;
  /** Sends one statement in a scene, as Prisma's adapter would. */
  send(scene: Scene, text: string, values?: readonly unknown[], types?: Types): Promise<PacketResult>;
  /** Lends one of the pool's own connections as it is, past the scenes. */
  lend<Result>(use: (client: pg.PoolClient) => Promise<Result>): Promise<Result>;
  /** What is left on the connection that is lent next. */
  leftovers(): Promise<Leftovers>;
  close(): Promise<void>;
}

type Types = Parameters<ScenePool['query']>[0]['types'];

const SETTINGS = (['member', 'identity', 'public', 'worker'] as const).flatMap((kind) => {
  const { text } = enter({ kind, requestId: '', sessionId: '', organizationId: '' });
  return text.match(/app\.\w+/g) ?? [];
});

/** Without values, since only a simple query is one moment: with them the transaction begins before the statement. */
const LOOK = `
  select
    pg_backend_pid() as pid,
    current_user as user,
    current_setting('role') as role,
    transaction_timestamp() <> statement_timestamp() as "inTransaction",
    array(
      select name || '=' || current_setting(name, true)
      from unnest('{${[...new Set(SETTINGS)]}}'::text[]) as name
      where current_setting(name, true) <> ''
    ) as settings`;

/** Lends one of a pool's connections as it is, past the scenes. */
export async function lendFrom<Result>(
  pool: pg.Pool | ScenePool,
  use: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const connection = await lendAny.call(pool);
  try {
    return await use(connection);
  } finally {
    connection.release();
  }
}

/** What is left on this connection. */
export async function leftoversOf(connection: pg.PoolClient): Promise<Leftovers> {
  const { rows } = await connection.query<Leftovers>(LOOK);
  return rows[0] as Leftovers;
}

export function openDataPath(
  url: string,
  options: { readonly max?: number; readonly statementTimeout?: number } = {},
): DataPath {
  const packets: (readonly Statement[])[] = [];
  const pool = new ScenePool({
    url,
    max: options.max ?? 1,
    min: 0,
    statementTimeout: options.statementTimeout ?? 30_000,
    idleInTransactionTimeout: 30_000,
    onPacket: (statements) => void packets.push(statements),
  });
  const client = createClient(pool);
  const as: DataPath['as'] = (scene, run) => currentScene.run(scene, async () => await run());
  const lend: DataPath['lend'] = (use) => lendFrom(pool, use);
  return {
    pool,
    client,
    packets,
    as,
    lend,
    send: (scene, text, values = [], types = pg.types as Types) => as(scene, () => pool.query({ text, values, types })),
    leftovers: () => lend(leftoversOf),
    close: async () => {
      await client.$disconnect();
      await pool.end();
    },
  };
}

/** What a failure is to a caller, by its code, or what was answered instead. */
export async function failureOf(running: Promise<unknown>): Promise<unknown> {
  return running.then(
    (answer) => ({ answer }),
    (error: unknown) =>
      error instanceof GatewayError ? `${error.code}${error.definition.retryable ? ', retryable' : ''}` : error,
  );
}

/** The SQLSTATE that something failed with, or what it answered. */
export async function codeOf(running: Promise<unknown>): Promise<unknown> {
  return running.then(
    (answer) => ({ answer }),
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
}
