import type { Context } from '../../context.ts';
import { builder } from '../../graphql/builder.ts';
import { carryTokens } from '../commands/carryTokens.ts';
import { type LinkedProfile, linkThirdwebProfile } from '../commands/linkThirdwebProfile.ts';
import { signInWithThirdweb } from '../commands/signInWithThirdweb.ts';
import { IdentityRef } from './identities.ts';
import { INVITATION_TOKEN, sessionPayload, TokenTransportEnum, TRANSPORT } from './tokens.ts';

const ThirdwebLoginPayloadInput = builder.inputType('ThirdwebLoginPayloadInput', {
  description: 'A `LoginPayload` of thirdweb’s libraries, field by field as they made it.',
  fields: (t) => ({
    domain: t.string({ required: true, description: 'The page’s host.' }),
    address: t.string({ required: true, description: 'The wallet’s address, with its checksum.' }),
    statement: t.string({ required: true, description: 'What the wallet was shown.' }),
    uri: t.string({ description: 'The page’s origin; without it the payload stands for no text of EIP-4361.' }),
    version: t.string({ required: true, description: '`1`.' }),
    chain_id: t.string({
      description: 'The chain, in decimal; without it the payload stands for no text of EIP-4361.',
    }),
    nonce: t.string({ required: true, description: 'The challenge’s nonce.' }),
    issued_at: t.string({ required: true, description: 'When it was made.' }),
    expiration_time: t.string({ required: true, description: 'When it ends.' }),
    invalid_before: t.string({ required: true, description: 'When it begins.' }),
    resources: t.stringList({ description: 'None, for a challenge of ours.' }),
  }),
});

const SignInWithThirdwebInput = builder.inputType('SignInWithThirdwebInput', {
  description: 'Either `payload` and `signature`, or `authToken` and `nonce`.',
  fields: (t) => ({
    payload: t.field({ type: ThirdwebLoginPayloadInput, description: 'What was signed, in thirdweb’s words.' }),
    signature: t.field({ type: 'Hex', description: 'The wallet’s signature, as `signLoginPayload` makes it.' }),
    authToken: t.string({
      description:
        'An in-app wallet’s auth token; thirdweb is asked whose it is. The session begins without a fresh proof: what ' +
        'asks for one waits for `stepUp`.',
    }),
    nonce: t.string({ description: 'With `authToken`: the nonce of a challenge, which is used up.' }),
    chainId: t.int({
      description: 'With `authToken`: the chain that the smart account is on; the first allowed one when absent.',
    }),
    invitationToken: t.string({ description: INVITATION_TOKEN }),
    transport: t.field({ type: TokenTransportEnum, defaultValue: 'BEARER', required: true, description: TRANSPORT }),
  }),
});

const SignInPayload = sessionPayload('SignInWithThirdwebPayload', 'A session that has just begun.');

const LinkThirdwebProfileInput = builder.inputType('LinkThirdwebProfileInput', {
  description: 'An in-app wallet of thirdweb’s.',
  fields: (t) => ({
    authToken: t.string({ required: true, description: 'Its auth token; thirdweb is asked whose it is.' }),
  }),
});

type FindIdentities = Parameters<Context['scope']['db']['identity']['findMany']>[0];

const LinkThirdwebProfilePayload = builder.objectRef<LinkedProfile>('LinkThirdwebProfilePayload').implement({
  description: 'An in-app wallet that is the signed-in user’s, with all that came with it.',
  fields: (t) => ({
    identities: t.prismaField({
      type: [IdentityRef],
      description: 'The wallet, its smart account and its profiles, the first linked first; some fifty at most.',
      resolve: (query, { identityIds }, _args, { scope }) =>
        scope.db.identity.findMany({
          ...(query as object),
          where: { id: { in: [...identityIds] } },
          orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
        } as FindIdentities) as never,
    }),
    alreadyLinked: t.exposeBoolean('alreadyLinked', {
      description: 'Whether all were so before; then nothing changed.',
    }),
  }),
});

builder.mutationFields((t) => ({
  signInWithThirdweb: t.field({
    type: SignInPayload,
    description:
      'Begins a session with what thirdweb’s libraries hand to a page; an unknown wallet signs up. At most one a request.',
    args: { input: t.arg({ type: SignInWithThirdwebInput, required: true, description: 'Payload or token.' }) },
    resolve: (_root, { input: { transport, ...given } }, context) =>
      carryTokens(context, { transport, open: () => signInWithThirdweb(context, given) }),
  }),
  linkThirdwebProfile: t.field({
    type: LinkThirdwebProfilePayload,
    description:
      'Makes an in-app wallet of thirdweb’s the signed-in user’s, with its smart account and its profiles. Needs a ' +
      'proof that is minutes old: see `stepUp`.',
    args: { input: t.arg({ type: LinkThirdwebProfileInput, required: true, description: 'The token.' }) },
    resolve: (_root, { input }, context) => linkThirdwebProfile(context, input),
  }),
}));
