import type { GraphQLResolveInfo } from 'graphql';
import type { Context } from '../../context.ts';
import type { Identity } from '../../database/generated/client.ts';
import { builder } from '../../graphql/builder.ts';
import type { Done } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { decodeGlobalId } from '../../kernel/ids.ts';
import { createWalletChallenge } from '../commands/createWalletChallenge.ts';
import { type LinkedWallet, linkWallet } from '../commands/linkWallet.ts';
import { setPrimaryWallet } from '../commands/setPrimaryWallet.ts';
import { type FreshSession, stepUp } from '../commands/stepUp.ts';
import { challengePayload } from './challenges.ts';
import { WalletRef } from './wallets.ts';

const WalletChallengePurpose = builder.enumType('WalletChallengePurpose', {
  description: 'What a signed-in person’s wallet is asked to sign for. A challenge for one never passes for another.',
  values: {
    LINK: { description: 'To become a wallet of the signed-in user, with `linkWallet`.' },
    STEP_UP: { description: 'To prove again that it is the signed-in user, with `stepUp`.' },
  } as const,
});

const CreateWalletChallengeInput = builder.inputType('CreateWalletChallengeInput', {
  description: 'The wallet, and what for.',
  fields: (t) => ({
    purpose: t.field({ type: WalletChallengePurpose, required: true, description: 'What for.' }),
    address: t.field({ type: 'Address', required: true, description: 'The wallet that will sign.' }),
    chainId: t.int({ description: 'The chain the wallet is on; the first allowed one when absent.' }),
  }),
});

const CreateWalletChallengePayload = challengePayload('CreateWalletChallengePayload');

/** A wallet's text and signature, for one mutation. */
function signedInput(name: string, description: string) {
  return builder.inputType(name, {
    description,
    fields: (t) => ({
      message: t.string({ required: true, description: 'The challenge’s text, unchanged.' }),
      signature: t.field({ type: 'Hex', required: true, description: 'The wallet’s signature by personal_sign.' }),
    }),
  });
}

/** A wallet of the signed-in user, for one mutation. */
function walletInput(name: string, description: string) {
  return builder.inputType(name, {
    description,
    fields: (t) => ({
      id: t.id({ required: true, description: 'The wallet’s global id.' }),
      idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
    }),
  });
}

type FindWallet = Parameters<Context['scope']['db']['identity']['findUniqueOrThrow']>[0];

function loadWallet({ scope }: Context, walletId: string, query: object): Promise<Identity> {
  return scope.db.identity.findUniqueOrThrow({ ...query, where: { id: walletId } } as FindWallet);
}

const LinkWalletPayload = builder.objectRef<LinkedWallet>('LinkWalletPayload').implement({
  description: 'A wallet that is the signed-in user’s.',
  fields: (t) => ({
    wallet: t.prismaField({
      type: WalletRef,
      description: 'The wallet.',
      resolve: (query, { walletId }, _args, context) => loadWallet(context, walletId, query),
    }),
    alreadyLinked: t.exposeBoolean('alreadyLinked', { description: 'Whether it was so before; then nothing changed.' }),
  }),
});

const StepUpPayload = builder.objectRef<FreshSession>('StepUpPayload').implement({
  description: 'A session whose user has just proved again who they are.',
  fields: (t) => ({
    provedAt: t.expose('provedAt', { type: 'DateTime', description: 'When that was.' }),
    freshUntil: t.expose('freshUntil', {
      type: 'DateTime',
      description: 'Until when what asks for a fresh proof can be done without another one.',
    }),
  }),
});

const SetPrimaryWalletPayload = builder
  .objectRef<Done<{ readonly walletId: string }>>('SetPrimaryWalletPayload')
  .implement({
    description: 'The wallet that the signed-in user prefers.',
    fields: (t) => ({
      wallet: t.prismaField({
        type: WalletRef,
        description: 'The wallet.',
        resolve: (query, { walletId }, _args, context) => loadWallet(context, walletId, query),
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });

const LinkWalletInput = signedInput('LinkWalletInput', 'The text of a `LINK` challenge and its signature.');
const StepUpInput = signedInput('StepUpInput', 'The text of a `STEP_UP` challenge and its signature.');
const SetPrimaryWalletInput = walletInput('SetPrimaryWalletInput', 'The wallet to prefer.');

interface NamedWallet {
  readonly id: string;
  readonly idempotencyKey?: string | null | undefined;
}

/** What names no wallet is answered as a wallet that is not the user's. */
function readWallet({ id, idempotencyKey }: NamedWallet, context: Context, info: GraphQLResolveInfo) {
  const named = decodeGlobalId(id);
  return {
    id: named?.type === 'Wallet' ? named.id : null,
    idempotencyKey: givenKey(idempotencyKey, context, info),
  };
}

builder.mutationFields((t) => ({
  createWalletChallenge: t.field({
    type: CreateWalletChallengePayload,
    description: 'Gives the signed-in person a text for a wallet to sign. Limited per client and wallet.',
    args: { input: t.arg({ type: CreateWalletChallengeInput, required: true, description: 'Which, and what for.' }) },
    resolve: (_root, { input }, context) => createWalletChallenge(context, input),
  }),
  linkWallet: t.field({
    type: LinkWalletPayload,
    description:
      'Makes a wallet the signed-in user’s, by its signature. Needs a proof that is minutes old: see `stepUp`.',
    args: { input: t.arg({ type: LinkWalletInput, required: true, description: 'Text and signature.' }) },
    resolve: (_root, { input }, context) => linkWallet(context, input),
  }),
  stepUp: t.field({
    type: StepUpPayload,
    description: 'Proves again, by any wallet of the signed-in user, that it is them; good for ten minutes.',
    args: { input: t.arg({ type: StepUpInput, required: true, description: 'Text and signature.' }) },
    resolve: (_root, { input }, context) => stepUp(context, input),
  }),
  setPrimaryWallet: t.field({
    type: SetPrimaryWalletPayload,
    description: 'Prefers one of the user’s wallets. Needs a proof that is minutes old: see `stepUp`.',
    args: { input: t.arg({ type: SetPrimaryWalletInput, required: true, description: 'The wallet.' }) },
    resolve: (_root, { input }, context, info) => setPrimaryWallet(context, readWallet(input, context, info)),
  }),
}));
