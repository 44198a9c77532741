import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { TestTollhouse } from './tollhouse.ts';

/** Somebody who has signed in with a wallet of their own. */
export interface Person {
  readonly account: ReturnType<typeof privateKeyToAccount>;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly organizationId: string;
  readonly userId: string;
}

const CHALLENGE = `mutation Challenge($input: CreateSignInChallengeInput!) {
  createSignInChallenge(input: $input) { challenge { nonce message } }
}`;

const SIGN_IN = `mutation SignIn($input: SignInWithEthereumInput!) {
  signInWithEthereum(input: $input) {
    accessToken refreshToken viewer { user { id } organization { id } }
  }
}`;

interface SignedIn {
  readonly signInWithEthereum: {
    readonly accessToken: string;
    readonly refreshToken: string;
    readonly viewer: { readonly user: { readonly id: string }; readonly organization: { readonly id: string } };
  };
}

/** Signs in through the real mutations, with a fresh wallet unless one is given. */
export async function signIn(
  tollhouse: Pick<TestTollhouse, 'ask'>,
  account: Person['account'] = privateKeyToAccount(generatePrivateKey()),
): Promise<Person> {
  const challenge = await tollhouse.ask<{ createSignInChallenge: { challenge: { message: string } } }>(CHALLENGE, {
    input: { address: account.address },
  });
  const message = challenge.data?.createSignInChallenge.challenge.message ?? '';
  const signature = await account.signMessage({ message });
  const answer = await tollhouse.ask<SignedIn>(SIGN_IN, { input: { message, signature } });
  if (!answer.data?.signInWithEthereum) throw new Error(`Signing in failed: ${JSON.stringify(answer.errors)}`);
  const { accessToken, refreshToken, viewer } = answer.data.signInWithEthereum;
  return {
    account,
    accessToken,
    refreshToken,
    userId: viewer.user.id,
    organizationId: viewer.organization.id,
  };
}
