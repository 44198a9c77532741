import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import type { Pair, Probe } from './probe.ts';

/** What the tests of the API know of the two tenants. */
interface Values {
  /** Global ids of rows. */
  readonly idPairs: () => Pair[];
  readonly addressPairs: () => Pair[];
  /** A key that the other tenant has used. */
  readonly keyPairs: () => Promise<Pair[]>;
  /** Asks for something as a person of the own tenant. */
  readonly ask: (query: string, variables: object) => Promise<unknown>;
}

interface Challenged {
  readonly data: { readonly createWalletChallenge: { readonly challenge: { readonly message: string } } };
}

/** What is random in a challenge. */
const RANDOM = /\b[0-9a-f]{32}\b|\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/** The texts that a client can write about wallets, by where they go. */
export function walletProbes({
  idPairs,
  addressPairs,
  keyPairs,
  ask,
}: Values): Readonly<Record<string, Probe | string>> {
  const signature = `0x${'11'.repeat(65)}`;
  const challenge = async (purpose: string, address: string): Promise<string> => {
    const asked = `mutation ($purpose: WalletChallengePurpose!, $address: Address!) {
      createWalletChallenge(input: { purpose: $purpose, address: $address }) { challenge { message } }
    }`;
    const { data } = (await ask(asked, { purpose, address })) as Challenged;
    return data.createWalletChallenge.challenge.message;
  };
  const signed = (field: string, purpose: string, selection: string): Probe => ({
    query: `mutation ($value: String!, $signature: Hex!) {
      ${field}(input: { message: $value, signature: $signature }) { ${selection} }
    }`,
    variables: (value) => ({ value, signature }),
    pairs: async () => {
      const [[theirs, nobodys] = ['', '']] = addressPairs();
      return [[await challenge(purpose, theirs), await challenge(purpose, nobodys)]];
    },
  });
  const named = (field: string, selection: string): Record<string, Probe> => ({
    [`Mutation.${field}.input.id`]: {
      query: `mutation ($value: ID!) { ${field}(input: { id: $value }) { ${selection} } }`,
      pairs: idPairs,
    },
    [`Mutation.${field}.input.idempotencyKey`]: {
      query: `mutation ($value: String, $id: ID!) {
        ${field}(input: { id: $id, idempotencyKey: $value }) { ${selection} replayed }
      }`,
      variables: (value) => ({ value, id: encodeGlobalId('Wallet', newId()) }),
      pairs: keyPairs,
    },
  });
  return {
    'Mutation.createWalletChallenge.input.address': {
      query: `mutation ($value: Address!) {
        createWalletChallenge(input: { purpose: LINK, address: $value }) { challenge { nonce message expiresAt } }
      }`,
      pairs: addressPairs,
      blur: RANDOM,
    },
    'Mutation.linkWallet.input.message': signed('linkWallet', 'LINK', 'alreadyLinked'),
    'Mutation.linkWallet.input.signature': 'names nothing without its message',
    'Mutation.stepUp.input.message': signed('stepUp', 'STEP_UP', 'provedAt'),
    'Mutation.stepUp.input.signature': 'names nothing without its message',
    ...named('unlinkIdentity', 'identityId'),
    ...named('setPrimaryWallet', 'wallet { id }'),
  };
}
