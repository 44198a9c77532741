import pino, { type Logger } from 'pino';
import type { PacketObserver } from '../../src/database/pool.ts';
import { type ChainSetting, readEnvironment } from '../../src/environment.ts';
import { generateTokenKey } from '../../src/identity/providers/tokenKeys.ts';
import { openTollhouse, type Supplies, type Tollhouse } from '../../src/tollhouse.ts';
import { type DevelopmentChain, openDevelopmentChain } from './chain.ts';
import { freshDatabase, type TestDatabase } from './database.ts';

/** What a GraphQL request was answered. */
export interface Answer<Data> {
  readonly status: number;
  readonly headers: Headers;
  readonly data: Data | null;
  readonly errors: readonly AnsweredError[];
}

/** An error as a client reads it. */
export interface AnsweredError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: {
    readonly code: string;
    readonly retryable: boolean;
    readonly docs: string;
    readonly facts?: Record<string, unknown>;
  };
}

/** A whole gateway with a database of its own, answering on a free port, and a chain when asked for. */
export interface TestTollhouse extends Tollhouse {
  readonly url: string;
  readonly database: TestDatabase;
  readonly supplies: Supplies;
  readonly chain: DevelopmentChain | null;
  /** Sends one request; `headers` may carry anything a client could. */
  ask<Data = Record<string, unknown>>(
    query: string,
    variables?: Record<string, unknown>,
    options?: { readonly token?: string; readonly headers?: Record<string, string> },
  ): Promise<Answer<Data>>;
}

/**
 * Starts a gateway as `npm start` would, from the settings given over the test's own: rate limits are off unless a
 * test sets `TOLLHOUSE_UNSAFE_NO_RATE_LIMITS` to `0`.
 * @param options.chains those it has nodes of, instead of one of its own
 * @param options.database one that is there already, and is dropped with the gateway; a fresh one when absent
 */
export async function startTollhouse(
  options: {
    readonly chain?: boolean;
    /** Whether it has a login for operators; it has one unless a test says no. */
    readonly operators?: boolean;
    readonly chains?: readonly ChainSetting[];
    readonly database?: TestDatabase;
    readonly settings?: Record<string, string>;
    readonly demoWallets?: Supplies['demoWallets'];
    readonly onPacket?: PacketObserver;
    /** Where it logs; nowhere when absent. */
    readonly log?: Logger;
  } = {},
): Promise<TestTollhouse> {
  const database = options.database ?? (await freshDatabase());
  const chain = options.chain ? await openDevelopmentChain() : null;
  const environment = readEnvironment({
    NODE_ENV: 'test',
    PORT: '0',
    TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '1',
    ...options.settings,
  });
  const supplies: Supplies = {
    databaseUrl: database.gatewayUrl,
    operatorUrl: options.operators === false ? null : database.operatorUrl,
    chains: options.chains ?? (chain ? [chain.setting] : []),
    tokenKeys: [generateTokenKey()],
    ...(options.demoWallets && { demoWallets: options.demoWallets }),
    ...(options.onPacket && { onPacket: options.onPacket }),
  };
  const tollhouse = await openTollhouse(environment, supplies, options.log ?? pino({ level: 'silent' }));
  const url = `http://localhost:${tollhouse.gateway.port}/graphql`;
  return {
    ...tollhouse,
    url,
    database,
    supplies,
    chain,
    ask: (query, variables, { token, headers } = {}) =>
      ask(url, { query, variables }, { ...(token && { authorization: `Bearer ${token}` }), ...headers }),
    stop: async () => {
      await tollhouse.stop();
      await chain?.stop();
      await database.drop();
    },
  };
}

async function ask<Data>(url: string, body: object, headers: Record<string, string>): Promise<Answer<Data>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const { data = null, errors = [] } = (await response.json()) as { data?: Data; errors?: AnsweredError[] };
  return { status: response.status, headers: response.headers, data, errors };
}
