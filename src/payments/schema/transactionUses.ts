import { builder } from '../../graphql/builder.ts';
import { BlockchainTransactionRef, PaymentOrderRef } from './orders.ts';
import { PaymentRefundRef } from './refunds.ts';
import { UnmatchedPaymentRef } from './unmatched.ts';

// What a transfer has come to, for whoever has found it by its hash.

builder.prismaObjectFields(BlockchainTransactionRef, (t) => ({
  paymentOrder: t.field({
    type: PaymentOrderRef,
    nullable: true,
    description: 'The order that it is credited to; null when it is to none, or the chain has taken it back.',
    select: (_args, _context, nestedSelection) => ({
      credits: { where: { reversedAt: null }, take: 1, select: { paymentOrder: nestedSelection() } },
    }),
    resolve: ({ credits }) => (credits[0]?.paymentOrder ?? null) as never,
  }),
  refund: t.field({
    type: PaymentRefundRef,
    nullable: true,
    description: 'The refund that it is; null when it is none.',
    select: (_args, _context, nestedSelection) => ({ refunds: { take: 1, ...(nestedSelection() as object) } }),
    resolve: ({ refunds }) => (refunds[0] ?? null) as never,
  }),
  unmatchedPayment: t.field({
    type: UnmatchedPaymentRef,
    nullable: true,
    description: 'Its entry in the inbox, whatever has become of that; null when it never stood there.',
    select: (_args, _context, nestedSelection) => ({ unmatched: { take: 1, ...(nestedSelection() as object) } }),
    resolve: ({ unmatched }) => (unmatched[0] ?? null) as never,
  }),
}));
