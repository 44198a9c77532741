import { randomBytes } from 'node:crypto';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { writeThirdwebMessage } from '../../src/identity/model.ts';
import type { ThirdwebPayload } from '../../src/ports.ts';
import type { ThirdwebServer } from '../support/thirdweb.ts';
import type { CountedTollhouse } from './trips.ts';

type Run = () => ReturnType<CountedTollhouse['count']>;

const VIEWER = 'viewer { user { id displayName } organization { id name } role }';

/** Of somebody with an in-app wallet, a smart account and two profiles. */
export function thirdwebRuns(
  tollhouse: () => CountedTollhouse,
  thirdweb: () => ThirdwebServer,
  tokenOf: () => string | undefined,
): Readonly<Record<string, Run>> {
  const address = (): string => `0x${randomBytes(20).toString('hex')}`;
  const newTold = () => ({
    address: address(),
    smartWalletAddress: address(),
    profiles: ['google', 'apple'].map((type) => ({ type, id: address() })),
  });
  const known = newTold();
  const linked = newTold();
  const signIn: Run = async () => {
    const { data } = await tollhouse().ask<{ createSignInChallenge: { challenge: { nonce: string } } }>(
      'mutation { createSignInChallenge(input: {}) { challenge { nonce } } }',
    );
    return tollhouse().count(
      `mutation ($authToken: String!, $nonce: String!) {
        signInWithThirdweb(input: { authToken: $authToken, nonce: $nonce }) { accessToken refreshToken ${VIEWER} }
      }`,
      { authToken: thirdweb().tokenOf(known), nonce: data?.createSignInChallenge.challenge.nonce },
    );
  };
  const account = privateKeyToAccount(generatePrivateKey());
  const present: Run = async () => {
    const { data } = await tollhouse().ask<{ createSignInChallenge: { challenge: { payload: ThirdwebPayload } } }>(
      `mutation ($address: Address!) {
        createSignInChallenge(input: { address: $address }) { challenge { payload: thirdwebPayload {
          domain address statement uri version chain_id nonce issued_at expiration_time invalid_before
        } } }
      }`,
      { address: account.address },
    );
    const payload = data?.createSignInChallenge.challenge.payload;
    const signature = await account.signMessage({ message: (payload && writeThirdwebMessage(payload)) ?? '' });
    return tollhouse().count(
      `mutation ($payload: ThirdwebLoginPayloadInput!, $signature: Hex!) {
        signInWithThirdweb(input: { payload: $payload, signature: $signature }) { accessToken refreshToken ${VIEWER} }
      }`,
      { payload, signature },
    );
  };
  const link: Run = () =>
    tollhouse().count(
      `mutation ($authToken: String!) {
        linkThirdwebProfile(input: { authToken: $authToken }) { identities { kind issuer } alreadyLinked }
      }`,
      { authToken: thirdweb().tokenOf(linked) },
      tokenOf(),
    );
  return {
    'signInWithThirdweb, the first time': signIn,
    'signInWithThirdweb, again': signIn,
    'signInWithThirdweb, a payload': present,
    'signInWithThirdweb, a payload, again': present,
    linkThirdwebProfile: link,
    'linkThirdwebProfile, again': link,
  };
}
