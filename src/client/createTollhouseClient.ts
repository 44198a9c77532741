import { assertSame, readSession, renew, resume } from './access.ts';
import { type Done, readDocument, type TypedDocument } from './document.ts';
import { openKeyring, type TokenStorage } from './keyring.ts';
import { request } from './request.ts';
import { until } from './retry.ts';
import {
  getThirdwebPayload,
  type SignInOptions,
  signIn,
  signInWithThirdweb,
  type ThirdwebPayload,
  type ThirdwebProof,
} from './signIn.ts';
import { signOut } from './signOut.ts';
import { become, type ClientContext, createState, type Session, type SessionListener } from './state.ts';
import { type StepUpOptions, stepUp } from './stepUp.ts';
import { subscribe } from './subscribe.ts';
import { switchOrganization } from './switchOrganization.ts';
import { hasCode, type TollhouseError } from './tollhouseError.ts';
import type { Wallet } from './wallet.ts';

/** Where the gateway is, who signs, and where tokens are kept. */
export interface TollhouseClientOptions {
  /** The gateway’s address of GraphQL: `https://pay.example.com/graphql`, or `/graphql` on a page of its own. */
  readonly url: string;
  /** Who signs in, unless `signIn` is handed another one. */
  readonly wallet?: Wallet | undefined;
  /**
   * `bearer` keeps tokens in memory; `cookie` leaves them to the browser, which shows them to no script. That needs a
   * page of the gateway’s own site that is among SIGN_IN_ORIGINS, and COOKIES=1.
   */
  readonly credentials?: 'bearer' | 'cookie' | undefined;
  /** Where the refresh token outlives the page; nowhere when absent. Whatever script can read it has the session. */
  readonly storage?: TokenStorage | undefined;
  /** A key that says who asks, in place of a session; for servers alone. */
  readonly apiKey?: string | undefined;
  /** How often something is tried again that may be; twice when absent, never with 0. */
  readonly retries?: number | undefined;
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How requests are sent; the platform’s own `fetch` when absent. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** What every call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What a mutation takes. */
export interface MutateOptions extends CallOptions {
  /** Names the deed, so that it is not done twice; one of its own when absent. */
  readonly idempotencyKey?: string | undefined;
}

/** What a subscription takes. */
export interface SubscribeOptions extends CallOptions {
  /** Hears why the stream broke that is about to be opened again. */
  readonly onInterruption?: ((error: TollhouseError) => void) | undefined;
}

/** The variables may be left out where none is required. */
// biome-ignore lint/complexity/noBannedTypes: it is the one type that whatever needs nothing is a part of
type Given<Variables, Options> = {} extends Variables
  ? [variables?: Variables, options?: Options]
  : [variables: Variables, options?: Options];

/** A client of one gateway, for one session. */
export interface TollhouseClient {
  /** Who is signed in, as far as is known; null for nobody. */
  readonly session: Session | null;
  /** Calls whenever somebody else is signed in, or nobody, once each; answers how to stop that. */
  onSessionChange(listener: SessionListener): () => void;
  /** Goes on with the session that an earlier page has left in the storage or in cookies; null when there is none. */
  resume(options?: CallOptions): Promise<Session | null>;
  /** Lets the wallet sign, and begins a session. */
  signIn(options?: SignInOptions): Promise<Session>;
  /** Begins a session with what thirdweb’s libraries hand to a page. */
  signInWithThirdweb(
    proof: ThirdwebProof,
    options?: Pick<SignInOptions, 'invitationToken' | 'signal'>,
  ): Promise<Session>;
  /** The text to sign in thirdweb’s words, for its `getLoginPayload`. */
  getThirdwebPayload(asked: { address: string; chainId?: number } & CallOptions): Promise<ThirdwebPayload>;
  /** Goes on in another organization of the user’s, by its global id. */
  switchOrganization(organizationId: string, options?: CallOptions): Promise<Session>;
  /** Lets the wallet sign again, for what answered `STEP_UP_REQUIRED`; answers until when that is good. */
  stepUp(options?: StepUpOptions): Promise<Date>;
  /** Ends the session, and forgets it whatever happens. */
  signOut(options?: CallOptions): Promise<void>;
  /** Asks once, or again where it failed and may be tried again. */
  query<Result, Variables>(
    document: TypedDocument<Result, Variables>,
    ...given: Given<Variables, CallOptions>
  ): Promise<Result>;
  /** Does something once, with a key of its own, by which it can be repeated; without a guard it is never repeated. */
  mutate<Result, Variables>(
    document: TypedDocument<Result, Variables>,
    ...given: Given<Variables, MutateOptions>
  ): Promise<Done<Result>>;
  /** Each answer, as they come; leaving the loop ends it, and a stream that breaks is opened again. */
  subscribe<Result, Variables>(
    document: TypedDocument<Result, Variables>,
    ...given: Given<Variables, SubscribeOptions>
  ): AsyncIterableIterator<Result>;
}

/** Makes a client of a gateway. Every failure is a `TollhouseError`, but for an abort, which throws the signal’s reason. */
export function createTollhouseClient(options: TollhouseClientOptions): TollhouseClient {
  const client = createContext(options);
  const { state } = client;
  return {
    get session() {
      return state.session;
    },
    onSessionChange(listener) {
      state.listeners.add(listener);
      return () => state.listeners.delete(listener);
    },
    resume: (given = {}) => resumeSession(client, given),
    signIn: (given = {}) => signIn(client, given),
    signInWithThirdweb: (proof, given = {}) => signInWithThirdweb(client, proof, given),
    getThirdwebPayload: (asked) => getThirdwebPayload(client, asked),
    switchOrganization: (organizationId, given = {}) => switchOrganization(client, organizationId, given),
    stepUp: (given = {}) => stepUp(client, given),
    signOut: (given = {}) => signOut(client, given),
    query: (document, ...[variables, given]) => ask(client, 'query', document, variables, given),
    mutate: async (document, ...[variables, { idempotencyKey = createKey(), ...given } = {}]) =>
      (await ask(client, 'mutation', document, variables, { idempotencyKey, ...given })) as never,
    subscribe: (document, ...[variables, given]) =>
      subscribe(client, { operation: read('subscription', document), variables, ...given }) as never,
  };
}

function createContext({ credentials = 'bearer', storage, apiKey, ...options }: TollhouseClientOptions): ClientContext {
  const cookies = credentials === 'cookie';
  if (cookies && storage) throw new TypeError('With cookies there is no token to store: leave `storage` out.');
  if (apiKey !== undefined && (cookies || storage)) throw new TypeError('With `apiKey` there is no session to keep.');
  const { fetch = (...asked) => globalThis.fetch(...asked), headers = {} } = options;
  const named = apiKey === undefined ? headers : { ...headers, 'x-api-key': apiKey };
  return {
    transport: { url: options.url, fetch, cookies, headers: named },
    keyring: openKeyring(options.url, storage, cookies || storage !== undefined),
    wallet: options.wallet,
    keyed: apiKey !== undefined,
    retries: options.retries ?? 2,
    state: createState(),
  };
}

async function resumeSession(client: ClientContext, { signal }: CallOptions): Promise<Session | null> {
  const { state, transport } = client;
  if (!transport.cookies) {
    await until(resume(client), signal);
    return state.session;
  }
  const pass = { token: null, epoch: state.epoch };
  const session = await readSession(client, null).catch(async (error: unknown) => {
    if (!hasCode(error, 'UNAUTHENTICATED')) throw error;
    return renew(client, pass, signal).then(
      () => readSession(client, null),
      (ended: unknown) => {
        if (hasCode(ended, 'SESSION_ENDED')) return null;
        throw ended;
      },
    );
  });
  if (session && state.session?.id !== session.id) {
    assertSame(client, pass);
    become(client, { session, family: null, access: null }, 'resumed');
  }
  return session;
}

function read(kind: 'query' | 'mutation' | 'subscription', document: TypedDocument<unknown, never>) {
  const operation = readDocument(document);
  if (operation.kind !== kind) throw new TypeError(`This is a ${operation.kind}, and no ${kind}.`);
  return operation;
}

async function ask<Result, Variables>(
  client: ClientContext,
  kind: 'query' | 'mutation',
  document: TypedDocument<Result, Variables>,
  variables: Variables | undefined,
  options: MutateOptions = {},
): Promise<Result> {
  return (await request(client, { operation: read(kind, document), variables, ...options })) as Result;
}

const KEY_BYTES = 16;

/** A key that nobody guesses; `randomUUID` would need a page that came by TLS. */
function createKey(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
