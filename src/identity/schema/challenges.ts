import { builder } from '../../graphql/builder.ts';
import type { ThirdwebPayload } from '../../ports.ts';
import type { WalletChallenge } from '../commands/giveChallenge.ts';
import { thirdwebPayloadOf } from '../model.ts';

const ChallengePurpose = builder.enumType('ChallengePurpose', {
  description: 'What a wallet is asked to sign for. A challenge for one never passes for another.',
  values: {
    SIGN_IN: { description: 'To begin a session.' },
    LINK: { description: 'To become a wallet of the signed-in user, with `linkWallet`.' },
    STEP_UP: { description: 'To prove again that it is the signed-in user, with `stepUp`.' },
  } as const,
});

const ThirdwebLoginPayload = builder.objectRef<ThirdwebPayload>('ThirdwebLoginPayload').implement({
  description: 'A ready text in thirdweb’s words (`LoginPayload`), for its `signLoginPayload` or `getLoginPayload`.',
  fields: (t) => ({
    domain: t.exposeString('domain', { description: 'The page’s host.' }),
    address: t.exposeString('address', { description: 'The wallet’s address.' }),
    statement: t.exposeString('statement', { description: 'What the wallet shows.' }),
    uri: t.exposeString('uri', { nullable: true, description: 'The page’s origin.' }),
    version: t.exposeString('version', { description: '`1`.' }),
    chain_id: t.exposeString('chain_id', { nullable: true, description: 'The chain, in decimal.' }),
    nonce: t.exposeString('nonce', { description: 'The challenge’s nonce.' }),
    issued_at: t.exposeString('issued_at', { description: 'When it was made.' }),
    expiration_time: t.exposeString('expiration_time', { description: 'When it ends.' }),
    invalid_before: t.exposeString('invalid_before', { description: 'When it begins: some minutes ago.' }),
  }),
});

const SignInChallenge = builder.objectRef<WalletChallenge>('SignInChallenge').implement({
  description: 'What a wallet is asked to sign, to prove itself once within five minutes.',
  fields: (t) => ({
    purpose: t.expose('purpose', { type: ChallengePurpose, description: 'What it is good for.' }),
    nonce: t.exposeString('nonce', { description: 'Good once; for a purpose of a session, for its user alone.' }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'The text to sign exactly as it is; null when no address was given.',
    }),
    thirdwebPayload: t.field({
      type: ThirdwebLoginPayload,
      nullable: true,
      description:
        'The text in thirdweb’s words, for `signInWithThirdweb`; null when there is none, or not to sign in.',
      resolve: ({ purpose, message }) =>
        purpose === 'SIGN_IN' && message !== null ? thirdwebPayloadOf(message) : null,
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the nonce ends.' }),
  }),
});

/** The answer of a mutation that gives out a challenge. */
export function challengePayload(name: string) {
  return builder.objectRef<WalletChallenge>(name).implement({
    description: 'A challenge that was just given out.',
    fields: (t) => ({
      challenge: t.field({ type: SignInChallenge, description: 'The challenge.', resolve: (challenge) => challenge }),
    }),
  });
}
