import { builder } from '../../graphql/builder.ts';
import { inTenant } from '../../graphql/node.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { decodeGlobalId } from '../../kernel/ids.ts';
import { followOrders } from '../commands/followOrders.ts';
import { watchCheckoutOrder } from '../commands/watchCheckoutOrder.ts';
import { watchOrder } from '../commands/watchOrder.ts';
import { CheckoutOrder, findCheckoutOrder } from './checkout.ts';
import { PaymentOrderRef } from './orders.ts';

/** An id that no row has: what is no id of the type is treated as one that names nothing. */
const NOTHING = '00000000-0000-0000-0000-000000000000';

function idOf(globalId: string, type: string): string {
  const named = decodeGlobalId(globalId);
  return named?.type === type ? named.id : NOTHING;
}

builder.subscriptionFields((t) => ({
  paymentOrderChanged: t.prismaField({
    type: PaymentOrderRef,
    nullable: true,
    description:
      'One order, at once and again whenever it has changed, as it is by then; null, and over, when there is none that ' +
      'the viewer may see. Without an id each order of the organization that something happens to from now on. Needs ' +
      'the permission `payments:read`; ends with the code that the next request would get.',
    args: {
      orderId: t.arg.id({ description: 'The order; all when absent.' }),
      paymentLinkId: t.arg.id({ description: 'Only orders of this link; not beside an order.' }),
    },
    subscribe: (_root, { orderId, paymentLinkId }, context) => {
      if (orderId == null) {
        return followOrders(context, {
          paymentLinkId: paymentLinkId == null ? null : idOf(paymentLinkId, 'PaymentLink'),
        });
      }
      if (paymentLinkId != null) throw kernelErrors.BAD_USER_INPUT({ argument: 'paymentLinkId', expected: 'none' });
      return watchOrder(context, { orderId: idOf(orderId, 'PaymentOrder') });
    },
    resolve: (query, changed, { orderId }, context) =>
      context.scope.db.paymentOrder.findUnique({
        ...query,
        where: inTenant(orderId == null ? changed : idOf(orderId, 'PaymentOrder'), context),
      }),
  }),
  checkoutOrderChanged: t.prismaField({
    type: CheckoutOrder,
    nullable: true,
    description:
      'One’s own attempt to pay, by its token: at once and again whenever it or a refund of it has changed, until nothing ' +
      'can follow and no refund is open; null, and over, when there is none. Needs no session.',
    args: { token: t.arg.string({ required: true, description: 'The order’s token.' }) },
    subscribe: (_root, args, context) => watchCheckoutOrder(context, args),
    resolve: (query, _version, { token }, context) => findCheckoutOrder(context, token, query),
  }),
}));
