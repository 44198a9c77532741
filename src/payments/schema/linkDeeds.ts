import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { builder } from '../../graphql/builder.ts';
import { inTenant } from '../../graphql/node.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { decodeGlobalId, encodeGlobalId } from '../../kernel/ids.ts';
import { createPaymentLink } from '../commands/createPaymentLink.ts';
import { deletePaymentLink } from '../commands/deletePaymentLink.ts';
import { movePaymentLink } from '../commands/movePaymentLink.ts';
import { updatePaymentLink } from '../commands/updatePaymentLink.ts';
import { paymentErrors } from '../errors.ts';
import type { LinkDeed } from '../model/linkStatus.ts';
import { CreatePaymentLinkInput, UpdatePaymentLinkInput } from './linkInputs.ts';
import { PaymentLinkRef } from './links.ts';

type FindLink = Parameters<Context['scope']['db']['paymentLink']['findUniqueOrThrow']>[0];
type FoundLink = Awaited<ReturnType<Context['scope']['db']['paymentLink']['findUniqueOrThrow']>>;

/** A link that was just made or changed, for one mutation. */
function linkPayload(name: string) {
  return builder.objectRef<Done<{ readonly link: FoundLink }>>(name).implement({
    description: 'A link that was just made or changed.',
    fields: (t) => ({
      paymentLink: t.field({ type: PaymentLinkRef, description: 'The link.', resolve: ({ link }) => link as never }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });
}

/** What is common to all: the key, and how the link is read for the answer. */
function readLink(
  idempotencyKey: string | null | undefined,
  context: Context,
  info: GraphQLResolveInfo,
): {
  readonly idempotencyKey: GivenKey | null;
  readonly read: (tx: Pick<Transaction, 'paymentLink'>, id: string) => Deed<FoundLink>;
} {
  const query: object = queryFromInfo({ context, info, typeName: 'PaymentLink', path: ['paymentLink'] });
  return {
    idempotencyKey: givenKey(idempotencyKey, context, info),
    read: (tx, id) =>
      tx.paymentLink.findUniqueOrThrow({ ...query, where: inTenant(id, context) } as FindLink) as Deed<FoundLink>,
  };
}

function linkIdOf(globalId: string): string {
  const named = decodeGlobalId(globalId);
  if (named?.type !== 'PaymentLink') throw paymentErrors.PAYMENT_LINK_NOT_FOUND();
  return named.id;
}

/** A deed that is done to one link by its id alone. */
function linkInput(name: string) {
  return builder.inputType(name, {
    description: 'Which link.',
    fields: (t) => ({
      paymentLinkId: t.id({ required: true, description: 'The link.' }),
      idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
    }),
  });
}

const DeletePaymentLinkPayload = builder
  .objectRef<Done<{ readonly id: string }>>('DeletePaymentLinkPayload')
  .implement({
    description: 'A link that is gone.',
    fields: (t) => ({
      paymentLinkId: t.id({
        description: 'Which link it was.',
        resolve: ({ id }) => encodeGlobalId('PaymentLink', id),
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });

builder.mutationFields((t) => {
  const move = (deed: LinkDeed, name: string, description: string) =>
    t.field({
      type: linkPayload(`${name}PaymentLinkPayload`),
      description: `${description} Needs the permission \`payments:write\`.`,
      args: {
        input: t.arg({ type: linkInput(`${name}PaymentLinkInput`), required: true, description: 'Which link.' }),
      },
      resolve: (_root, { input }, context, info) =>
        movePaymentLink(context, {
          id: linkIdOf(input.paymentLinkId),
          deed,
          ...readLink(input.idempotencyKey, context, info),
        }),
    });
  return {
    createPaymentLink: t.field({
      type: linkPayload('CreatePaymentLinkPayload'),
      description:
        'Makes a link that anybody may pay; it is active at once, unless it is to be a draft. Needs the permission `payments:write`.',
      args: { input: t.arg({ type: CreatePaymentLinkInput, required: true, description: 'Its terms.' }) },
      resolve: (_root, { input }, context, info) =>
        createPaymentLink(context, { ...input, ...readLink(input.idempotencyKey, context, info) }),
    }),
    updatePaymentLink: t.field({
      type: linkPayload('UpdatePaymentLinkPayload'),
      description:
        'Changes the terms of a link for orders that are made from now on. Needs the permission `payments:write`.',
      args: { input: t.arg({ type: UpdatePaymentLinkInput, required: true, description: 'What is to change.' }) },
      resolve: (_root, { input: { paymentLinkId, accepts, ...change } }, context, info) =>
        updatePaymentLink(context, {
          ...change,
          ...(accepts && { accepts }),
          id: linkIdOf(paymentLinkId),
          ...readLink(change.idempotencyKey, context, info),
        }),
    }),
    activatePaymentLink: move('activate', 'Activate', 'Publishes a draft, or lets a paused link take payments again.'),
    pausePaymentLink: move('pause', 'Pause', 'Lets a link take no payments for now; orders that are there go on.'),
    archivePaymentLink: move(
      'archive',
      'Archive',
      'Lets a link take no payments any more; orders that are there go on.',
    ),
    deletePaymentLink: t.field({
      type: DeletePaymentLinkPayload,
      description:
        'Deletes a link that nobody is about to pay; its orders stay, and its slug is given to nobody else. Needs the permission `payments:write`.',
      args: {
        input: t.arg({ type: linkInput('DeletePaymentLinkInput'), required: true, description: 'Which link.' }),
      },
      resolve: (_root, { input }, context, info) =>
        deletePaymentLink(context, {
          id: linkIdOf(input.paymentLinkId),
          idempotencyKey: givenKey(input.idempotencyKey, context, info),
        }),
    }),
  };
});
