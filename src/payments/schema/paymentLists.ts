import { builder } from '../../graphql/builder.ts';
import { pageOf, pageQuery, SORT_KEY } from '../../graphql/connection.ts';
import { decodeGlobalId } from '../../kernel/ids.ts';
import { OrganizationRef } from '../../tenancy/schema/organizations.ts';
import { conditionsOfLinks, conditionsOfOrders, conditionsOfTransactions } from '../model/lists.ts';
import { PaymentLinkRef } from './links.ts';
import { PaymentLinkState, PaymentPricing } from './linkTerms.ts';
import {
  BlockchainTransactionConnection,
  BlockchainTransactionRef,
  PaymentOrderConnection,
  PaymentOrderException,
  PaymentOrderRef,
  PaymentOrderStatus,
} from './orders.ts';
import { PaymentRefundState } from './refunds.ts';
import { PaymentMatching } from './terms.ts';

// What an organization's people look through.

const PaymentLinkConnection = builder.connectionObject(
  { type: PaymentLinkRef, name: 'PaymentLinkConnection', description: 'A page of payment links.' },
  { name: 'PaymentLinkEdge', description: 'One payment link of a page.' },
);

const PaymentListOrder = builder.enumType('PaymentListOrder', {
  description: 'What comes first in a list.',
  values: {
    NEWEST: { description: 'What was made last.' },
    OLDEST: { description: 'What was made first.' },
  } as const,
});

const CREATED = {
  from: 'Only what was made at this moment or later.',
  until: 'Only what was made before this moment.',
} as const;

const PaymentLinkFilter = builder.inputType('PaymentLinkFilter', {
  description: 'Which links; each part that is given narrows it down.',
  fields: (t) => ({
    states: t.field({ type: [PaymentLinkState], description: 'Only links that are one of these at this moment.' }),
    pricing: t.field({ type: [PaymentPricing], description: 'Only links of one of these.' }),
    text: t.string({ description: 'Only links whose title or slug has this in it, whatever the case.' }),
    asset: t.string({ description: 'Only links that can be paid in this asset, by its CAIP-19 name.' }),
    createdBy: t.id({ description: 'Only links that this user has made.' }),
    createdFrom: t.field({ type: 'DateTime', description: CREATED.from }),
    createdUntil: t.field({ type: 'DateTime', description: CREATED.until }),
  }),
});

const PaymentOrderFilter = builder.inputType('PaymentOrderFilter', {
  description: 'Which orders; each part that is given narrows it down.',
  fields: (t) => ({
    statuses: t.field({ type: [PaymentOrderStatus], description: 'Only orders of one of these.' }),
    exceptions: t.field({ type: [PaymentOrderException], description: 'Only orders with at least one of these.' }),
    refunds: t.field({ type: [PaymentRefundState], description: 'Only orders of one of these.' }),
    paymentLink: t.id({ description: 'Only orders of this link.' }),
    payer: t.field({ type: 'Address', description: 'Only orders that this wallet is to pay.' }),
    asset: t.string({ description: 'Only orders in this asset, by its CAIP-19 name.' }),
    minUnits: t.field({ type: 'BigInt', description: 'Only orders of at least this, in the asset’s smallest units.' }),
    maxUnits: t.field({ type: 'BigInt', description: 'Only orders of at most this, in the asset’s smallest units.' }),
    payTo: t.field({ type: 'Address', description: 'Only orders that are paid to this account.' }),
    matching: t.field({
      type: [PaymentMatching],
      description: 'Only orders whose payment is known in one of these ways.',
    }),
    reference: t.field({
      type: 'Hex',
      description: 'Only the order of this reference: the sixteen bytes that the calldata of its payment ends with.',
    }),
    createdFrom: t.field({ type: 'DateTime', description: CREATED.from }),
    createdUntil: t.field({ type: 'DateTime', description: CREATED.until }),
  }),
});

const BlockchainTransactionFilter = builder.inputType('BlockchainTransactionFilter', {
  description: 'Which transfers; each part that is given narrows it down.',
  fields: (t) => ({
    hash: t.field({ type: 'Hex', description: 'Only transfers of this transaction.' }),
    sender: t.field({ type: 'Address', description: 'Only transfers from this account.' }),
    recipient: t.field({ type: 'Address', description: 'Only transfers to this account.' }),
    asset: t.string({ description: 'Only transfers of this asset, by its CAIP-19 name.' }),
    paymentOrder: t.id({ description: 'Only transfers that were credited to this order.' }),
    createdFrom: t.field({ type: 'DateTime', description: CREATED.from }),
    createdUntil: t.field({ type: 'DateTime', description: CREATED.until }),
  }),
});

/** An id that no row has: what is no id of the type is treated as one that names nothing. */
const NOTHING = '00000000-0000-0000-0000-000000000000';

function idOf(globalId: string | null | undefined, type: string): string | null {
  if (globalId == null) return null;
  const named = decodeGlobalId(globalId);
  return named?.type === type ? named.id : NOTHING;
}

builder.prismaObjectFields(OrganizationRef, (t) => ({
  paymentLinks: t.connection(
    {
      type: PaymentLinkRef,
      description: 'The organization’s payment links, the newest first unless something else is asked for.',
      args: {
        filter: t.arg({ type: PaymentLinkFilter, description: 'Which of them; all when absent.' }),
        orderBy: t.arg({ type: PaymentListOrder, defaultValue: 'NEWEST', description: 'What comes first.' }),
      },
      select: ({ filter, orderBy, ...page }, { clock }, nestedSelection) => {
        const query = pageQuery(page, { oldestFirst: orderBy === 'OLDEST' });
        const createdBy = idOf(filter?.createdBy, 'User');
        query.where.AND.push(...conditionsOfLinks({ ...filter, createdBy }, clock.now()));
        return { paymentLinks: { ...query, ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object) } };
      },
      resolve: ({ paymentLinks }, args) => pageOf(paymentLinks as never, args) as never,
    },
    PaymentLinkConnection,
  ),
  paymentOrders: t.connection(
    {
      type: PaymentOrderRef,
      description: 'All attempts to pay the organization, the newest first unless something else is asked for.',
      args: {
        filter: t.arg({ type: PaymentOrderFilter, description: 'Which of them; all when absent.' }),
        orderBy: t.arg({ type: PaymentListOrder, defaultValue: 'NEWEST', description: 'What comes first.' }),
      },
      select: ({ filter, orderBy, ...page }, _context, nestedSelection) => {
        const query = pageQuery(page, { oldestFirst: orderBy === 'OLDEST' });
        const paymentLink = idOf(filter?.paymentLink, 'PaymentLink');
        query.where.AND.push(...conditionsOfOrders({ ...filter, paymentLink }));
        return { paymentOrders: { ...query, ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object) } };
      },
      resolve: ({ paymentOrders }, args) => pageOf(paymentOrders as never, args) as never,
    },
    PaymentOrderConnection,
  ),
  blockchainTransactions: t.connection(
    {
      type: BlockchainTransactionRef,
      description:
        'The transfers that were credited to the organization’s orders, stand in its inbox or are refunds, the newest first.',
      args: { filter: t.arg({ type: BlockchainTransactionFilter, description: 'Which of them; all when absent.' }) },
      select: ({ filter, ...page }, _context, nestedSelection) => {
        const query = pageQuery(page);
        const paymentOrder = idOf(filter?.paymentOrder, 'PaymentOrder');
        query.where.AND.push(...conditionsOfTransactions({ ...filter, paymentOrder }));
        return {
          blockchainTransactions: { ...query, ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object) },
        };
      },
      resolve: ({ blockchainTransactions }, args) => pageOf(blockchainTransactions as never, args) as never,
    },
    BlockchainTransactionConnection,
  ),
}));
