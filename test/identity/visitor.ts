import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { sha256 } from '../../src/kernel/digest.ts';
import { decodeGlobalId } from '../../src/kernel/ids.ts';
import type { Person } from '../support/person.ts';
import type { Answer, TestTollhouse } from '../support/tollhouse.ts';
import { type Terms, writeText } from './conformance/text.ts';

export { type Terms, writeText };

export type Wallet = Person['account'];
type House = Pick<TestTollhouse, 'ask' | 'url' | 'database'>;
type Headers = Record<string, string>;

export const UNKNOWN_NONCE = '0123456789abcdef0123456789abcdef';

export function newWallet(): Wallet {
  return privateKeyToAccount(generatePrivateKey());
}

/** A moment so many seconds from now, as a message writes it. */
export function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}

/** Terms that the house accepts from this wallet. */
export function goodTerms({ url }: Pick<House, 'url'>, { address }: Pick<Wallet, 'address'>, nonce: string): Terms {
  const { host, origin } = new URL(url);
  return { domain: host, address, uri: origin, chainId: 31_337, nonce, issuedAt: inSeconds(0) };
}

/** The code of an answer: of its first error, or `OK`. */
export function codeOf({ errors }: Pick<Answer<unknown>, 'errors'>): string {
  return errors[0]?.extensions.code ?? 'OK';
}

/** What `createSignInChallenge` gives out. */
export interface Challenge {
  readonly nonce: string;
  readonly message: string | null;
  readonly expiresAt: string;
}

export function askChallenge(
  house: Pick<House, 'ask'>,
  input: { readonly address?: string; readonly chainId?: number } = {},
  headers: Headers = {},
): Promise<Answer<{ createSignInChallenge: { challenge: Challenge } }>> {
  const document = `mutation Challenge($input: CreateSignInChallengeInput!) {
    createSignInChallenge(input: $input) { challenge { nonce message expiresAt } }
  }`;
  return house.ask(document, { input }, { headers });
}

export async function getChallenge(...call: Parameters<typeof askChallenge>): Promise<Challenge> {
  const { data, errors } = await askChallenge(...call);
  if (!data) throw new Error(`No challenge: ${JSON.stringify(errors)}`);
  return data.createSignInChallenge.challenge;
}

/** What beginning and refreshing a session are answered. */
export interface SignedIn {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAt: string;
  readonly isNewUser: boolean;
  readonly viewer: { readonly user: { readonly id: string }; readonly organization: { readonly id: string } };
}

const SESSION = 'accessToken refreshToken expiresAt isNewUser viewer { user { id } organization { id } }';

/** An answer with its code, and what it holds when it is `OK`. */
export interface Attempt {
  readonly code: string;
  readonly answer: Answer<unknown>;
  readonly signedIn: SignedIn | null;
}

function attemptOf<Field extends string>(answer: Answer<Record<Field, SignedIn>>, field: Field): Attempt {
  return { code: codeOf(answer), answer, signedIn: answer.data?.[field] ?? null };
}

export async function submit(
  house: Pick<House, 'ask'>,
  { message, signature }: { readonly message: unknown; readonly signature: string },
  headers: Headers = {},
): Promise<Attempt> {
  const document = `mutation SignIn($input: SignInWithEthereumInput!) { signInWithEthereum(input: $input) { ${SESSION} } }`;
  const answer = await house.ask<{ signInWithEthereum: SignedIn }>(
    document,
    { input: { message, signature } },
    { headers },
  );
  return attemptOf(answer, 'signInWithEthereum');
}

export async function refresh(house: Pick<House, 'ask'>, refreshToken: string): Promise<Attempt> {
  const document = `mutation Refresh($input: RefreshSessionInput!) { refreshSession(input: $input) { ${SESSION} } }`;
  const answer = await house.ask<{ refreshSession: SignedIn }>(document, { input: { refreshToken } });
  return attemptOf(answer, 'refreshSession');
}

/** Signs a text with a nonce of its own, good but for the changes, and hands it in. */
export async function present(
  house: House,
  changes: Partial<Terms> = {},
  { wallet = newWallet(), headers = {} }: { readonly wallet?: Wallet; readonly headers?: Headers } = {},
): Promise<Attempt & { readonly nonce: string }> {
  const { nonce } = await getChallenge(house);
  const message = writeText({ ...goodTerms(house, wallet, nonce), ...changes });
  const signature = await wallet.signMessage({ message });
  return { ...(await submit(house, { message, signature }, headers)), nonce };
}

/** Signs in, and fails where that fails. */
export async function enterHouse(house: House, wallet: Wallet = newWallet()): Promise<SignedIn> {
  const { code, signedIn } = await present(house, {}, { wallet });
  if (!signedIn) throw new Error(`Signing in failed: ${code}`);
  return signedIn;
}

/**
 * What becomes of a deed while its doer's session is ended elsewhere: it was in time, or it came too late, or it was done
 * and nobody is there to be answered.
 */
export const OVERTAKEN: readonly string[] = ['OK', 'UNAUTHENTICATED', 'ANSWER_LOST'];

/** Runs a statement as a superuser, whom no policy binds. */
export function sql(
  { database }: Pick<House, 'database'>,
  text: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  return database.sql(text, values);
}

/** Whether the nonce can still be used. */
export async function isLive(house: Pick<House, 'database'>, nonce: string): Promise<boolean> {
  const rows = await sql(house, 'select from challenges where nonce_hash = $1', [sha256(nonce)]);
  return rows.length > 0;
}

/** The database's id of what a global id names. */
export function rowId(globalId: string): string {
  return decodeGlobalId(globalId)?.id ?? '';
}

/** The session's id, from its refresh token. */
export function sessionIdOf({ refreshToken }: Pick<SignedIn, 'refreshToken'>): string {
  return /^th_rt_([0-9a-f-]{36})/.exec(refreshToken)?.[1] ?? '';
}
