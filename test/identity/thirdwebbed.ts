import { randomBytes } from 'node:crypto';
import { startThirdwebServer, type ThirdwebServer } from '../support/thirdweb.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { mutate, type Outcome } from './linker.ts';
import { getChallenge, type SignedIn, sql } from './visitor.ts';

/** A gateway beside a thirdweb of its own. */
export interface ThirdwebbedHouse extends TestTollhouse {
  readonly thirdweb: ThirdwebServer;
}

type House = Pick<TestTollhouse, 'ask' | 'url' | 'database'>;

const SESSION = 'accessToken refreshToken expiresAt isNewUser viewer { user { id } organization { id } }';

export async function startThirdwebbed(options: Parameters<typeof startTollhouse>[0] = {}): Promise<ThirdwebbedHouse> {
  const thirdweb = await startThirdwebServer();
  const house = await startTollhouse({
    ...options,
    settings: {
      THIRDWEB_CLIENT_ID: thirdweb.clientId,
      THIRDWEB_SECRET_KEY: thirdweb.secretKey,
      THIRDWEB_API_URL: thirdweb.url,
      ...options.settings,
    },
  });
  return {
    ...house,
    thirdweb,
    stop: async () => {
      await house.stop();
      await thirdweb.stop();
    },
  };
}

/** An address that nobody has used. */
export function newAddress(): string {
  return `0x${randomBytes(20).toString('hex')}`;
}

/** Hands credentials in. */
export function submitThirdweb(
  house: House,
  input: object,
  headers: Record<string, string> = {},
): Promise<Outcome<SignedIn>> {
  return mutate<SignedIn>(house, undefined, 'signInWithThirdweb', input, SESSION, headers);
}

/** Hands a token in, with a nonce of its own. */
export async function presentToken(
  house: House,
  authToken: string,
  more: { readonly chainId?: number } = {},
  headers: Record<string, string> = {},
): Promise<Outcome<SignedIn> & { readonly nonce: string }> {
  const { nonce } = await getChallenge(house);
  return { ...(await submitThirdweb(house, { authToken, nonce, ...more }, headers)), nonce };
}

/** Signs in with a token, and fails where that fails. */
export async function enterWith(house: House, authToken: string): Promise<SignedIn> {
  const { code, data } = await presentToken(house, authToken);
  if (!data) throw new Error(`Signing in failed: ${code}`);
  return data;
}

export interface IdentitySeen {
  readonly id: string;
  readonly kind: string;
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly phone: string | null;
  readonly wallet: {
    readonly source: string;
    readonly kind: string;
    readonly chainId: number | null;
    readonly primary: boolean;
    readonly controlledBy: { readonly address: string } | null;
  } | null;
}

/** All that proves the person, as they see it, by issuer and subject. */
export async function identitiesOf(
  house: House,
  { accessToken }: Pick<SignedIn, 'accessToken'>,
): Promise<readonly IdentitySeen[]> {
  const { data, errors } = await house.ask<{ viewer: { identities: { edges: { node: IdentitySeen }[] } } }>(
    `{ viewer { identities(first: 50) { edges { node {
      id kind issuer subject email emailVerified phone
      wallet { source kind chainId primary controlledBy { address } }
    } } } } }`,
    {},
    { token: accessToken },
  );
  if (!data) throw new Error(`No identities: ${JSON.stringify(errors)}`);
  return data.viewer.identities.edges
    .map(({ node }) => node)
    .sort((one, other) => `${one.issuer} ${one.subject}`.localeCompare(`${other.issuer} ${other.subject}`));
}

/** The outcomes in the trail of attempts, oldest first. */
export async function trailOf(house: House): Promise<readonly Record<string, unknown>[]> {
  return sql(house, 'select purpose, outcome, domain, chain_id, address from sign_in_attempts order by created_at, id');
}
