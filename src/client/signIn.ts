import { sessionOf } from './access.ts';
import { type Done, readDocument, type TypedDocument } from './document.ts';
import { goOnAnew, newSession } from './goOn.ts';
import type { ResultOf } from './graphql.ts';
import {
  CreateSignInChallenge,
  CreateThirdwebChallenge,
  SignInWithEthereum,
  SignInWithThirdweb,
} from './operations.ts';
import { until, withRetries } from './retry.ts';
import type { ClientContext, Session } from './state.ts';
import { failure } from './tollhouseError.ts';
import { ask } from './transport.ts';
import { openWallet, type Wallet } from './wallet.ts';

/** How somebody signs in. */
export interface SignInOptions {
  /** The wallet; the client's own when absent. */
  readonly wallet?: Wallet | undefined;
  /** The chain of the text; the first that the gateway allows when absent. A contract wallet must be on it. */
  readonly chainId?: number | undefined;
  /** The token of an invitation that came by mail. */
  readonly invitationToken?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What thirdweb's libraries hand to a page: a payload that a wallet has signed, or an in-app wallet's auth token. */
export type ThirdwebProof =
  | { readonly payload: ThirdwebPayload; readonly signature: string }
  | { readonly authToken: string; readonly chainId?: number };

/** A text to sign in thirdweb's words, as its `LoginPayload` has them. */
export interface ThirdwebPayload {
  domain: string;
  address: string;
  statement: string;
  uri?: string;
  version: string;
  chain_id?: string;
  nonce: string;
  issued_at: string;
  expiration_time: string;
  invalid_before: string;
  resources?: string[];
}

/** Lets a wallet sign the gateway's text, and begins a session with it. */
export async function signIn(client: ClientContext, options: SignInOptions): Promise<Session> {
  const { wallet = client.wallet, chainId, invitationToken, signal } = options;
  const { address, sign } = await openWallet(wallet);
  const asked = { input: { address: address as `0x${string}`, ...(chainId !== undefined && { chainId }) } };
  const { createSignInChallenge } = await askAsNobody(client, CreateSignInChallenge, asked, { signal });
  const { message } = createSignInChallenge.challenge;
  if (message === null) throw failure('ANSWER_UNREADABLE');
  signal?.throwIfAborted();
  const signature = (await sign(message)) as `0x${string}`;
  signal?.throwIfAborted();
  const input = { message, signature, transport: transportOf(client), ...invited(invitationToken) };
  const { session } = await askAsNobody(client, SignInWithEthereum, { input }, { signal, once: true });
  return begin(client, session);
}

/** Gives out a text to sign in thirdweb's words, as its `getLoginPayload` is to. */
export async function getThirdwebPayload(
  client: ClientContext,
  { address, chainId, signal }: { address: string; chainId?: number | undefined; signal?: AbortSignal | undefined },
): Promise<ThirdwebPayload> {
  const asked = { input: { address: address as `0x${string}`, ...(chainId !== undefined && { chainId }) } };
  const { createSignInChallenge } = await askAsNobody(client, CreateThirdwebChallenge, asked, { signal });
  const { uri, chain_id, ...payload } = createSignInChallenge.challenge.thirdwebPayload ?? {};
  if (!('nonce' in payload) || !uri || !chain_id) throw failure('ANSWER_UNREADABLE');
  return { ...payload, uri, chain_id };
}

/** Begins a session with what thirdweb's libraries hand to a page. */
export async function signInWithThirdweb(
  client: ClientContext,
  proof: ThirdwebProof,
  { invitationToken, signal }: Pick<SignInOptions, 'invitationToken' | 'signal'>,
): Promise<Session> {
  const given = 'payload' in proof ? proofOf(proof) : { ...proof, nonce: await newNonce(client, signal) };
  const input = { ...given, transport: transportOf(client), ...invited(invitationToken) };
  const { session } = await askAsNobody(client, SignInWithThirdweb, { input }, { signal, once: true });
  return begin(client, session);
}

function proofOf({ payload, signature }: { payload: ThirdwebPayload; signature: string }) {
  return { payload, signature: signature as `0x${string}` };
}

async function newNonce(client: ClientContext, signal: AbortSignal | undefined): Promise<string> {
  const { createSignInChallenge } = await askAsNobody(client, CreateSignInChallenge, { input: {} }, { signal });
  return createSignInChallenge.challenge.nonce;
}

function transportOf({ transport }: ClientContext): 'COOKIE' | 'BEARER' {
  return transport.cookies ? 'COOKIE' : 'BEARER';
}

function invited(invitationToken: string | undefined): { invitationToken?: string } {
  return invitationToken === undefined ? {} : { invitationToken };
}

/**
 * Asks without a token: an old one would fail the whole request.
 * @param how.once whether a lost answer may mean that a session has begun; what says that it may be tried again has
 * begun none
 */
async function askAsNobody<Result, Variables>(
  { transport, retries, state }: ClientContext,
  document: TypedDocument<Result, Variables>,
  variables: Variables,
  { signal, once = false }: { readonly signal: AbortSignal | undefined; readonly once?: boolean },
): Promise<Done<Result>> {
  const call = { operation: readDocument(document), variables, accessToken: null, repeatable: !once, signal };
  // A signing out that is answered later would take the new cookies away.
  if (once && transport.cookies) await until(state.signedOut, signal);
  return (await withRetries(() => ask(transport, call), { retries, signal })) as Done<Result>;
}

type Begun = Done<ResultOf<typeof SignInWithEthereum>>['session'];

async function begin(client: ClientContext, { accessToken, refreshToken, isNewUser, viewer }: Begun): Promise<Session> {
  const session = sessionOf(viewer, isNewUser);
  await goOnAnew(client, newSession({ session, accessToken, refreshToken, root: null }));
  return session;
}
