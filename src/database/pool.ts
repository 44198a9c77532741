import pg from 'pg';
import type { Environment } from '../environment.ts';
import { forgetPrepared, type PacketResult, sendPacket, type TypeParsers } from './packet.ts';
import { currentScene, enter, type Scene, type Statement } from './scene.ts';

/** What `@prisma/adapter-pg` hands over for one statement. */
interface Query {
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly types: TypeParsers;
}

/** Told of every network round trip, with the statements that it carried. */
export type PacketObserver = (statements: readonly Statement[]) => void;

/** How the gateway's login connects. Times are in milliseconds. */
export interface PoolOptions {
  readonly url: string;
  readonly max: number;
  readonly min: number;
  readonly statementTimeout: number;
  readonly idleInTransactionTimeout: number;
  readonly onPacket?: PacketObserver;
  readonly onConnectionError?: (error: Error) => void;
}

/** The pool that the settings ask for. */
export function poolOptions(environment: Environment, url: string): PoolOptions {
  return {
    url,
    min: environment.DATABASE_POOL_MIN,
    max: environment.DATABASE_POOL_MAX,
    statementTimeout: environment.DATABASE_STATEMENT_TIMEOUT_SECONDS * 1000,
    idleInTransactionTimeout: environment.DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_SECONDS * 1000,
  };
}

/** The server no longer knows a prepared statement, or its table has changed: nothing of the packet has run. */
const STALE_STATEMENT = new Set(['26000', '0A000']);

const BEGIN: Statement = { text: 'begin', values: [] };

/**
 * The pool that Prisma's adapter is given: every statement is sent behind the one that enters the current scene, in
 * one packet, and a statement outside any scene is refused before it reaches the network.
 */
export class ScenePool extends pg.Pool {
  readonly #onPacket: PacketObserver;

  constructor({ url, max, min, statementTimeout, idleInTransactionTimeout, ...observers }: PoolOptions) {
    super({
      connectionString: url,
      max,
      min,
      application_name: 'tollhouse',
      connectionTimeoutMillis: 5_000,
      statement_timeout: statementTimeout,
      idle_in_transaction_session_timeout: idleInTransactionTimeout,
      keepAlive: true,
    });
    this.#onPacket = observers.onPacket ?? (() => {});
    this.on('error', observers.onConnectionError ?? (() => {}));
  }

  // @ts-expect-error Prisma's adapter calls this one form of the many that `pg` declares.
  override async query({ text, values = [], types }: Query): Promise<PacketResult> {
    const packet = [enter(sceneOrRefuse()), { text, values }];
    const client = await this.#lend();
    try {
      return await this.#send(client, packet, types, true);
    } finally {
      client.release();
    }
  }

  // @ts-expect-error As above: the adapter asks for a connection only to run a transaction on it.
  override async connect(): Promise<TransactionClient> {
    const scene = sceneOrRefuse();
    const client = await this.#lend();
    return transactionClient(client, scene, (packet, types) => this.#send(client, packet, types, false));
  }

  /** Resolves when the server answers the bare login. */
  async ping(): Promise<void> {
    const client = await this.#lend();
    try {
      await client.query('select 1');
    } finally {
      client.release();
    }
  }

  #lend(): Promise<pg.PoolClient> {
    return super.connect();
  }

  async #send(client: pg.PoolClient, packet: Statement[], types: TypeParsers, alone: boolean): Promise<PacketResult> {
    this.#onPacket(packet);
    try {
      return await sendPacket(client, packet, types);
    } catch (error) {
      if (alone && STALE_STATEMENT.has((error as { code?: string }).code ?? '')) {
        forgetPrepared(client);
        this.#onPacket(packet);
        return await sendPacket(client, packet, types);
      }
      throw error;
    }
  }
}

function sceneOrRefuse(): Scene {
  const scene = currentScene.getStore();
  if (!scene) throw new Error('A query was started outside any scene; it was refused.');
  return scene;
}

/** The part of a `pg` client that Prisma's adapter uses to run a transaction. */
interface TransactionClient {
  query(query: Query): Promise<PacketResult>;
  release(error?: unknown): void;
  on(event: 'error', listener: (error: Error) => void): void;
  removeListener(event: 'error', listener: (error: Error) => void): void;
}

const NOTHING: PacketResult = { command: '', rowCount: 0, fields: [], rows: [] };

/**
 * Lends a connection to one transaction. BEGIN and the isolation level wait for the first statement and travel with
 * it and the entering of the scene, so that beginning costs no round trip of its own. A connection that comes back
 * with its transaction still open is closed instead of being used again.
 */
function transactionClient(
  client: pg.PoolClient,
  scene: Scene,
  send: (packet: Statement[], types: TypeParsers) => Promise<PacketResult>,
): TransactionClient {
  let waiting: Statement[] | null = null;
  let open = false;

  const run = async (statement: Statement, types: TypeParsers): Promise<PacketResult> => {
    if (!waiting) return send([statement], types);
    const [begin, ...isolation] = waiting;
    waiting = null;
    open = true;
    return send([begin ?? BEGIN, ...isolation, enter(scene), statement], types);
  };

  return {
    async query({ text, values = [], types }: Query): Promise<PacketResult> {
      if (text === 'BEGIN') {
        waiting = [BEGIN];
        return NOTHING;
      }
      if (waiting && text.startsWith('SET TRANSACTION ISOLATION LEVEL')) {
        waiting.push({ text, values });
        return NOTHING;
      }
      if (text !== 'COMMIT' && text !== 'ROLLBACK') return run({ text, values }, types);
      if (!open) return NOTHING;
      const result = await send([{ text, values: [] }], types);
      open = false;
      if (text === 'COMMIT' && result.command !== 'COMMIT') {
        throw new Error('The transaction had failed before it was committed; it was rolled back.');
      }
      return result;
    },
    release(error?: unknown): void {
      client.release(open || error instanceof Error ? true : undefined);
    },
    on: (event, listener) => void client.on(event, listener),
    removeListener: (event, listener) => void client.removeListener(event, listener),
  };
}
