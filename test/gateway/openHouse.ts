import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import {
  buildSchema,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLScalarType,
  type GraphQLSchema,
} from 'graphql';
import type { Context, Resources } from '../../src/context.ts';
import { databaseErrors } from '../../src/database/errors.ts';
import type { Scene } from '../../src/database/scene.ts';
import { readEnvironment } from '../../src/environment.ts';
import { PATIENCE, type Patience } from '../../src/gateway/listener.ts';
import { createLog } from '../../src/gateway/log.ts';
import type { PlaygroundSettings } from '../../src/gateway/playground.ts';
import { type Gateway, openGateway } from '../../src/gateway/server.ts';
import { kernelErrors } from '../../src/kernel/errors.ts';

export const VIEWER = { sessionId: 'session-1', userId: 'user-1', organizationId: 'organization-1' };
export const TOKEN = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c2VyLTEifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg';
export const ORIGIN = 'https://app.example';

/** A running gateway in front of a small schema and a database that only notes who comes. */
export interface OpenHouse {
  readonly gateway: Gateway;
  /** The scenes that a database was asked for in, in order. */
  readonly scenes: Scene[];
  /** What was logged, a line each. */
  readonly lines: string[];
  /** Lets every `slow` field go on. */
  release(): void;
  /** Resolves when a `slow` field has begun. */
  readonly slowBegan: Promise<void>;
  /** Streams of `flood` that are open. */
  floods(): number;
  close(): Promise<void>;
}

interface Options {
  readonly environment?: Record<string, string>;
  readonly ready?: () => Promise<readonly string[]>;
  readonly degraded?: () => Promise<readonly string[]>;
  readonly patience?: Partial<Patience>;
  readonly serving?: boolean;
  readonly playground?: PlaygroundSettings;
}

export async function openHouse(options: Options = {}): Promise<OpenHouse> {
  const scenes: Scene[] = [];
  const lines: string[] = [];
  const slow = latch();
  const flooding = { open: 0 };
  const began = latch();
  const log = createLog('debug', { write: (line) => void lines.push(line) });
  const resources = {
    environment: readEnvironment({ NODE_ENV: 'test', ...options.environment }),
    signInOrigins: [ORIGIN, 'http://localhost:5173'],
    database: {
      as: (scene: Scene) => {
        scenes.push(scene);
        return { scene };
      },
    },
    tokens: {
      verify: async (token: string) => {
        if (token !== TOKEN) throw kernelErrors.UNAUTHENTICATED();
        return VIEWER;
      },
      openKeys: { keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'one', x: 'open-part' }] },
    },
    log,
  } as unknown as Resources;
  const gateway = await openGateway({ host: '127.0.0.1', port: 0 }, log, { ...PATIENCE, ...options.patience });
  if (options.serving !== false) {
    gateway.serve({
      resources,
      schema: smallSchema(slow.promise, began.resolve, flooding),
      health: { ready: options.ready ?? nothing, degraded: options.degraded ?? nothing },
      ...(options.playground && { playground: options.playground }),
    });
  }
  return {
    gateway,
    scenes,
    lines,
    release: () => slow.resolve(),
    slowBegan: began.promise,
    floods: () => flooding.open,
    close: async () => {
      slow.resolve();
      await gateway.drain();
    },
  };
}

const nothing = async (): Promise<readonly string[]> => [];

function latch(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const SDL = `
  scalar Even
  input Deep { deep: Deep, text: String }
  type Nest { nest: Nest, text: String }
  type Query {
    hello(name: String, deep: Deep, even: Even): String
    nest: Nest
    numbers(of: [Int]): Int
    viewer: String
    scene: String
    fail(how: String!): String
    must(how: String!): String!
    slow: String
    client: String
  }
  type Mutation { signInWithEthereum(message: String!, signature: String!): String, limited: String, become: String }
  type Subscription { ticks(fail: Boolean): Int, flood: String }
`;

const STATEMENT = 'select secret_column from "Wallet" where nonce = $1';

/** Ways to fail, by what a resolver throws. */
const FAILURES: Readonly<Record<string, () => unknown>> = {
  known: () => kernelErrors.FORBIDDEN({ needed: 'ADMIN' }),
  limited: () => kernelErrors.RATE_LIMITED({ seconds: 7 }, { retryAfter: 6.2 }),
  conflict: () => databaseErrors.CONFLICT(),
  serialization: () => Object.assign(new Error(`${STATEMENT} could not serialize`), { code: '40001' }),
  constraint: () =>
    Object.assign(new Error(`Invalid invocation:\n${STATEMENT}\nduplicate key violates "wallet_address_key"`), {
      code: '23505',
      detail: `Key (nonce)=(${TOKEN}) already exists.`,
      query: STATEMENT,
    }),
  bug: () => new TypeError(`cannot read ${TOKEN} of undefined`),
  graphql: () => new GraphQLError('an internal matter'),
  text: () => 'thrown text',
  nothing: () => undefined,
};

function smallSchema(slow: Promise<void>, begin: () => void, flooding: { open: number }): GraphQLSchema {
  const schema = buildSchema(SDL);
  const fields = { ...schema.getQueryType()?.getFields(), ...schema.getMutationType()?.getFields() };
  const resolve = (name: string, resolver: GraphQLFieldResolver<unknown, Context>): void => {
    const field = fields[name];
    if (field) field.resolve = resolver;
  };
  const fail: GraphQLFieldResolver<unknown, Context> = (_, { how }) => {
    throw FAILURES[String(how)]?.();
  };
  resolve('hello', (_, { name }) => `hello ${name ?? 'you'}`);
  resolve('nest', () => ({}));
  resolve('viewer', (_, _args, { viewer }) => viewer?.userId ?? null);
  resolve('scene', (_, _args, { scope }) => JSON.stringify(scope.scene));
  resolve('client', (_, _args, { client, requestId }) => JSON.stringify({ ...client, requestId }));
  resolve('fail', fail);
  resolve('must', fail);
  resolve('slow', async () => {
    begin();
    await slow;
    return 'done';
  });
  resolve('signInWithEthereum', () => {
    throw new Error('no such nonce');
  });
  resolve('limited', () => fail({}, { how: 'limited' }, {} as Context, {} as never));
  resolve('become', (_, _args, context) => {
    const before = context.scope.scene.kind;
    context.become(VIEWER);
    return `${before} ${context.scope.scene.kind} ${context.viewer?.userId}`;
  });
  const even = schema.getType('Even') as GraphQLScalarType;
  even.parseValue = (value) => {
    if (typeof value !== 'number') throw new GraphQLError('Even must be a number.');
    if (value === 13) throw kernelErrors.BAD_USER_INPUT({ field: 'even', expected: 'no thirteen' });
    return value;
  };
  even.parseLiteral = (node) =>
    even.parseValue('value' in node && node.kind === 'IntValue' ? Number(node.value) : null);
  const ticks = schema.getSubscriptionType()?.getFields().ticks;
  if (ticks) {
    ticks.subscribe = async function* (_root, { fail: fails }) {
      yield { ticks: 1 };
      if (fails) throw new Error(STATEMENT);
      yield { ticks: 2 };
      await slow;
    };
  }
  const flood = schema.getSubscriptionType()?.getFields().flood;
  if (flood) {
    flood.subscribe = async function* () {
      flooding.open += 1;
      try {
        for (;;) yield { flood: 'x'.repeat(500_000) };
      } finally {
        flooding.open -= 1;
      }
    };
  }
  return schema;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
}

/** Sends one request on a connection of its own. */
export function ask(port: number, { method = 'POST', path = '/graphql', headers = {}, body }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.once('error', reject);
    });
    request.once('error', reject);
    request.end(body);
  });
}

/** Sends a GraphQL request as clients do. */
export function query(
  port: number,
  document: string,
  { headers = {}, ...rest }: { headers?: Record<string, string>; variables?: object; operationName?: string } = {},
): Promise<Answer> {
  const body = JSON.stringify({ query: document, ...rest });
  return ask(port, { headers: { 'content-type': 'application/json', ...headers }, body });
}

/** Writes bytes to a connection, and reads what comes until it is closed. */
export function write(port: number, ...parts: readonly (string | Buffer)[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let raw = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      raw += chunk;
    });
    socket.once('error', reject);
    socket.once('close', () => {
      const [head = '', text = ''] = raw.split(/\r\n\r\n(.*)/s);
      const [, status] = /^HTTP\/1\.1 (\d+)/.exec(head) ?? [];
      resolve({ status: Number(status ?? 0), headers: {}, text });
    });
    for (const part of parts) socket.write(part);
  });
}

/** The codes of an answer's errors, each once. */
export function codesOf({ text }: Answer): string[] {
  const { errors = [] } = JSON.parse(text) as { errors?: { extensions: { code: string } }[] };
  return [...new Set(errors.map(({ extensions }) => extensions.code))];
}
