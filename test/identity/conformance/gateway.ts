import { setTimeout } from 'node:timers/promises';
import type { Terms } from './text.ts';

/** A challenge as the gateway gives it out. */
export interface Challenge {
  readonly nonce: string;
  readonly message: string | null;
}

/** A gateway as anybody may reach it, with what its own ready text says of it. */
export interface Gateway {
  /** The part of a good text that does not hang on the wallet, as of now by the gateway's own clock. */
  terms(): Pick<Terms, 'domain' | 'uri' | 'chainId' | 'issuedAt'>;
  /** A moment so many seconds from now, by the gateway's clock. */
  inSeconds(seconds: number): string;
  challenge(address?: string): Promise<Challenge>;
  /** Hands in a text, or what is none; answers the code of the refusal, or `OK`. */
  signIn(message: unknown, signature: string, headers?: Readonly<Record<string, string>>): Promise<string>;
  /** Signs in, and answers the refresh token with the code; it is empty where there is none. */
  enter(message: string, signature: string): Promise<{ readonly code: string; readonly refreshToken: string }>;
  /** Refreshes a session; answers the code. */
  refresh(refreshToken: string): Promise<string>;
}

interface Answer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

const CHALLENGE = `mutation Challenge($input: CreateSignInChallengeInput!) {
  createSignInChallenge(input: $input) { challenge { nonce message } }
}`;
const SIGN_IN = `mutation SignIn($input: SignInWithEthereumInput!) {
  signInWithEthereum(input: $input) { refreshToken }
}`;
const REFRESH = `mutation Refresh($input: RefreshSessionInput!) {
  refreshSession(input: $input) { isNewUser }
}`;
/** Whose ready text tells what the gateway expects; nobody signs in with it. */
const ANYBODY = '0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2';

/**
 * Reaches a gateway and learns its domain, origin, chain and clock from a text that it gives out.
 * @param onWait is told when a rate limit makes it wait, with the seconds
 * @throws when there is no gateway, or it gives out no text
 */
export async function reachGateway(url: string, onWait: (seconds: number) => void = () => {}): Promise<Gateway> {
  const ask = (query: string, input: object, headers = {}): Promise<Answer> =>
    askPatiently({ url, onWait }, { query, variables: { input } }, headers);
  const challenge = async (address?: string): Promise<Challenge> => {
    const { data, errors } = await ask(CHALLENGE, address === undefined ? {} : { address });
    const given = data?.createSignInChallenge as { readonly challenge: Challenge } | undefined;
    if (!given) throw new Error(`The gateway gives out no challenge: ${JSON.stringify(errors)}`);
    return given.challenge;
  };

  const { message } = await challenge(ANYBODY);
  const said = (pattern: RegExp): string => {
    const [, found] = pattern.exec(message ?? '') ?? [];
    if (found === undefined) throw new Error(`The gateway's own text has no ${pattern}: ${message}`);
    return found;
  };
  const ahead = Date.parse(said(/^Issued At: (.+)$/m)) - Date.now();
  const known = {
    domain: said(/^(\S+) wants you to sign in with your Ethereum account:$/m),
    uri: said(/^URI: (.+)$/m),
    chainId: Number(said(/^Chain ID: (\d+)$/m)),
  };
  const inSeconds = (seconds: number): string => new Date(Date.now() + ahead + seconds * 1000).toISOString();
  return {
    terms: () => ({ ...known, issuedAt: inSeconds(0) }),
    inSeconds,
    challenge,
    async signIn(message, signature, headers) {
      return codeOf(await ask(SIGN_IN, { message, signature }, headers));
    },
    async enter(message, signature) {
      const answer = await ask(SIGN_IN, { message, signature });
      const { refreshToken = '' } = (answer.data?.signInWithEthereum ?? {}) as { readonly refreshToken?: string };
      return { code: codeOf(answer), refreshToken };
    },
    async refresh(refreshToken) {
      return codeOf(await ask(REFRESH, { refreshToken }));
    },
  };
}

function codeOf({ errors: [first] = [] }: Answer): string {
  return first ? (first.extensions?.code ?? first.message) : 'OK';
}

interface Line {
  readonly url: string;
  readonly onWait: (seconds: number) => void;
}

/** A limit is no outcome of what was asked: it is waited for, as long as the gateway says. */
async function askPatiently({ url, onWait }: Line, body: object, headers: object): Promise<Answer> {
  for (;;) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    if (response.status !== 429) return (await response.json()) as Answer;
    const seconds = Math.max(1, Number(response.headers.get('retry-after')));
    onWait(seconds);
    await setTimeout(seconds * 1000);
  }
}
