import type { Context } from '../../context.ts';
import { builder } from '../../graphql/builder.ts';
import { inTenant } from '../../graphql/node.ts';
import type { Done } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { decodeGlobalId } from '../../kernel/ids.ts';
import { assignUnmatchedPayment } from '../commands/assignUnmatchedPayment.ts';
import { cancelRefund } from '../commands/cancelRefund.ts';
import { confirmRefundDestination } from '../commands/confirmRefundDestination.ts';
import { ignoreUnmatchedPayment } from '../commands/ignoreUnmatchedPayment.ts';
import { refundUnmatchedPayment } from '../commands/refundUnmatchedPayment.ts';
import { requestRefund } from '../commands/requestRefund.ts';
import { setRefundDestination } from '../commands/setRefundDestination.ts';
import { CheckoutOrder, findCheckoutOrder } from './checkout.ts';
import { PaymentRefundRef } from './refunds.ts';
import { UnmatchedPaymentRef } from './unmatched.ts';

// What is done with money that is nobody's yet, and with money that goes back.

/** What names no such thing is answered as one that there is not. */
function readId(type: string, globalId: string): string | null {
  const named = decodeGlobalId(globalId);
  return named?.type === type ? named.id : null;
}

type FindUnmatched = Parameters<Context['scope']['db']['unmatchedPayment']['findUniqueOrThrow']>[0];
type FindRefund = Parameters<Context['scope']['db']['paymentRefund']['findUniqueOrThrow']>[0];

/** An entry of the inbox that was just decided about, for one mutation. */
function unmatchedPayload(name: string, description: string) {
  return builder.objectRef<Done<{ readonly id: string }>>(name).implement({
    description,
    fields: (t) => ({
      unmatchedPayment: t.prismaField({
        type: UnmatchedPaymentRef,
        description: 'The entry.',
        resolve: (query, { id }, _args, context) =>
          context.scope.db.unmatchedPayment.findUniqueOrThrow({
            ...query,
            where: inTenant(id, context),
          } as FindUnmatched),
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });
}

/** A refund that was just asked for or changed, for one mutation. */
function refundPayload(name: string, description: string) {
  return builder.objectRef<Done<{ readonly id: string }>>(name).implement({
    description,
    fields: (t) => ({
      refund: t.prismaField({
        type: PaymentRefundRef,
        description: 'The refund.',
        resolve: (query, { id }, _args, context) =>
          context.scope.db.paymentRefund.findUniqueOrThrow({
            ...query,
            where: inTenant(id, context),
          } as FindRefund),
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });
}

const AssignInput = builder.inputType('AssignUnmatchedPaymentInput', {
  description: 'Which money goes to which order.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The entry’s global id.' }),
    orderId: t.id({ required: true, description: 'The order’s global id; it must be paid in the transfer’s asset.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const IgnoreInput = builder.inputType('IgnoreUnmatchedPaymentInput', {
  description: 'Which money is put aside, and why.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The entry’s global id.' }),
    note: t.string({ required: true, description: 'Why; up to 1,000 characters.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const RefundUnmatchedInput = builder.inputType('RefundUnmatchedPaymentInput', {
  description: 'Which money goes back.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The entry’s global id.' }),
    reason: t.string({ description: 'Why; up to 500 characters.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const RequestRefundInput = builder.inputType('RequestRefundInput', {
  description: 'What of an order goes back.',
  fields: (t) => ({
    orderId: t.id({ required: true, description: 'The order’s global id.' }),
    amount: t.field({
      type: 'Decimal',
      description: 'How much, in whole tokens; all that was credited and is not being refunded when absent.',
    }),
    reason: t.string({ description: 'Why; up to 500 characters.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const SetDestinationInput = builder.inputType('SetRefundDestinationInput', {
  description: 'Where a refund goes, and why there.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The refund’s global id.' }),
    destination: t.field({ type: 'Address', required: true, description: 'The account that it goes to.' }),
    reason: t.string({ required: true, description: 'How it is known to be right; up to 500 characters.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const CancelRefundInput = builder.inputType('CancelRefundInput', {
  description: 'The refund to call off.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The refund’s global id.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const ConfirmDestinationInput = builder.inputType('ConfirmRefundDestinationInput', {
  description: 'Where a refund goes, signed by the account that has paid.',
  fields: (t) => ({
    token: t.string({ required: true, description: 'The order’s token.' }),
    refundId: t.id({ required: true, description: 'The refund’s id, as the order’s `refunds` show it.' }),
    destination: t.field({ type: 'Address', required: true, description: 'The account that it goes to.' }),
    signer: t.field({ type: 'Address', required: true, description: 'The account that has paid and signs.' }),
    signature: t.field({ type: 'Hex', required: true, description: 'Its signature of the refund’s `message`.' }),
  }),
});

const ConfirmDestinationPayload = builder
  .objectRef<{ readonly token: string; readonly refundId: string }>('ConfirmRefundDestinationPayload')
  .implement({
    description: 'A refund whose destination was just said.',
    fields: (t) => ({
      checkoutOrder: t.prismaField({
        type: CheckoutOrder,
        description: 'The order that it is of, as its payer sees it.',
        resolve: async (query, { token }, _args, context) => {
          const order = await findCheckoutOrder(context, token, query);
          if (!order) throw new Error('An order whose refund was just changed cannot be found by its token.');
          return order;
        },
      }),
    }),
  });

builder.mutationFields((t) => ({
  assignUnmatchedPayment: t.field({
    type: unmatchedPayload('AssignUnmatchedPaymentPayload', 'Money that has found its order.'),
    description:
      'Gives money of the inbox to an order; it is credited with the worker’s next round. Needs the permission `payments:write`, and a fresh proof where the organization asks for one.',
    args: { input: t.arg({ type: AssignInput, required: true, description: 'Which goes where.' }) },
    resolve: (_root, { input }, context, info) =>
      assignUnmatchedPayment(context, {
        id: readId('UnmatchedPayment', input.id),
        orderId: readId('PaymentOrder', input.orderId),
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      }),
  }),
  ignoreUnmatchedPayment: t.field({
    type: unmatchedPayload('IgnoreUnmatchedPaymentPayload', 'Money that was put aside.'),
    description:
      'Puts money of the inbox aside. Needs the permission `payments:write`, and a fresh proof where the organization asks for one.',
    args: { input: t.arg({ type: IgnoreInput, required: true, description: 'Which, and why.' }) },
    resolve: (_root, { input }, context, info) =>
      ignoreUnmatchedPayment(context, {
        id: readId('UnmatchedPayment', input.id),
        note: input.note,
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      }),
  }),
  refundUnmatchedPayment: t.field({
    type: refundPayload('RefundUnmatchedPaymentPayload', 'A refund that was asked for.'),
    description:
      'Asks for a refund of money of the inbox, all of it. Needs the permission `payments:write`, and a fresh proof where the organization asks for one.',
    args: { input: t.arg({ type: RefundUnmatchedInput, required: true, description: 'Which.' }) },
    resolve: (_root, { input }, context, info) =>
      refundUnmatchedPayment(context, {
        id: readId('UnmatchedPayment', input.id),
        reason: input.reason,
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      }),
  }),
  requestRefund: t.field({
    type: refundPayload('RequestRefundPayload', 'A refund that was asked for.'),
    description:
      'Asks for a refund of an order, and reserves it: never more than what was credited. Needs the permission `payments:write`, and a fresh proof where the organization asks for one.',
    args: { input: t.arg({ type: RequestRefundInput, required: true, description: 'What of which order.' }) },
    resolve: (_root, { input }, context, info) =>
      requestRefund(context, {
        orderId: readId('PaymentOrder', input.orderId),
        amount: input.amount,
        reason: input.reason,
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      }),
  }),
  setRefundDestination: t.field({
    type: refundPayload('SetRefundDestinationPayload', 'A refund that waits for its transfer.'),
    description:
      'Says where a refund goes, once and for good; for owners. Needs the permission `payments:write`, and a fresh proof where the organization asks for one.',
    args: { input: t.arg({ type: SetDestinationInput, required: true, description: 'Where, and why there.' }) },
    resolve: (_root, { input }, context, info) =>
      setRefundDestination(context, {
        id: readId('PaymentRefund', input.id),
        destination: input.destination,
        reason: input.reason,
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      }),
  }),
  cancelRefund: t.field({
    type: refundPayload('CancelRefundPayload', 'A refund that was called off.'),
    description:
      'Calls off a refund of which no transfer was seen yet; one whose destination is known is off once every block up to this moment was read (`waitsFor`: `CALL_OFF`). Needs the permission `payments:write`, and a fresh proof where the organization asks for one.',
    args: { input: t.arg({ type: CancelRefundInput, required: true, description: 'Which.' }) },
    resolve: (_root, { input }, context, info) =>
      cancelRefund(context, {
        id: readId('PaymentRefund', input.id),
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      }),
  }),
  confirmRefundDestination: t.field({
    type: ConfirmDestinationPayload,
    description:
      'Says where a refund of one’s own order goes, once and for good. Needs no session, and the signature of the account that alone has paid.',
    args: { input: t.arg({ type: ConfirmDestinationInput, required: true, description: 'Where, and the signature.' }) },
    resolve: (_root, { input }, context) =>
      confirmRefundDestination(context, {
        token: input.token,
        refundId: readId('PaymentRefund', input.refundId),
        destination: input.destination,
        signer: input.signer,
        signature: input.signature,
      }),
  }),
}));
