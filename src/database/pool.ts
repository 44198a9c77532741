import pg from 'pg';
import type { Environment } from '../environment.ts';
import { codeOf, databaseErrors, mayHaveHappened } from './errors.ts';
import {
  forgetPrepared,
  type PacketResult,
  type Query,
  type Statement,
  sendPacket,
  type TypeParsers,
} from './packet.ts';
import { type CurrentScene, currentScene, enter, entered, type Scene } from './scene.ts';

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

/** The server has ended the session, and closes the connection as soon as it has said so. */
const SESSION_ENDED = /^57P/;

/** Who waits longer for a row that another transaction holds is told that somebody else changes the same thing. */
const LONGEST_LOCK_WAIT_MS = 5_000;

/** How much longer than its statements may take a packet's answer is awaited, before the server counts as gone. */
const SILENCE_MS = 5_000;

/** How `pg` itself turns columns into values; enough for statements of ours. */
export const OUR_TYPES: TypeParsers = pg.types as TypeParsers;

const BEGIN: Statement = { text: 'begin', values: [] };
const ROLLBACK: Statement = { text: 'rollback', values: [] };

/**
 * The pool that Prisma's adapter is given: every statement is sent behind the one that enters the current scene, in
 * one packet, and a statement outside any scene is refused before it reaches the network.
 */
export class ScenePool extends pg.Pool {
  readonly #onPacket: PacketObserver;
  readonly #statementTimeout: number;

  constructor({ url, max, min, statementTimeout, idleInTransactionTimeout, ...observers }: PoolOptions) {
    super({
      connectionString: url,
      max,
      min,
      application_name: 'tollhouse',
      connectionTimeoutMillis: 5_000,
      statement_timeout: statementTimeout,
      lock_timeout: LONGEST_LOCK_WAIT_MS,
      idle_in_transaction_session_timeout: idleInTransactionTimeout,
      keepAlive: true,
    });
    this.#onPacket = observers.onPacket ?? (() => {});
    this.#statementTimeout = statementTimeout;
    this.on('error', observers.onConnectionError ?? (() => {}));
    // While it is lent nobody else listens, and a connection that dies would end the process; its statement says so too.
    this.on('connect', (client) => client.on('error', () => {}));
  }

  // @ts-expect-error Prisma's adapter calls this one form of the many that `pg` declares.
  override async query({ text, values = [], types }: Query): Promise<PacketResult> {
    const query = { text, values, types };
    const together = currentScene.getStore()?.place?.take(query);
    if (together) return together;
    const [result] = await this.#sendInScene([query]);
    return result as PacketResult;
  }

  /** Sends statements in one packet, and answers each. */
  async ask(queries: readonly Query[]): Promise<PacketResult[]> {
    return this.#sendInScene(queries);
  }

  /**
   * Sends statements that are one transaction, in one packet, and answers each.
   * @throws OUTCOME_UNKNOWN when the connection died before it was known whether they were written
   */
  async write(queries: readonly Query[]): Promise<PacketResult[]> {
    return this.#sendInScene(queries, outcomeUnknown);
  }

  // @ts-expect-error As above: the adapter asks for a connection only to run a transaction on it.
  override async connect(): Promise<TransactionClient> {
    const scene = sceneOrRefuse();
    if (scene.place) throw new Error('What travels in one packet with others is one statement, and no transaction.');
    const client = await this.#lend();
    return transactionClient(client, scene, (packet, types) => this.#send(client, packet, types));
  }

  /** Resolves when the server answers the bare login. */
  async ping(): Promise<void> {
    const client = await this.#lend();
    let dead = true;
    try {
      await this.#send(client, [{ text: 'select 1', values: [] }], OUR_TYPES);
      dead = false;
    } finally {
      client.release(dead);
    }
  }

  #lend(): Promise<pg.PoolClient> {
    return super.connect();
  }

  async #sendInScene(
    queries: readonly Query[],
    explain: (error: unknown) => unknown = (error) => error,
  ): Promise<PacketResult[]> {
    const statements = queries.map(({ text, values = [] }) => ({ text, values }));
    const scene = sceneOrRefuse();
    const packet = [enter(scene), ...statements];
    // Our own statements are one text, which Prisma's parsers read too; what Prisma prepares must be read by them.
    const { types } = queries.find((query) => query.types !== OUR_TYPES) ?? { types: OUR_TYPES };
    const client = await this.#lend();
    let ended = false;
    const send = (): Promise<PacketResult[]> => this.#send(client, packet, types, queries.length);
    try {
      const results = await send().catch((error: unknown) => {
        if (!isStale(error)) throw error;
        return send();
      });
      entered(scene);
      return results;
    } catch (error) {
      ended = SESSION_ENDED.test(codeOf(error));
      throw explain(error);
    } finally {
      client.release(ended || client.getTransactionStatus() !== 'I');
    }
  }

  async #send(
    client: pg.PoolClient,
    packet: readonly Statement[],
    types: TypeParsers,
    answered = 1,
  ): Promise<PacketResult[]> {
    this.#onPacket(packet);
    // A server that vanished without a word never answers; its connection is cut, and says so.
    const silence = setTimeout(() => cut(client), this.#statementTimeout * packet.length + SILENCE_MS);
    try {
      return await sendPacket(client, packet, types, answered);
    } catch (error) {
      if (isStale(error)) forgetPrepared(client);
      throw error;
    } finally {
      clearTimeout(silence);
    }
  }
}

function cut(client: pg.PoolClient): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

/** A write whose answer was lost may have happened, or not. */
function outcomeUnknown(error: unknown): unknown {
  return mayHaveHappened(error) ? databaseErrors.OUTCOME_UNKNOWN({}, { cause: error }) : error;
}

function isStale(error: unknown): boolean {
  return STALE_STATEMENT.has(codeOf(error));
}

function sceneOrRefuse(): CurrentScene {
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
  send: (packet: readonly Statement[], types: TypeParsers) => Promise<PacketResult[]>,
): TransactionClient {
  let waiting: Statement[] = [];
  let open = false;
  let failed = false;

  const say = async (packet: readonly Statement[], types: TypeParsers): Promise<PacketResult> => {
    const [result] = await send(packet, types);
    return result as PacketResult;
  };

  const begin = async (statement: Statement, types: TypeParsers): Promise<PacketResult> => {
    const packet = [...waiting, enter(scene), statement];
    waiting = [];
    open = true;
    try {
      return await say(packet, types).catch((error: unknown) => {
        if (!isStale(error)) throw error;
        return say([ROLLBACK, ...packet], types);
      });
    } catch (error) {
      failed = true;
      throw error;
    }
  };

  const end = async (verb: 'COMMIT' | 'ROLLBACK', types: TypeParsers): Promise<PacketResult> => {
    if (!open) return NOTHING;
    const result = await say([{ text: verb, values: [] }], types).catch((error: unknown) => {
      throw verb === 'COMMIT' ? outcomeUnknown(error) : error;
    });
    open = false;
    if (verb === 'COMMIT' && (failed || result.command !== verb)) {
      throw new Error('The transaction had failed before it was committed; it was rolled back.');
    }
    if (verb === 'COMMIT') entered(scene);
    return result;
  };

  return {
    async query({ text, values = [], types }: Query): Promise<PacketResult> {
      if (text === 'BEGIN') {
        waiting = [BEGIN];
        return NOTHING;
      }
      if (waiting.length > 0 && text.startsWith('SET TRANSACTION ISOLATION LEVEL')) {
        waiting.push({ text, values });
        return NOTHING;
      }
      if (text === 'COMMIT' || text === 'ROLLBACK') return end(text, types);
      if (waiting.length > 0) return begin({ text, values }, types);
      // Its BEGIN may not have reached the server: what follows would be a transaction of its own, as the bare login.
      if (failed) throw new Error('The transaction failed with its first statement; nothing more of it is run.');
      return say([{ text, values }], types);
    },
    release(error?: unknown): void {
      client.release(error instanceof Error || open || client.getTransactionStatus() !== 'I');
    },
    on: (event, listener) => void client.on(event, listener),
    removeListener: (event, listener) => void client.removeListener(event, listener),
  };
}
