import type { Context } from '../../context.ts';
import { builder } from '../../graphql/builder.ts';
import { pageOf, pageQuery, SORT_KEY } from '../../graphql/connection.ts';
import { inTenant } from '../../graphql/node.ts';
import { survivorOf, withSurvivor } from '../../identity/schema/survivors.ts';
import { UserRef } from '../../identity/schema/viewer.ts';
import { OrganizationRef } from '../../tenancy/schema/organizations.ts';
import { findCandidateOrders } from '../commands/findCandidateOrders.ts';
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
    LATE: { description: 'It came after the time of the order that it fits.' },
    DUPLICATE: { description: 'The order that it fits had been paid already.' },
    UNKNOWN_SENDER: { description: 'Nobody has said that its sender would pay.' },
    AMBIGUOUS: { description: 'It fits an open order, and fits another or may be meant for it.' },
    NO_ORDER: { description: 'There is no order that it could be for.' },
  } as const,
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
    candidates: t.prismaField({
      type: [PaymentOrderRef],
      description:
        'The orders that it was most likely meant for, the likeliest first, five at most. It can be given to one of its own asset.',
      resolve: (query, { id }, _args, context) => findCandidates(context, id, query) as never,
    }),
    paymentOrder: t.relation('paymentOrder', { nullable: true, description: 'The order that it was given to.' }),
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

/** The candidates, in the order of their likelihood. */
async function findCandidates(context: Context, id: string, query: object): Promise<object[]> {
  const ids = await findCandidateOrders(context, { id });
  const found = (await context.scope.db.paymentOrder.findMany({
    ...query,
    where: { id: { in: [...ids] } },
  } as never)) as unknown as { readonly id: string }[];
  const place = ({ id }: { readonly id: string }): number => ids.indexOf(id);
  return found.sort((one, other) => place(one) - place(other));
}

const UnmatchedPaymentConnection = builder.connectionObject(
  { type: UnmatchedPaymentRef, name: 'UnmatchedPaymentConnection', description: 'A page of the inbox.' },
  { name: 'UnmatchedPaymentEdge', description: 'One entry of a page.' },
);

const UnmatchedPaymentFilter = builder.inputType('UnmatchedPaymentFilter', {
  description: 'Which entries are wanted: those that all of it is true of.',
  fields: (t) => ({
    status: t.field({ type: [UnmatchedPaymentStatus], description: 'Of one of these.' }),
    reason: t.field({ type: [UnmatchedPaymentReason], description: 'Of one of these.' }),
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
        const { status, reason } = args.filter ?? {};
        const page = pageQuery(args);
        if (status) page.where.AND.push({ status: { in: status } });
        if (reason) page.where.AND.push({ reason: { in: reason } });
        return {
          unmatchedPayments: { ...page, ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object) },
        };
      },
      resolve: ({ unmatchedPayments }, args) => pageOf(unmatchedPayments as never, args) as never,
    },
    UnmatchedPaymentConnection,
  ),
}));
