import { builder } from '../../graphql/builder.ts';
import { carryTokens } from '../commands/carryTokens.ts';
import { createSignInChallenge } from '../commands/createSignInChallenge.ts';
import { signInWithEthereum } from '../commands/signInWithEthereum.ts';
import { challengePayload } from './challenges.ts';
import { INVITATION_TOKEN, sessionPayload, TokenTransportEnum, TRANSPORT } from './tokens.ts';

const ChallengePayload = challengePayload('CreateSignInChallengePayload');

const CreateSignInChallengeInput = builder.inputType('CreateSignInChallengeInput', {
  description: 'What is known before signing in.',
  fields: (t) => ({
    address: t.field({ type: 'Address', description: 'The wallet; with it the answer carries the ready text.' }),
    chainId: t.int({ description: 'The chain the wallet is on; the first allowed one when absent.' }),
  }),
});

const SignInPayload = sessionPayload('SignInWithEthereumPayload', 'A session that has just begun.');

const SignInWithEthereumInput = builder.inputType('SignInWithEthereumInput', {
  description: 'A text of EIP-4361 and its signature.',
  fields: (t) => ({
    message: t.string({ required: true, description: 'The text that was signed, unchanged; at most 4 KB.' }),
    signature: t.field({ type: 'Hex', required: true, description: 'The wallet’s signature by personal_sign.' }),
    invitationToken: t.string({ description: INVITATION_TOKEN }),
    transport: t.field({
      type: TokenTransportEnum,
      defaultValue: 'BEARER',
      required: true,
      description: TRANSPORT,
    }),
  }),
});

builder.mutationFields((t) => ({
  createSignInChallenge: t.field({
    type: ChallengePayload,
    description: 'Gives out a nonce, and with an address the text to sign. Limited per client and wallet.',
    args: { input: t.arg({ type: CreateSignInChallengeInput, required: true, description: 'What is known.' }) },
    resolve: (_root, { input }, context) => createSignInChallenge(context, input),
  }),
  signInWithEthereum: t.field({
    type: SignInPayload,
    description: 'Begins a session with a signed text of EIP-4361; an unknown wallet signs up. At most one a request.',
    args: { input: t.arg({ type: SignInWithEthereumInput, required: true, description: 'Text and signature.' }) },
    resolve: (_root, { input: { transport, ...signed } }, context) =>
      carryTokens(context, { transport, open: () => signInWithEthereum(context, signed) }),
  }),
}));
