import type { Context } from '../context.ts';
import type { Membership } from '../database/generated/client.ts';
import { builder } from '../graphql/builder.ts';
import { kernelErrors } from '../kernel/errors.ts';
import { createSignInChallenge, type SignInChallenge } from './commands/createSignInChallenge.ts';
import type { SignedIn } from './commands/openSession.ts';
import { refreshSession } from './commands/refreshSession.ts';
import { signInWithEthereum } from './commands/signInWithEthereum.ts';
import { signOut } from './commands/signOut.ts';

const WalletKind = builder.enumType('WalletKind', {
  description: 'What stands behind a wallet’s address.',
  values: {
    EOA: { description: 'An externally owned account: a key pair, the same on every chain.' },
    CONTRACT: { description: 'A contract, on one chain.' },
    EOA_7702: { description: 'An externally owned account that has delegated to code (EIP-7702).' },
  } as const,
});

/** A wallet as its own user sees it. */
const Wallet = builder.prismaObject('Identity', {
  variant: 'Wallet',
  description: 'A blockchain account that its user has proved to control, by a signature.',
  select: { id: true },
  fields: (t) => ({
    address: t.field({
      type: 'Address',
      description: 'The account’s address.',
      select: { address: true },
      resolve: ({ address }) => address ?? '',
    }),
    kind: t.expose('walletKind', { type: WalletKind, nullable: true, description: 'What stands behind the address.' }),
    provedAt: t.expose('provedAt', { type: 'DateTime', description: 'When it was first proved.' }),
  }),
});

/** A person, as far as the viewer may see them. */
export const UserRef = builder.prismaNode('User', {
  nullable: true,
  description: 'A person or a service account.',
  select: { id: true },
  id: { resolve: ({ id }) => id },
  findUnique: (id) => ({ id }),
  fields: (t) => ({
    displayName: t.exposeString('displayName', { description: 'How the user is called.' }),
    avatarUrl: t.exposeString('avatarUrl', { nullable: true, description: 'The address of a picture.' }),
    wallets: t.field({
      type: [Wallet],
      description: 'The user’s wallets, the first proved first; only one’s own are shown.',
      select: (_args, _context, nestedSelection) => ({
        identities: nestedSelection({ where: { kind: 'WALLET' }, orderBy: { createdAt: 'asc' } }),
      }),
      resolve: ({ identities }) => identities,
    }),
  }),
});

/** Who is asking, in the organization that their session works in. Tenancy adds the organization and the role. */
export const ViewerRef = builder.prismaObject('Membership', {
  variant: 'Viewer',
  description: 'Who is asking: the signed-in user in the session’s active organization.',
  select: { id: true },
  fields: (t) => ({
    user: t.relation('user', { description: 'The signed-in user.' }),
  }),
});

type ViewerQuery = Parameters<Context['scope']['db']['membership']['findUniqueOrThrow']>[0];

function loadViewer({ scope, viewer }: Context, query: object): Promise<Membership> {
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const { organizationId, userId } = viewer;
  return scope.db.membership.findUniqueOrThrow({
    ...query,
    where: { organizationId_userId: { organizationId, userId } },
  } as ViewerQuery);
}

builder.queryField('viewer', (t) =>
  t.prismaField({
    type: ViewerRef,
    nullable: true,
    description: 'Who is asking; null without a session.',
    resolve: (query, _root, _args, context) => (context.viewer ? loadViewer(context, query) : null),
  }),
);

const ChallengePayload = builder.objectRef<SignInChallenge>('CreateSignInChallengePayload').implement({
  description: 'What a wallet is asked to sign.',
  fields: (t) => ({
    nonce: t.exposeString('nonce', { description: 'Good for one sign-in.' }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'The text to sign exactly as it is; null when no address was given.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the nonce ends.' }),
  }),
});

const CreateSignInChallengeInput = builder.inputType('CreateSignInChallengeInput', {
  description: 'What is known before signing in.',
  fields: (t) => ({
    address: t.field({ type: 'Address', description: 'The wallet; with it the answer carries the ready text.' }),
    chainId: t.int({ description: 'The chain the wallet is on; the first allowed one when absent.' }),
  }),
});

/** The same answer for beginning a session and for refreshing it. */
function sessionPayload(name: string, description: string) {
  return builder.objectRef<SignedIn>(name).implement({
    description,
    fields: (t) => ({
      accessToken: t.exposeString('accessToken', {
        description: 'Sent as `Authorization: Bearer …` with every request; good for minutes.',
      }),
      refreshToken: t.exposeString('refreshToken', {
        description: 'Kept safe and exchanged once for the next pair, with `refreshSession`.',
      }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the access token ends.' }),
      isNewUser: t.exposeBoolean('isNewUser', { description: 'Whether this wallet has just signed up.' }),
      viewer: t.prismaField({
        type: ViewerRef,
        description: 'Who is signed in.',
        resolve: (query, _signedIn, _args, context) => loadViewer(context, query),
      }),
    }),
  });
}

const SignInPayload = sessionPayload('SignInWithEthereumPayload', 'A session that has just begun.');
const RefreshPayload = sessionPayload('RefreshSessionPayload', 'A session that goes on.');

const SignInWithEthereumInput = builder.inputType('SignInWithEthereumInput', {
  description: 'A text of EIP-4361 and its signature.',
  fields: (t) => ({
    message: t.string({ required: true, description: 'The text that was signed, unchanged; at most 4 KB.' }),
    signature: t.field({ type: 'Hex', required: true, description: 'The wallet’s signature by personal_sign.' }),
  }),
});

const RefreshSessionInput = builder.inputType('RefreshSessionInput', {
  description: 'The refresh token that was given out last.',
  fields: (t) => ({
    refreshToken: t.string({ required: true, description: 'Spent by this; its successor is in the answer.' }),
  }),
});

const SignOutPayload = builder.objectRef<{ signedOut: true }>('SignOutPayload').implement({
  description: 'A session that has ended.',
  fields: (t) => ({
    signedOut: t.exposeBoolean('signedOut', { description: 'Always true; a failure is an error.' }),
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
    resolve: (_root, { input }, context) => signInWithEthereum(context, input),
  }),
  refreshSession: t.field({
    type: RefreshPayload,
    description: 'Exchanges a refresh token for the next pair of tokens. One that was spent before ends the session.',
    args: { input: t.arg({ type: RefreshSessionInput, required: true, description: 'The token.' }) },
    resolve: (_root, { input }, context) => refreshSession(context, input),
  }),
  signOut: t.field({
    type: SignOutPayload,
    description: 'Ends the session; its tokens are good for nothing from the next statement on.',
    resolve: async (_root, _args, context) => {
      await signOut(context);
      return { signedOut: true } as const;
    },
  }),
}));
