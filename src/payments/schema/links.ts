import { queryFromInfo } from '@pothos/plugin-prisma';
import type { Context } from '../../context.ts';
import type { Deed } from '../../database/scope.ts';
import { builder } from '../../graphql/builder.ts';
import { pageOf, pageQuery, SORT_KEY } from '../../graphql/connection.ts';
import { inTenant } from '../../graphql/node.ts';
import type { Done } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { survivorOf, withSurvivor } from '../../identity/schema/survivors.ts';
import { UserRef } from '../../identity/schema/viewer.ts';
import { fromUnits } from '../../kernel/money.ts';
import { OrganizationRef } from '../../tenancy/schema/organizations.ts';
import { createPaymentLink } from '../commands/createPaymentLink.ts';
import {
  BlockchainTransactionConnection,
  BlockchainTransactionRef,
  PaymentOrderConnection,
  PaymentOrderRef,
} from './orders.ts';

/** Whether a link takes payments. */
export const PaymentLinkStatus = builder.enumType('PaymentLinkStatus', {
  description: 'Whether a link takes payments.',
  values: {
    DRAFT: { description: 'Not yet published.' },
    ACTIVE: { description: 'Takes payments.' },
    PAUSED: { description: 'Takes none for now.' },
    ARCHIVED: { description: 'Takes none any more.' },
  } as const,
});

builder.prismaObject('PaymentLinkAccept', {
  description: 'One way to pay a link.',
  select: { id: true },
  fields: (t) => ({
    asset: t.relation('asset', { description: 'What to pay in.' }),
    amount: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'How much, in whole tokens, exactly; null where the payer chooses.',
      select: { units: true, asset: { select: { decimals: true } } },
      resolve: ({ units, asset }) => units && fromUnits(BigInt(units.toFixed()), asset.decimals),
    }),
    units: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'How much, in the asset’s smallest units; null where the payer chooses.',
      select: { units: true },
      resolve: ({ units }) => units,
    }),
    payTo: t.expose('payTo', { type: 'Address', description: 'Who receives it.' }),
  }),
});

const PaymentLink = builder.prismaNode('PaymentLink', {
  nullable: true,
  description: 'A template that many payers may use, as the merchant sees it.',
  select: { organizationId: true, id: true },
  id: { resolve: ({ id }) => id },
  findUnique: inTenant,
  fields: (t) => ({
    slug: t.exposeString('slug', { description: 'Its name in addresses; hard to guess.' }),
    url: t.string({
      description: 'The address to give to payers.',
      select: { slug: true },
      resolve: ({ slug }, _args, { publicUrl }) => `${publicUrl}/pay/${slug}`,
    }),
    title: t.exposeString('title', { description: 'What it is for.' }),
    description: t.exposeString('description', { nullable: true, description: 'More about what it is for.' }),
    status: t.expose('status', { type: PaymentLinkStatus, description: 'Whether it takes payments.' }),
    orderLifetimeMinutes: t.exposeInt('orderLifetimeMinutes', {
      description: 'How long an order made from it can be paid, in minutes.',
    }),
    accepts: t.relation('accepts', {
      description: 'The ways to pay it.',
      query: { orderBy: { position: 'asc' } },
    }),
    createdBy: t.field({
      type: UserRef,
      nullable: true,
      description:
        'The member who made it, or who answers for the API key that did; null for whoever may not read members.',
      select: (_args, _context, nestedSelection) => ({
        creator: { select: { user: withSurvivor(nestedSelection()) } },
      }),
      // a key may read links and no members
      resolve: ({ creator }) => (creator as typeof creator | null) && survivorOf(creator.user),
    }),
    orders: t.connection(
      {
        type: PaymentOrderRef,
        description: 'The attempts to pay it, the newest first.',
        select: (args, _context, nestedSelection) => ({
          orders: { ...pageQuery(args), ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object) },
        }),
        resolve: ({ orders }, args) => pageOf(orders as never, args) as never,
      },
      PaymentOrderConnection,
    ),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
});

const PaymentLinkConnection = builder.connectionObject(
  { type: PaymentLink, name: 'PaymentLinkConnection', description: 'A page of payment links.' },
  { name: 'PaymentLinkEdge', description: 'One payment link of a page.' },
);

builder.prismaObjectFields(OrganizationRef, (t) => ({
  paymentLinks: t.connection(
    {
      type: PaymentLink,
      description: 'The organization’s payment links, the newest first.',
      select: (args, _context, nestedSelection) => ({
        paymentLinks: { ...pageQuery(args), ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object) },
      }),
      resolve: ({ paymentLinks }, args) => pageOf(paymentLinks as never, args) as never,
    },
    PaymentLinkConnection,
  ),
  paymentOrders: t.connection(
    {
      type: PaymentOrderRef,
      description: 'All attempts to pay the organization, the newest first.',
      select: (args, _context, nestedSelection) => ({
        paymentOrders: { ...pageQuery(args), ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object) },
      }),
      resolve: ({ paymentOrders }, args) => pageOf(paymentOrders as never, args) as never,
    },
    PaymentOrderConnection,
  ),
  blockchainTransactions: t.connection(
    {
      type: BlockchainTransactionRef,
      description: 'The transfers that were credited to the organization’s orders, the newest first.',
      select: (args, _context, nestedSelection) => ({
        blockchainTransactions: {
          ...pageQuery(args),
          ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object),
        },
      }),
      resolve: ({ blockchainTransactions }, args) => pageOf(blockchainTransactions as never, args) as never,
    },
    BlockchainTransactionConnection,
  ),
}));

const AcceptInput = builder.inputType('PaymentLinkAcceptInput', {
  description: 'One way to pay a link.',
  fields: (t) => ({
    asset: t.string({ required: true, description: 'The asset’s CAIP-19 name, as `chains` lists it.' }),
    amount: t.field({ type: 'Decimal', required: true, description: 'How much, in whole tokens, exactly.' }),
    payTo: t.field({ type: 'Address', required: true, description: 'Who receives it: a proved wallet.' }),
  }),
});

const CreatePaymentLinkInput = builder.inputType('CreatePaymentLinkInput', {
  description: 'The terms of a link.',
  fields: (t) => ({
    title: t.string({ required: true, description: 'What it is for; 1 to 200 characters.' }),
    description: t.string({ description: 'More about what it is for; at most 2,000 characters.' }),
    accepts: t.field({ type: [AcceptInput], required: true, description: 'One to twenty ways to pay it.' }),
    orderLifetimeMinutes: t.int({ description: 'How long an order can be paid: 1 to 43,200 minutes, 60 by default.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

type FindLink = Parameters<Context['scope']['db']['paymentLink']['findUniqueOrThrow']>[0];
type MadeLink = Awaited<ReturnType<Context['scope']['db']['paymentLink']['findUniqueOrThrow']>>;

const CreatePaymentLinkPayload = builder
  .objectRef<Done<{ readonly link: MadeLink }>>('CreatePaymentLinkPayload')
  .implement({
    description: 'A link that was just made.',
    fields: (t) => ({
      paymentLink: t.field({ type: PaymentLink, description: 'The link.', resolve: ({ link }) => link as never }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });

builder.mutationField('createPaymentLink', (t) =>
  t.field({
    type: CreatePaymentLinkPayload,
    description: 'Makes a link that anybody may pay; it is active at once. Needs the permission `payments:write`.',
    args: { input: t.arg({ type: CreatePaymentLinkInput, required: true, description: 'Its terms.' }) },
    resolve: (_root, { input }, context, info) => {
      const query: object = queryFromInfo({ context, info, typeName: 'PaymentLink', path: ['paymentLink'] });
      return createPaymentLink(context, {
        ...input,
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
        read: (tx, id) =>
          tx.paymentLink.findUniqueOrThrow({ ...query, where: inTenant(id, context) } as FindLink) as Deed<MadeLink>,
      });
    },
  }),
);
