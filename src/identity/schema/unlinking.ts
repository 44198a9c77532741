import { builder } from '../../graphql/builder.ts';
import type { Done } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { decodeGlobalId, encodeGlobalId } from '../../kernel/ids.ts';
import { type UnlinkedIdentity, unlinkIdentity } from '../commands/unlinkIdentity.ts';

const UnlinkIdentityInput = builder.inputType('UnlinkIdentityInput', {
  description: 'The identity to give up.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Its global id, as an identity or as a wallet.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const UnlinkIdentityPayload = builder.objectRef<Done<UnlinkedIdentity>>('UnlinkIdentityPayload').implement({
  description: 'An identity that is a stranger now.',
  fields: (t) => ({
    identityId: t.id({
      description: 'The global id that it had, as an identity.',
      resolve: ({ identityId }) => encodeGlobalId('Identity', identityId),
    }),
    signedOut: t.exposeBoolean('signedOut', {
      description: 'Whether this session was begun with it, and so has ended with it.',
    }),
    replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
  }),
});

builder.mutationField('unlinkIdentity', (t) =>
  t.field({
    type: UnlinkIdentityPayload,
    description:
      'Gives up a wallet, an e-mail address or another identity; sessions that it began end at once. Needs a proof that is minutes old: see `stepUp`.',
    args: { input: t.arg({ type: UnlinkIdentityInput, required: true, description: 'The identity.' }) },
    resolve: (_root, { input }, context, info) => {
      const named = decodeGlobalId(input.id);
      return unlinkIdentity(context, {
        // a wallet is an identity, and both of its ids name one row
        id: named?.type === 'Wallet' || named?.type === 'Identity' ? named.id : null,
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      });
    },
  }),
);
