import type { GraphQLResolveInfo } from 'graphql';
import type { Context } from '../../context.ts';
import { builder } from '../../graphql/builder.ts';
import { inTenant } from '../../graphql/node.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { decodeGlobalId } from '../../kernel/ids.ts';
import { acceptUnderpaid } from '../commands/acceptUnderpaid.ts';
import { cancelCheckoutOrder } from '../commands/cancelCheckoutOrder.ts';
import { cancelPaymentOrder } from '../commands/cancelPaymentOrder.ts';
import { claimPayment } from '../commands/claimPayment.ts';
import { CheckoutOrder, findCheckoutOrder } from './checkout.ts';
import { PaymentOrderRef } from './orders.ts';

// What is done to orders that are there already: by members, by their ids, and by payers, by their tokens.

interface OrderInput {
  readonly id: string;
  readonly idempotencyKey?: string | null | undefined;
}

const idOf = (globalId: string): string | null => {
  const named = decodeGlobalId(globalId);
  return named?.type === 'PaymentOrder' ? named.id : null;
};

/** What names no order is answered as one that the organization has not. */
function readOrder(
  { id, idempotencyKey }: OrderInput,
  context: Context,
  info: GraphQLResolveInfo,
): { readonly id: string | null; readonly idempotencyKey: GivenKey | null } {
  return { id: idOf(id), idempotencyKey: givenKey(idempotencyKey, context, info) };
}

type FindOrder = Parameters<Context['scope']['db']['paymentOrder']['findUniqueOrThrow']>[0];

/** An order that was just changed by a member, for one mutation. */
function orderPayload(name: string, description: string) {
  return builder.objectRef<Done<{ readonly id: string }>>(name).implement({
    description,
    fields: (t) => ({
      paymentOrder: t.prismaField({
        type: PaymentOrderRef,
        description: 'The order, as it is now.',
        resolve: (query, { id }, _args, context) =>
          context.scope.db.paymentOrder.findUniqueOrThrow({ ...query, where: inTenant(id, context) } as FindOrder),
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });
}

function orderInput(name: string, description: string) {
  return builder.inputType(name, {
    description,
    fields: (t) => ({
      id: t.id({ required: true, description: 'The order’s global id.' }),
      idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
    }),
  });
}

const CancelPaymentOrderInput = orderInput('CancelPaymentOrderInput', 'The order to call off.');
const AcceptUnderpaidInput = orderInput('AcceptUnderpaidInput', 'The order whose part is to be enough.');

const CancelCheckoutOrderInput = builder.inputType('CancelCheckoutOrderInput', {
  description: 'The payer’s own order to call off.',
  fields: (t) => ({ token: t.string({ required: true, description: 'The order’s token.' }) }),
});

const ClaimPaymentInput = builder.inputType('ClaimPaymentInput', {
  description: 'Which transaction pays which order. The order is named by its payer’s token, or by a member by its id.',
  fields: (t) => ({
    token: t.string({ description: 'The order’s token, for its payer.' }),
    orderId: t.id({ description: 'The order’s global id, for a member.' }),
    transactionHash: t.field({ type: 'Hex', required: true, description: 'The transaction’s hash.' }),
    signature: t.field({
      type: 'Hex',
      description:
        'The signature of the order’s `claimMessage` by whoever sent the transfer: the transfer’s `from`. A member needs none.',
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

/** An order that its payer named, by the token. */
async function ofPayer(context: Context, token: string, query: object): Promise<never> {
  const order = await findCheckoutOrder(context, token, query);
  if (!order) throw new Error('An order that was just changed cannot be found by its token.');
  return order as never;
}

const CancelCheckoutOrderPayload = builder
  .objectRef<{ readonly token: string }>('CancelCheckoutOrderPayload')
  .implement({
    description: 'An order that its payer called off.',
    fields: (t) => ({
      checkoutOrder: t.prismaField({
        type: CheckoutOrder,
        description: 'The order, as its payer sees it.',
        resolve: (query, { token }, _args, context) => ofPayer(context, token, query),
      }),
    }),
  });

const ClaimPaymentPayload = builder
  .objectRef<Done<{ readonly orderId: string; readonly token: string | null }>>('ClaimPaymentPayload')
  .implement({
    description: 'A transaction that was claimed for an order; it is credited within moments.',
    fields: (t) => ({
      paymentOrder: t.prismaField({
        type: PaymentOrderRef,
        nullable: true,
        description: 'The order, where a member named it.',
        resolve: async (query, { orderId, token }, _args, context) =>
          token === null
            ? context.scope.db.paymentOrder.findUniqueOrThrow({
                ...query,
                where: inTenant(orderId, context),
              } as FindOrder)
            : null,
      }),
      checkoutOrder: t.prismaField({
        type: CheckoutOrder,
        nullable: true,
        description: 'The order, where its payer named it.',
        resolve: async (query, { token }, _args, context) => (token === null ? null : ofPayer(context, token, query)),
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });

builder.mutationFields((t) => ({
  cancelPaymentOrder: t.field({
    type: orderPayload('CancelPaymentOrderPayload', 'An order that was called off.'),
    description:
      'Calls off an order that nothing has arrived for; what comes for it all the same waits in the inbox, and can be assigned to it. Needs the permission `payments:write`.',
    args: { input: t.arg({ type: CancelPaymentOrderInput, required: true, description: 'The order.' }) },
    resolve: (_root, { input }, context, info) => cancelPaymentOrder(context, readOrder(input, context, info)),
  }),
  acceptUnderpaid: t.field({
    type: orderPayload('AcceptUnderpaidPayload', 'An order whose part is enough now.'),
    description:
      'Lets the part that came for an expired order be enough: it is paid once that part is as final as the order asks for. Needs the permission `payments:write`.',
    args: { input: t.arg({ type: AcceptUnderpaidInput, required: true, description: 'The order.' }) },
    resolve: (_root, { input }, context, info) => acceptUnderpaid(context, readOrder(input, context, info)),
  }),
  cancelCheckoutOrder: t.field({
    type: CancelCheckoutOrderPayload,
    description: 'Calls off one’s own order that nothing has arrived for, by its token. Needs no session.',
    args: { input: t.arg({ type: CancelCheckoutOrderInput, required: true, description: 'The order.' }) },
    resolve: (_root, { input }, context) => cancelCheckoutOrder(context, input),
  }),
  claimPayment: t.field({
    type: ClaimPaymentPayload,
    description:
      'Has the transfers of a transaction to the order’s payee, in its asset, credited to it: for a payer with a signature of whoever sent them and no session, for a member with the permission `payments:write`. They are newer than the order and count for nothing else.',
    args: { input: t.arg({ type: ClaimPaymentInput, required: true, description: 'The transaction and the order.' }) },
    resolve: async (_root, { input }, context, info) => {
      const { token = null, orderId = null, transactionHash, signature = null } = input;
      if ((token === null) === (orderId === null)) {
        throw kernelErrors.BAD_USER_INPUT({ input: 'token, orderId', expected: 'one of them' });
      }
      const idempotencyKey = givenKey(input.idempotencyKey, context, info);
      const named = { token, orderId: orderId === null ? null : idOf(String(orderId)) };
      return { ...(await claimPayment(context, { ...named, transactionHash, signature, idempotencyKey })), token };
    },
  }),
}));
