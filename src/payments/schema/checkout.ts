import type { Context } from '../../context.ts';
import { builder } from '../../graphql/builder.ts';
import type { Done } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { fromUnits } from '../../kernel/money.ts';
import { createPaymentOrder } from '../commands/createPaymentOrder.ts';
import { type PaymentRequest, paymentRequest } from '../model.ts';
import { PaymentLinkStatus } from './links.ts';
import { BlockchainTransactionStatus, PaymentOrderStatus } from './orders.ts';

// The payer's side: without a session, by the slug or the token that was given out, and only what a payer needs.

const Checkout = builder.prismaObject('PaymentLink', {
  variant: 'Checkout',
  description: 'A payment link as a payer sees it.',
  select: { organizationId: true, id: true },
  fields: (t) => ({
    slug: t.exposeString('slug', { description: 'The link’s name in addresses.' }),
    title: t.exposeString('title', { description: 'What it is for.' }),
    description: t.exposeString('description', { nullable: true, description: 'More about what it is for.' }),
    status: t.expose('status', { type: PaymentLinkStatus, description: 'Whether it takes payments.' }),
    organizationName: t.string({
      description: 'Who is paid.',
      select: { organization: { select: { name: true } } },
      resolve: ({ organization }) => organization.name,
    }),
    accepts: t.relation('accepts', { description: 'The ways to pay it.', query: { orderBy: { position: 'asc' } } }),
  }),
});

const PaymentRequestRef = builder.objectRef<PaymentRequest>('PaymentRequest').implement({
  description: 'The transaction that pays an order, ready for a wallet.',
  fields: (t) => ({
    chainId: t.exposeInt('chainId', { description: 'The chain to send it on.' }),
    to: t.expose('to', { type: 'Address', description: 'Whom to send it to: the token’s contract, or the payee.' }),
    value: t.expose('value', {
      type: 'BigInt',
      description: 'The native coin to send with it, in its smallest units.',
    }),
    data: t.expose('data', {
      type: 'Hex',
      description: 'The calldata; it ends with the order’s reference, by which the payment is recognised.',
    }),
    eip681: t.exposeString('eip681', {
      description: 'The same as an EIP-681 link, for a QR code; it cannot carry the reference.',
    }),
  }),
});

const AmountDue = builder.prismaObject('PaymentOrder', {
  variant: 'AmountDue',
  description: 'What is to be paid.',
  select: { organizationId: true, id: true },
  fields: (t) => ({
    asset: t.relation('asset', { description: 'What to pay in.' }),
    amount: t.field({
      type: 'Decimal',
      description: 'How much, in whole tokens, exactly.',
      select: { dueUnits: true, asset: { select: { decimals: true } } },
      resolve: ({ dueUnits, asset }) => fromUnits(BigInt(dueUnits.toFixed()), asset.decimals),
    }),
    units: t.expose('dueUnits', { type: 'BigInt', description: 'How much, in the asset’s smallest units.' }),
  }),
});

const PaidTransaction = builder.prismaObject('BlockchainTransaction', {
  variant: 'CheckoutTransaction',
  description: 'A transfer that was credited to the payer’s order.',
  select: { organizationId: true, id: true },
  fields: (t) => ({
    hash: t.field({
      type: 'Hex',
      description: 'The transaction’s hash.',
      select: { hash: true },
      resolve: ({ hash }) => hash,
    }),
    status: t.expose('status', { type: BlockchainTransactionStatus, description: 'Whether the chain still has it.' }),
  }),
});

const CheckoutOrder = builder.prismaObject('PaymentOrder', {
  variant: 'CheckoutOrder',
  description: 'One attempt to pay, as its payer sees it.',
  select: { organizationId: true, id: true },
  fields: (t) => ({
    token: t.string({
      description: 'The payer’s handle of this order: whoever holds it can see the order.',
      resolve: (order) => tokenOf(order),
    }),
    status: t.expose('status', { type: PaymentOrderStatus, description: 'How far it has come.' }),
    due: t.variant(AmountDue, { description: 'What is to be paid.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it can be paid, by block time.' }),
    paymentRequest: t.field({
      type: PaymentRequestRef,
      description: 'The transaction that pays it.',
      select: {
        dueUnits: true,
        payTo: true,
        reference: true,
        asset: { select: { address: true, chainId: true } },
      },
      resolve: ({ dueUnits, payTo, reference, asset }) =>
        paymentRequest({
          chainId: Number(asset.chainId),
          token: asset.address,
          payTo,
          units: BigInt(dueUnits.toFixed()),
          reference,
        }),
    }),
    transactions: t.field({
      type: [PaidTransaction],
      description: 'The transfers that were credited to it.',
      select: (_args, _context, nestedSelection) => ({
        credits: { orderBy: { createdAt: 'asc' }, select: { blockchainTransaction: nestedSelection() } },
      }),
      resolve: ({ credits }) => credits.map(({ blockchainTransaction }) => blockchainTransaction),
    }),
  }),
});

/** Orders carry the token that they were found by only while one request lasts: the database has its hash alone. */
const tokens = new WeakMap<object, string>();

function tokenOf(order: object): string {
  const token = tokens.get(order);
  if (token === undefined) throw new Error('A payer’s order was loaded without its token.');
  return token;
}

async function findCheckoutOrder(context: Context, token: string, query: object): Promise<FoundOrder | null> {
  const scope = context.handleScope('payment-order', token);
  const order = (await scope.db.paymentOrder.findFirst(query as never)) as FoundOrder | null;
  if (order) tokens.set(order, token);
  return order;
}

type FoundOrder = Awaited<ReturnType<Context['scope']['db']['paymentOrder']['findFirstOrThrow']>>;

builder.queryFields((t) => ({
  checkout: t.prismaField({
    type: Checkout,
    nullable: true,
    description: 'A payment link by its slug; null when there is none. Needs no session.',
    args: { slug: t.arg.string({ required: true, description: 'The link’s slug.' }) },
    resolve: (query, _root, { slug }, context) =>
      context.handleScope('payment-link', slug).db.paymentLink.findFirst(query as never) as never,
  }),
  checkoutOrder: t.prismaField({
    type: CheckoutOrder,
    nullable: true,
    description: 'One’s own attempt to pay, by its token; null when there is none. Needs no session.',
    args: { token: t.arg.string({ required: true, description: 'The order’s token.' }) },
    resolve: (query, _root, { token }, context) => findCheckoutOrder(context, token, query),
  }),
}));

const CreatePaymentOrderInput = builder.inputType('CreatePaymentOrderInput', {
  description: 'What a payer chooses.',
  fields: (t) => ({
    slug: t.string({ required: true, description: 'The link’s slug.' }),
    asset: t.string({ description: 'The CAIP-19 name of what to pay in; needed when the link accepts several.' }),
    payer: t.field({ type: 'Address', description: 'The wallet that will pay; payments are matched by it.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const CreatePaymentOrderPayload = builder.objectRef<Done<{ token: string }>>('CreatePaymentOrderPayload').implement({
  description: 'An attempt to pay that has just begun.',
  fields: (t) => ({
    checkoutOrder: t.prismaField({
      type: CheckoutOrder,
      description: 'The order, as its payer sees it.',
      resolve: async (query, { token }, _args, context) => {
        const order = await findCheckoutOrder(context, token, query);
        if (!order) throw new Error('An order that was just made cannot be found by its token.');
        return order;
      },
    }),
    replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
  }),
});

builder.mutationField('createPaymentOrder', (t) =>
  t.field({
    type: CreatePaymentOrderPayload,
    description: 'Begins one attempt to pay a link. Needs no session; limited per client and link.',
    args: { input: t.arg({ type: CreatePaymentOrderInput, required: true, description: 'What the payer chooses.' }) },
    resolve: (_root, { input }, context, info) =>
      createPaymentOrder(context, { ...input, idempotencyKey: givenKey(input.idempotencyKey, context, info) }),
  }),
);
