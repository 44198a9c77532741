import { randomBytes } from 'node:crypto';
import { writeRefreshToken } from '../../src/identity/model.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { Answer } from '../support/tollhouse.ts';
import type { Pair, Probe } from './probe.ts';

type Ask = (query: string, values: object) => Promise<Answer<Record<string, unknown>>>;

/** The texts that a session begins with, or goes on by, by where they go. */
export function signInProbes({
  addressPairs,
  theirSession,
  ask,
}: {
  readonly addressPairs: () => Pair[];
  /** The id of a session of the other tenant's. */
  readonly theirSession: () => string;
  readonly ask: Ask;
}): Readonly<Record<string, Probe | string>> {
  return {
    'Mutation.createSignInChallenge.input.address': {
      query:
        'mutation ($value: Address) { createSignInChallenge(input: { address: $value }) { challenge { nonce message expiresAt } } }',
      pairs: addressPairs,
      blur: /\b[0-9a-f]{32}\b|\d{4}-\d\d-\d\dT[\d:.]+Z/g,
    },
    'Mutation.signInWithEthereum.input.message': {
      query: `mutation ($value: String!, $signature: Hex!) {
      signInWithEthereum(input: { message: $value, signature: $signature }) { isNewUser }
    }`,
      variables: (value) => ({ value, signature: `0x${'11'.repeat(65)}` }),
      pairs: async () => {
        const [[theirs, nobodys] = ['', '']] = addressPairs();
        return [[await challengeFor(ask, theirs), await challengeFor(ask, nobodys)]];
      },
    },
    'Mutation.signInWithEthereum.input.signature': 'names nothing without its message',
    'Mutation.refreshSession.input.refreshToken': {
      query: 'mutation ($value: String!) { refreshSession(input: { refreshToken: $value }) { accessToken } }',
      pairs: () =>
        [0, 1, 7].map((generation): Pair => {
          const secret = randomBytes(32).toString('base64url');
          return [
            writeRefreshToken({ sessionId: theirSession(), generation, secret }),
            writeRefreshToken({ sessionId: newId(), generation, secret }),
          ];
        }),
    },
  };
}

async function challengeFor(ask: Ask, address: string): Promise<string> {
  const { data } = await ask(
    'mutation ($address: Address) { createSignInChallenge(input: { address: $address }) { challenge { message } } }',
    { address },
  );
  const made = data?.createSignInChallenge as { challenge: { message: string } } | undefined;
  return made?.challenge.message ?? '';
}
