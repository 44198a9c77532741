import { writeSiweMessage } from '../../src/identity/model.ts';

/** What signs people in, side by side. */
export const SIGN_IN_SYSTEMS = ['tollhouse', 'betterAuth', 'betterAuthNative'] as const;
export type SignInSystem = (typeof SIGN_IN_SYSTEMS)[number];

/** How one system is asked to sign somebody in: for a nonce first, then with the text and its signature. */
export interface SignInFace {
  askNonce(address: string): string;
  /** The text to sign, made of what the first answer says. */
  readText(answer: Record<string, unknown>, asked: { readonly address: string; readonly port: number }): string;
  submit(signed: { readonly message: string; readonly signature: string }): string;
  /** The token of the session that has begun; undefined when none has. */
  readToken(answer: Record<string, unknown>): unknown;
}

const MINUTES_5 = 300_000;

const betterAuth: SignInFace = {
  askNonce: () => post('/api/auth/siwe/nonce', {}),
  readText({ nonce }, { address, port }) {
    const now = Date.now();
    return writeSiweMessage({
      origin: `http://localhost:${port}`,
      address,
      chainId: 31_337,
      nonce: String(nonce),
      statement: 'Sign in to Tollhouse.',
      issuedAt: now,
      expiresAt: now + MINUTES_5,
    });
  },
  submit: (signed) => post('/api/auth/siwe/verify', signed),
  readToken: ({ token }) => token,
};

const CHALLENGE = `mutation Challenge($input: CreateSignInChallengeInput!) {
  createSignInChallenge(input: $input) { challenge { message } }
}`;
/** What better-auth tells of the user, and the refresh token, which it has none of. */
const SIGN_IN = `mutation SignIn($input: SignInWithEthereumInput!) {
  signInWithEthereum(input: $input) { accessToken refreshToken viewer { user { id } } }
}`;

const tollhouse: SignInFace = {
  askNonce: (address) => post('/graphql', { query: CHALLENGE, variables: { input: { address } } }),
  readText({ data }) {
    const { createSignInChallenge } = data as { createSignInChallenge: { challenge: { message: string } } };
    return createSignInChallenge.challenge.message;
  },
  submit: (input) => post('/graphql', { query: SIGN_IN, variables: { input } }),
  readToken({ data }) {
    const { signInWithEthereum } = (data ?? {}) as { signInWithEthereum?: { accessToken: string } | null };
    return signInWithEthereum?.accessToken;
  },
};

/** How each is asked. */
export const SIGN_IN_FACES: Readonly<Record<SignInSystem, SignInFace>> = {
  tollhouse,
  betterAuth,
  betterAuthNative: betterAuth,
};

function post(path: string, body: object): string {
  const json = JSON.stringify(body);
  return [
    `POST ${path} HTTP/1.1`,
    'host: localhost',
    'content-type: application/json',
    'accept: application/json',
    `content-length: ${Buffer.byteLength(json)}`,
    '',
    json,
  ].join('\r\n');
}
