import type { Pair, Probe } from './probe.ts';

/** What a gateway is told of thirdweb so that it takes payloads; there is nobody to exchange a token with. */
export const THIRDWEB_SETTINGS: Readonly<Record<string, string>> = {
  THIRDWEB_CLIENT_ID: 'nobody',
  THIRDWEB_SECRET_KEY: 'nothing',
  THIRDWEB_API_URL: 'http://127.0.0.1:1',
};

interface Values {
  readonly addressPairs: () => Pair[];
  readonly ask: (query: string, variables: object) => Promise<unknown>;
}

interface Challenged {
  readonly data: { readonly createSignInChallenge: { readonly challenge: { readonly thirdwebPayload: object } } };
}

const FIELDS = 'domain address statement uri version chain_id nonce issued_at expiration_time invalid_before';
const OF_TEXT = 'names nothing: a part of the text that is signed, and held to the challenge';
const OF_CHALLENGE = 'names a challenge, which is no tenant’s';
const OF_THIRDWEB = 'names nothing here: thirdweb knows tokens, and its answers are tried in test/identity';

/** The texts that a client can write who uses thirdweb, by where they go. */
export function thirdwebProbes({ addressPairs, ask }: Values): Readonly<Record<string, Probe | string>> {
  const payloadOf = async (address: string): Promise<string> => {
    const asked = `mutation ($address: Address) {
      createSignInChallenge(input: { address: $address }) { challenge { thirdwebPayload { ${FIELDS} } } }
    }`;
    const { data } = (await ask(asked, { address })) as Challenged;
    return JSON.stringify(data.createSignInChallenge.challenge.thirdwebPayload);
  };
  const field = (name: string): string => `Mutation.signInWithThirdweb.input.payload.${name}`;
  return {
    [field('address')]: {
      query: `mutation ($payload: ThirdwebLoginPayloadInput!, $signature: Hex!) {
        signInWithThirdweb(input: { payload: $payload, signature: $signature }) { isNewUser }
      }`,
      variables: (value) => ({ payload: JSON.parse(value) as object, signature: `0x${'11'.repeat(65)}` }),
      pairs: async () => {
        const [[theirs, nobodys] = ['', '']] = addressPairs();
        return [[await payloadOf(theirs), await payloadOf(nobodys)]];
      },
    },
    ...Object.fromEntries(
      ['domain', 'statement', 'uri', 'version', 'chain_id', 'issued_at', 'expiration_time', 'invalid_before']
        .concat('resources')
        .map((name) => [field(name), OF_TEXT]),
    ),
    [field('nonce')]: OF_CHALLENGE,
    'Mutation.signInWithThirdweb.input.signature': 'names nothing without its payload',
    'Mutation.signInWithThirdweb.input.authToken': OF_THIRDWEB,
    'Mutation.signInWithThirdweb.input.nonce': OF_CHALLENGE,
    'Mutation.linkThirdwebProfile.input.authToken': OF_THIRDWEB,
  };
}
