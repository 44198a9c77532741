import { renderSVG } from 'uqr';
import type { Context } from '../../context.ts';
import { builder } from '../../graphql/builder.ts';
import type { Done } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { showUnits } from '../../kernel/money.ts';
import { createPaymentOrder } from '../commands/createPaymentOrder.ts';
import { type CheckoutFacts, readCheckoutFacts } from '../commands/readCheckoutFacts.ts';
import { asksForPayment, type PaymentRequest, paymentRequest, unitsToSend } from '../model/paymentRequest.ts';
import { CLAIM_MESSAGE, claimMessageOf } from './claimMessage.ts';
import { PaymentLinkStatus } from './links.ts';
import { BlockchainTransactionStatus, MOST_SHOWN, PaymentOrderException, PaymentOrderStatus } from './orders.ts';
import { PaymentMatching } from './terms.ts';

// The payer's side: without a session, by the slug or the token that was given out, and only what a payer needs.

/** A link as a payer sees it. */
export const CheckoutRef = builder.prismaObject('PaymentLink', {
  variant: 'Checkout',
  description: 'A payment link as a payer sees it.',
  select: { organizationId: true, id: true },
  fields: (t) => ({
    slug: t.exposeString('slug', { description: 'The link’s name in addresses.' }),
    title: t.exposeString('title', { description: 'What it is for.' }),
    description: t.exposeString('description', { nullable: true, description: 'More about what it is for.' }),
    status: t.expose('status', {
      type: PaymentLinkStatus,
      description: 'What the merchant has made of it; `effectiveStatus` says whether it takes payments.',
    }),
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
      description:
        'The calldata; it ends with the order’s reference, by which the payment is recognised, where its amount does not tell.',
    }),
    eip681: t.exposeString('eip681', {
      description: 'The same as an EIP-681 link; it cannot carry the reference.',
    }),
    qr: t.string({
      description: 'That link as a QR code: an SVG image.',
      resolve: ({ eip681 }) => renderSVG(eip681),
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it pays in time, by block time.' }),
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
      resolve: ({ dueUnits, asset }) => showUnits(dueUnits, asset),
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

/** An order as its payer sees it. */
export const CheckoutOrder = builder.prismaObject('PaymentOrder', {
  variant: 'CheckoutOrder',
  description: 'One attempt to pay, as its payer sees it.',
  select: { organizationId: true, id: true },
  fields: (t) => ({
    token: t.string({
      description: 'The payer’s handle of this order: whoever holds it can see the order.',
      resolve: (order) => foundBy(order).token,
    }),
    status: t.expose('status', { type: PaymentOrderStatus, description: 'How far it has come.' }),
    exceptions: t.expose('exceptions', { type: [PaymentOrderException], description: 'What is unusual about it.' }),
    matching: t.expose('matching', { type: PaymentMatching, description: 'How its payment is known.' }),
    payer: t.expose('payer', {
      type: 'Address',
      nullable: true,
      description: 'The wallet that was named, and that alone can pay by `WALLET`; null where none was.',
    }),
    payTo: t.expose('payTo', { type: 'Address', description: 'Who is paid: where the transfer has to arrive.' }),
    due: t.variant(AmountDue, { description: 'What is to be paid.' }),
    receivedUnits: t.expose('creditedUnits', {
      type: 'BigInt',
      description: 'How much has arrived and was not taken back, in the asset’s smallest units.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it can be paid, by block time.' }),
    paymentRequest: t.field({
      type: PaymentRequestRef,
      nullable: true,
      description:
        'The transaction that pays it, or the rest of it; null when nothing is to be sent any more, as all has arrived, or its time is over by the database’s clock and what comes late does not count, and while nobody watches its chain. Where the amount tells the payment, the rest of it tells nothing: it is to be claimed (`claimPayment`).',
      select: {
        status: true,
        dueUnits: true,
        creditedUnits: true,
        matching: true,
        payTo: true,
        reference: true,
        expiresAt: true,
        asset: { select: { address: true, chainId: true } },
      },
      resolve: (order) => {
        const { status, dueUnits, creditedUnits, matching, payTo, reference, expiresAt, asset } = order;
        if (!asksForPayment(status) || !factsOf(order).takesPayments) return null;
        return paymentRequest({
          chainId: Number(asset.chainId),
          token: asset.address,
          payTo,
          units: unitsToSend({ due: BigInt(dueUnits.toFixed()), credited: BigInt(creditedUnits.toFixed()) }),
          reference: matching === 'WALLET' ? reference : null,
          expiresAt,
        });
      },
    }),
    claimMessage: t.string({
      ...CLAIM_MESSAGE,
      args: { transactionHash: t.arg({ type: 'Hex', required: true, description: 'The transaction’s hash.' }) },
      resolve: claimMessageOf,
    }),
    transactions: t.field({
      type: [PaidTransaction],
      description: 'The transfers that were credited to it, a hundred at most, the first ones first.',
      select: (_args, _context, nestedSelection) => ({
        credits: {
          orderBy: { createdAt: 'asc' },
          take: MOST_SHOWN,
          select: { blockchainTransaction: nestedSelection() },
        },
      }),
      resolve: ({ credits }) => credits.map(({ blockchainTransaction }) => blockchainTransaction),
    }),
  }),
});

/**
 * Orders carry the token that they were found by only while one request lasts, since the database has its hash alone; and
 * what was read with them of things that are in no row.
 */
const found = new WeakMap<object, { readonly token: string; readonly facts: CheckoutFacts }>();

function foundBy(order: object): { readonly token: string; readonly facts: CheckoutFacts } {
  const known = found.get(order);
  if (known === undefined) throw new Error('A payer’s order was loaded without its token.');
  return known;
}

/** What was read with an order that stands in no row of its own. */
export function factsOf(order: object): CheckoutFacts {
  return foundBy(order).facts;
}

/** Finds a payer's order by its token, which it then tells again. */
export async function findCheckoutOrder(context: Context, token: string, query: object): Promise<FoundOrder | null> {
  const scope = context.handleScope('payment-order', token);
  const [order, facts] = await Promise.all([
    scope.db.paymentOrder.findFirst(query as never) as Promise<FoundOrder | null>,
    readCheckoutFacts(scope),
  ]);
  if (!order || !facts) return null;
  found.set(order, { token, facts });
  return order;
}

type FoundOrder = Awaited<ReturnType<Context['scope']['db']['paymentOrder']['findFirstOrThrow']>>;

/** What payers find. */
const PUBLISHED = ['ACTIVE', 'PAUSED', 'ARCHIVED'];

builder.queryFields((t) => ({
  checkout: t.prismaField({
    type: CheckoutRef,
    nullable: true,
    description: 'A payment link by its slug; null when there is none, or a draft. Needs no session.',
    args: { slug: t.arg.string({ required: true, description: 'The link’s slug.' }) },
    resolve: (query, _root, { slug }, context) =>
      context
        .handleScope('payment-link', slug)
        .db.paymentLink.findFirst({ ...query, where: { status: { in: PUBLISHED } } } as never) as never,
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
    payer: t.field({
      type: 'Address',
      description:
        'The wallet that will pay, and by which its payment is known; without one it is known by its amount.',
    }),
    matching: t.field({ type: PaymentMatching, description: 'How the payment is to be known, if otherwise.' }),
    amount: t.field({
      type: 'Decimal',
      description: 'What to pay, in whole tokens; needed where the payer chooses, and the price itself elsewhere.',
    }),
    fields: t.field({
      type: 'JsonObject',
      description: 'What `checkout` asks for in `fields`: a value for each key; texts, or true and false.',
    }),
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
