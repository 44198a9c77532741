import { builder } from '../../graphql/builder.ts';
import type { WalletChallenge } from '../commands/giveChallenge.ts';

const ChallengePurpose = builder.enumType('ChallengePurpose', {
  description: 'What a wallet is asked to sign for. A challenge for one never passes for another.',
  values: {
    SIGN_IN: { description: 'To begin a session.' },
    LINK: { description: 'To become a wallet of the signed-in user, with `linkWallet`.' },
    STEP_UP: { description: 'To prove again that it is the signed-in user, with `stepUp`.' },
  } as const,
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
