import { bytesToHex } from 'viem';
import { builder } from '../../graphql/builder.ts';
import { pageOf, pageQuery, SORT_KEY } from '../../graphql/connection.ts';
import { inTenant } from '../../graphql/node.ts';
import { survivorOf, withSurvivor } from '../../identity/schema/survivors.ts';
import { UserRef } from '../../identity/schema/viewer.ts';
import { encodeGlobalId } from '../../kernel/ids.ts';
import { showUnits } from '../../kernel/money.ts';
import { OrganizationRef } from '../../tenancy/schema/organizations.ts';
import { conditionsOfRefunds } from '../model/lists.ts';
import { refundMessage } from '../model/refunds.ts';
import { CheckoutOrder } from './checkout.ts';
import { MOST_SHOWN, PaymentOrderRef } from './orders.ts';
import { UnmatchedPaymentRef } from './unmatched.ts';

const PaymentRefundStatus = builder.enumType('PaymentRefundStatus', {
  description: 'How far a refund has come.',
  values: {
    REQUESTED: { description: 'It is reserved; where it goes is still to be said.' },
    PENDING: { description: 'Where it goes is known; the transfer is awaited.' },
    SENT: { description: 'The transfer was seen; blocks on top of it are awaited.' },
    COMPLETED: { description: 'The transfer is as final as it has to be.' },
    CANCELED: { description: 'It was called off before a transfer was seen.' },
  } as const,
});

const PaymentRefundCause = builder.enumType('PaymentRefundCause', {
  description: 'Why there is a refund.',
  values: {
    MEMBER: { description: 'A member, or an API key, has asked for it.' },
    SURPLUS: { description: 'The order’s terms give back what came beyond what was due.' },
    PART: { description: 'The order’s terms give back a part that was not enough until the deadline.' },
    LATE: { description: 'The order’s terms give back what came late.' },
  } as const,
});

const PaymentRefundDestinationSource = builder.enumType('PaymentRefundDestinationSource', {
  description: 'Who has said where a refund goes.',
  values: {
    SENDER: { description: 'The account whose transfers were credited, by its signature.' },
    OWNER: { description: 'An owner of the organization, with a reason.' },
  } as const,
});

/** What has become of the refunds of an order. */
export const PaymentRefundState = builder.enumType('PaymentRefundState', {
  description: 'What has become of an order’s refunds, as one word.',
  values: {
    NONE: { description: 'Nothing was refunded, and nothing is to be.' },
    PENDING: { description: 'A refund is not done yet.' },
    PARTIAL: { description: 'A part of what was credited was refunded.' },
    FULL: { description: 'All that was credited was refunded.' },
  } as const,
});

/** What goes back, as the merchant sees it. */
export const PaymentRefundRef = builder.prismaNode('PaymentRefund', {
  nullable: true,
  description:
    'What goes back of an order, or of money that no order took. The gateway moves nothing: the wallet that was paid ' +
    'sends it, and the chain says that it was done.',
  select: { organizationId: true, id: true },
  id: { resolve: ({ id }) => id },
  findUnique: inTenant,
  fields: (t) => ({
    status: t.expose('status', { type: PaymentRefundStatus, description: 'How far it has come.' }),
    cause: t.expose('cause', { type: PaymentRefundCause, description: 'Why there is one.' }),
    reason: t.exposeString('reason', { nullable: true, description: 'What whoever asked for it said.' }),
    paymentOrder: t.relation('paymentOrder', { nullable: true, description: 'The order that it is of, if it is one.' }),
    unmatchedPayment: t.relation('unmatchedPayment', {
      nullable: true,
      description: 'The entry of the inbox that it is of, if it is one.',
    }),
    asset: t.relation('asset', { description: 'What goes back.' }),
    amount: t.field({
      type: 'Decimal',
      description: 'How much, in whole tokens, exactly.',
      select: { units: true, asset: { select: { decimals: true } } },
      resolve: ({ units, asset }) => showUnits(units, asset),
    }),
    units: t.field({
      type: 'BigInt',
      description:
        'How much, in the asset’s smallest units; exactly so much is to be sent, whatever fee the token takes of it.',
      select: { units: true },
      resolve: ({ units }) => units,
    }),
    payFrom: t.expose('payFrom', {
      type: 'Address',
      description: 'The account that the money came to, and that has to send it back.',
    }),
    destination: t.expose('destination', {
      type: 'Address',
      nullable: true,
      description:
        'Where it goes; null until that was said. It is never taken from a transfer: the sender may be an exchange.',
    }),
    destinationSource: t.expose('destinationSource', {
      type: PaymentRefundDestinationSource,
      nullable: true,
      description: 'Who has said where it goes.',
    }),
    destinationReason: t.exposeString('destinationReason', {
      nullable: true,
      description: 'Why an owner has said so.',
    }),
    requestedBy: t.field({
      type: UserRef,
      nullable: true,
      description:
        'Who has asked for it, or answers for the API key that did; null where the order’s terms did, and for whoever may not read members.',
      select: (_args, _context, nestedSelection) => ({
        requester: { select: { user: withSurvivor(nestedSelection()) } },
      }),
      resolve: ({ requester }) => requester && (survivorOf(requester.user) as never),
    }),
    transaction: t.relation('blockchainTransaction', {
      nullable: true,
      description:
        'The transfer that it is; null until it was seen. Of a token that takes a fee, less has arrived than was sent.',
    }),
    completedAt: t.expose('completedAt', { type: 'DateTime', nullable: true, description: 'When it was done.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked for.' }),
  }),
});

const PaymentRefundConnection = builder.connectionObject(
  { type: PaymentRefundRef, name: 'PaymentRefundConnection', description: 'A page of refunds.' },
  { name: 'PaymentRefundEdge', description: 'One refund of a page.' },
);

builder.prismaObjectFields(PaymentOrderRef, (t) => ({
  refund: t.expose('refund', { type: PaymentRefundState, description: 'What has become of its refunds.' }),
  refunds: t.connection(
    {
      type: PaymentRefundRef,
      description: 'Its refunds, the newest first.',
      select: (args, _context, nestedSelection) => ({
        refunds: { ...pageQuery(args), ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object) },
      }),
      resolve: ({ refunds }, args) => pageOf(refunds as never, args) as never,
    },
    PaymentRefundConnection,
  ),
}));

const PaymentRefundFilter = builder.inputType('PaymentRefundFilter', {
  description: 'Which refunds; each part that is given narrows it down.',
  fields: (t) => ({
    statuses: t.field({ type: [PaymentRefundStatus], description: 'Only refunds of one of these.' }),
    causes: t.field({ type: [PaymentRefundCause], description: 'Only refunds of one of these.' }),
    destination: t.field({ type: 'Address', description: 'Only refunds that go to this account.' }),
    asset: t.string({ description: 'Only refunds of this asset, by its CAIP-19 name.' }),
    createdFrom: t.field({ type: 'DateTime', description: 'Only what was asked for at this moment or later.' }),
    createdUntil: t.field({ type: 'DateTime', description: 'Only what was asked for before this moment.' }),
  }),
});

builder.prismaObjectFields(UnmatchedPaymentRef, (t) => ({
  refund: t.field({
    type: PaymentRefundRef,
    nullable: true,
    description: 'The refund of it that was asked for and not called off; `cancelRefund` calls it off.',
    select: (_args, _context, nestedSelection) => ({
      refunds: {
        where: { status: { not: 'CANCELED' } },
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
        take: 1,
        ...(nestedSelection() as object),
      },
    }),
    resolve: ({ refunds }) => (refunds[0] ?? null) as never,
  }),
}));

builder.prismaObjectFields(OrganizationRef, (t) => ({
  paymentRefunds: t.connection(
    {
      type: PaymentRefundRef,
      description: 'All refunds of the organization, the newest first. Needs the permission `payments:read`.',
      args: { filter: t.arg({ type: PaymentRefundFilter, description: 'Which of them; all when absent.' }) },
      select: (args, _context, nestedSelection) => {
        const page = pageQuery(args);
        page.where.AND.push(...conditionsOfRefunds(args.filter ?? {}));
        return { paymentRefunds: { ...page, ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object) } };
      },
      resolve: ({ paymentRefunds }, args) => pageOf(paymentRefunds as never, args) as never,
    },
    PaymentRefundConnection,
  ),
}));

/** A refund as the payer of its order sees it. */
const CheckoutRefund = builder.prismaObject('PaymentRefund', {
  variant: 'CheckoutRefund',
  description: 'What goes back to a payer.',
  select: { organizationId: true, id: true },
  fields: (t) => ({
    id: t.id({
      description: 'Its global id, for `confirmRefundDestination`.',
      resolve: ({ id }) => encodeGlobalId('PaymentRefund', id),
    }),
    status: t.expose('status', { type: PaymentRefundStatus, description: 'How far it has come.' }),
    asset: t.relation('asset', { description: 'What goes back.' }),
    amount: t.field({
      type: 'Decimal',
      description: 'How much, in whole tokens, exactly.',
      select: { units: true, asset: { select: { decimals: true } } },
      resolve: ({ units, asset }) => showUnits(units, asset),
    }),
    destination: t.expose('destination', {
      type: 'Address',
      nullable: true,
      description: 'Where it goes; null until that was said.',
    }),
    message: t.string({
      description:
        'What the account that has paid signs with personal_sign to say where it goes, for `confirmRefundDestination`.',
      args: { destination: t.arg({ type: 'Address', required: true, description: 'Where it is to go.' }) },
      select: {
        units: true,
        asset: { select: { caip19: true, chainId: true, decimals: true } },
        paymentOrder: { select: { reference: true } },
      },
      resolve: ({ id, units, asset, paymentOrder }, { destination }, { publicUrl }) =>
        refundMessage({
          publicUrl,
          refundId: id,
          reference: bytesToHex(paymentOrder?.reference ?? new Uint8Array()),
          amount: showUnits(units, asset),
          asset: asset.caip19,
          chainId: Number(asset.chainId),
          destination,
        }),
    }),
  }),
});

builder.prismaObjectFields(CheckoutOrder, (t) => ({
  refunds: t.field({
    type: [CheckoutRefund],
    description: 'What goes back of it, a hundred at most, in the order in which it was asked for.',
    select: (_args, _context, nestedSelection) => ({
      refunds: { orderBy: { createdAt: 'asc' }, take: MOST_SHOWN, ...(nestedSelection() as object) },
    }),
    resolve: ({ refunds }) => refunds as never,
  }),
}));
