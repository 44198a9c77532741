import type { Context } from '../../context.ts';
import { builder } from '../../graphql/builder.ts';
import { pageOf, pageQuery, SORT_KEY } from '../../graphql/connection.ts';
import { inTenant } from '../../graphql/node.ts';
import { survivorOf, withSurvivor } from '../../identity/schema/survivors.ts';
import { UserRef } from '../../identity/schema/viewer.ts';
import { OrganizationRef } from '../../tenancy/schema/organizations.ts';
import { type CandidateOrder, findCandidateOrders } from '../commands/findCandidateOrders.ts';
import { conditionsOfUnmatched } from '../model/lists.ts';
import { PaymentOrderRef } from './orders.ts';

const UnmatchedPaymentStatus = builder.enumType('UnmatchedPaymentStatus', {
  description: 'What has become of money that no order took.',
  values: {
    OPEN: { description: 'Nobody has decided about it.' },
    ASSIGNED: { description: 'It was given to an order, by a member or because an order could take it after all.' },
    REFUNDED: { description: 'A refund of it was asked for; nothing else is done with it.' },
    IGNORED: { description: 'It was put aside; it can still be assigned or refunded.' },
    TAKEN: { description: 'Another organization that is paid at the same account has it.' },
    REVERSED: { description: 'The chain has taken it back.' },
  } as const,
});

const UnmatchedPaymentReason = builder.enumType('UnmatchedPaymentReason', {
  description: 'Why no order took a transfer, as far as the orders tell.',
  values: {
    WRONG_CHAIN: { description: 'Nothing is asked for on its chain, or its sender was to pay on another.' },
    WRONG_ASSET: { description: 'Nothing is asked for in its asset, or its sender was to pay in another.' },
    LATE: { description: 'It came when the order that it fits was over: by its time, or since it was called off.' },
    DUPLICATE: { description: 'The order that it fits had been paid already.' },
    UNKNOWN_SENDER: { description: 'Nobody has said that its sender would pay.' },
    AMBIGUOUS: { description: 'It fits an open order, and fits another or may be meant for it.' },
    NO_ORDER: { description: 'There is no order that it could be for.' },
  } as const,
});

const PaymentCandidateReason = builder.enumType('PaymentCandidateReason', {
  description: 'Why money in the inbox may have been meant for an order.',
  values: {
    REFERENCE: { description: 'Its transaction carries the order’s reference: it was meant for it.' },
    PAYER: { description: 'It came from the wallet that was to pay the order.' },
    AMOUNT: { description: 'It is about as much as the order asks for, or asked for.' },
  } as const,
});

type FindOrder = Parameters<Context['scope']['db']['paymentOrder']['findUniqueOrThrow']>[0];

const CandidateRef = builder.objectRef<CandidateOrder>('PaymentCandidate').implement({
  description: 'An order that money in the inbox may have been meant for. Its `status` tells why it did not take it.',
  fields: (t) => ({
    reason: t.expose('reason', { type: PaymentCandidateReason, description: 'What speaks for it.' }),
    paymentOrder: t.prismaField({
      type: PaymentOrderRef,
      description: 'The order.',
      resolve: (query, { orderId }, _args, context) =>
        context.scope.db.paymentOrder.findUniqueOrThrow({ ...query, where: inTenant(orderId, context) } as FindOrder),
    }),
  }),
});

/** Money that no order took, as the merchant sees it. */
export const UnmatchedPaymentRef = builder.prismaNode('UnmatchedPayment', {
  nullable: true,
  description:
    'A transfer to an account that the organization is paid at, and that no order took. Where several organizations are ' +
    'paid at it, each sees it, and the first that decides about it has it.',
  select: { organizationId: true, id: true },
  id: { resolve: ({ id }) => id },
  findUnique: inTenant,
  fields: (t) => ({
    status: t.expose('status', { type: UnmatchedPaymentStatus, description: 'What has become of it.' }),
    reason: t.expose('reason', { type: UnmatchedPaymentReason, description: 'Why no order took it.' }),
    transaction: t.relation('blockchainTransaction', { description: 'The transfer, as the chain has it.' }),
    candidates: t.field({
      type: [CandidateRef],
      description:
        'The orders that it was most likely meant for, the likeliest first, five at most. It can be given to one of its own asset.',
      resolve: ({ id }, _args, context) => findCandidateOrders(context, { id }),
    }),
    paymentOrder: t.relation('paymentOrder', { nullable: true, description: 'The order that it was given to.' }),
    needsReview: t.boolean({
      description: 'Whether the chain has taken it back, or made less of it, though its refund was sent already.',
      select: {
        status: true,
        blockchainTransaction: { select: { units: true } },
        refunds: { where: { status: { in: ['SENT', 'COMPLETED'] } }, select: { units: true } },
      },
      resolve: ({ status, blockchainTransaction, refunds }) =>
        refunds.some(
          ({ units }) =>
            status === 'REVERSED' || BigInt(units.toFixed()) > BigInt(blockchainTransaction.units.toFixed()),
        ),
    }),
    note: t.exposeString('note', { nullable: true, description: 'Why it was put aside.' }),
    resolvedBy: t.field({
      type: UserRef,
      nullable: true,
      description:
        'The member who decided, or who answers for the API key that did; null where nobody did, and for whoever may not read members.',
      select: (_args, _context, nestedSelection) => ({
        resolver: { select: { user: withSurvivor(nestedSelection()) } },
      }),
      resolve: ({ resolver }) => resolver && (survivorOf(resolver.user) as never),
    }),
    resolvedAt: t.expose('resolvedAt', { type: 'DateTime', nullable: true, description: 'When it was decided.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it came to stand in the inbox.' }),
  }),
});

const UnmatchedPaymentConnection = builder.connectionObject(
  { type: UnmatchedPaymentRef, name: 'UnmatchedPaymentConnection', description: 'A page of the inbox.' },
  { name: 'UnmatchedPaymentEdge', description: 'One entry of a page.' },
);

const UnmatchedPaymentFilter = builder.inputType('UnmatchedPaymentFilter', {
  description: 'Which entries are wanted: those that all of it is true of.',
  fields: (t) => ({
    status: t.field({ type: [UnmatchedPaymentStatus], description: 'Of one of these.' }),
    reason: t.field({ type: [UnmatchedPaymentReason], description: 'Of one of these.' }),
    sender: t.field({ type: 'Address', description: 'Sent from this account.' }),
    transactionHash: t.field({ type: 'Hex', description: 'Of this transaction.' }),
    asset: t.string({ description: 'Of this asset, by its CAIP-19 name.' }),
    createdFrom: t.field({ type: 'DateTime', description: 'That came to stand there at this moment or later.' }),
    createdUntil: t.field({ type: 'DateTime', description: 'That came to stand there before this moment.' }),
  }),
});

builder.prismaObjectFields(OrganizationRef, (t) => ({
  unmatchedPayments: t.connection(
    {
      type: UnmatchedPaymentRef,
      description:
        'The inbox: transfers to the organization’s accounts that no order took, the newest first. Needs the permission `payments:read`.',
      args: { filter: t.arg({ type: UnmatchedPaymentFilter, description: 'Which entries; all when absent.' }) },
      select: (args, _context, nestedSelection) => {
        const page = pageQuery(args);
        page.where.AND.push(...conditionsOfUnmatched(args.filter ?? {}));
        return {
          unmatchedPayments: { ...page, ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object) },
        };
      },
      resolve: ({ unmatchedPayments }, args) => pageOf(unmatchedPayments as never, args) as never,
    },
    UnmatchedPaymentConnection,
  ),
}));
