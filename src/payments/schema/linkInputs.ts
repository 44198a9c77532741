import { builder } from '../../graphql/builder.ts';
import { IDEMPOTENCY_KEY } from '../../idempotency/schema.ts';
import { PaymentLinkStatus } from './links.ts';
import { PaymentFieldType, PaymentFinality, PaymentPricing } from './linkTerms.ts';
import { PaymentLatePolicy, PaymentOverPolicy, PaymentUnderPolicy } from './terms.ts';

const AcceptInput = builder.inputType('PaymentLinkAcceptInput', {
  description: 'One way to pay a link.',
  fields: (t) => ({
    asset: t.string({ required: true, description: 'The asset’s CAIP-19 name, as `chains` lists it.' }),
    amount: t.field({
      type: 'Decimal',
      description: 'How much, in whole tokens, exactly; needed of `FIXED`, and the sum where line items have one.',
    }),
    minAmount: t.field({ type: 'Decimal', description: 'The least that a payer may choose; of `OPEN` alone.' }),
    maxAmount: t.field({ type: 'Decimal', description: 'The most that a payer may choose; of `OPEN` alone.' }),
    maxTotal: t.field({
      type: 'Decimal',
      description: 'The most that all orders in this asset may ask for together; any sum when absent.',
    }),
    payTo: t.field({ type: 'Address', required: true, description: 'Who receives it: a proved wallet.' }),
  }),
});

const PriceInput = builder.inputType('PaymentPriceInput', {
  description: 'What something costs in one asset.',
  fields: (t) => ({
    asset: t.string({ required: true, description: 'The asset’s CAIP-19 name, one that the link accepts.' }),
    amount: t.field({ type: 'Decimal', required: true, description: 'How much for one, in whole tokens, exactly.' }),
  }),
});

const LineItemInput = builder.inputType('PaymentLineItemInput', {
  description: 'One thing that is bought.',
  fields: (t) => ({
    title: t.string({ required: true, description: 'What it is; 1 to 200 characters.' }),
    description: t.string({ description: 'More about it; at most 500 characters.' }),
    quantity: t.int({ required: true, description: 'How many of it; 1 to 1,000,000.' }),
    prices: t.field({ type: [PriceInput], required: true, description: 'One price in each asset that is accepted.' }),
  }),
});

const FieldInput = builder.inputType('PaymentFieldInput', {
  description: 'One thing that a payer is to be asked for.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'Its name: at most 40 of a–z, 0–9 and _, a letter first.' }),
    label: t.string({ required: true, description: 'What it is called in front of payers; 1 to 100 characters.' }),
    type: t.field({ type: PaymentFieldType, required: true, description: 'What is asked for.' }),
    required: t.boolean({ description: 'Whether nobody pays without it; not, when absent.' }),
    options: t.stringList({ description: 'What to choose from: 1 to 50 of 100 characters; of `SELECT` alone.' }),
    maxLength: t.int({ description: 'The longest text: 1 to 500, which it is when absent; of `TEXT` alone.' }),
    min: t.string({ description: 'The least number, as a decimal text; of `NUMBER` alone.' }),
    max: t.string({ description: 'The greatest number, as a decimal text; of `NUMBER` alone.' }),
  }),
});

const MINUTES = '1 to 43,200 minutes, 60 by default.';

/** The terms of a new link. */
export const CreatePaymentLinkInput = builder.inputType('CreatePaymentLinkInput', {
  description: 'The terms of a link.',
  fields: (t) => ({
    title: t.string({ required: true, description: 'What it is for; 1 to 200 characters.' }),
    description: t.string({ description: 'More about what it is for; at most 2,000 characters.' }),
    slug: t.string({
      description:
        'Its name in addresses: 3 to 60 of a–z, 0–9 and hyphens that nobody ever had; hard to guess when absent.',
    }),
    status: t.field({ type: PaymentLinkStatus, description: '`DRAFT`, or `ACTIVE` when absent.' }),
    pricing: t.field({ type: PaymentPricing, description: 'How it says what is to be paid; `FIXED` when absent.' }),
    accepts: t.field({ type: [AcceptInput], required: true, description: 'One to twenty ways to pay it.' }),
    lineItems: t.field({ type: [LineItemInput], description: 'What is bought, 1 to 50; of `LINE_ITEMS` alone.' }),
    orderLifetimeMinutes: t.int({ description: `How long an order can be paid: ${MINUTES}` }),
    startsAt: t.field({ type: 'DateTime', description: 'From when on it takes payments; at once when absent.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'Until when it takes payments; for good when absent.' }),
    maxUses: t.int({
      description: 'How many orders it takes that are open or have taken money; any number when absent.',
    }),
    maxPerWallet: t.int({ description: 'The same of one wallet.' }),
    toleranceBasisPoints: t.int({
      description:
        'How much less than what is due is enough, in hundredths of a percent: 0, which it is by default, to 1,000.',
    }),
    underPolicy: t.field({
      type: PaymentUnderPolicy,
      description: 'What becomes of a part at the deadline; `HOLD` when absent.',
    }),
    overPolicy: t.field({ type: PaymentOverPolicy, description: 'What becomes of a surplus; `KEEP` when absent.' }),
    latePolicy: t.field({
      type: PaymentLatePolicy,
      description: 'What becomes of what comes late; `HOLD` when absent.',
    }),
    lateWindowMinutes: t.int({
      description: 'How long after the deadline what comes is still the order’s: 0 to 43,200 minutes, 60 by default.',
    }),
    finality: t.field({
      type: PaymentFinality,
      description: 'What the chain must say before an order is paid; the chain’s own rules when absent.',
    }),
    finalityConfirmations: t.int({ description: 'How many confirmations, 1 to 1,000; with `CONFIRMATIONS`.' }),
    customFields: t.field({ type: [FieldInput], description: 'What a payer is asked for; at most twenty.' }),
    allowedPayers: t.field({
      type: ['Address'],
      description: 'The wallets that alone may pay, at most 1,000; everybody when absent.',
    }),
    successUrl: t.string({
      description: 'Where payers are sent on to who have paid: an address of the organization’s.',
    }),
    cancelUrl: t.string({ description: 'Where payers are sent on to who give up: an address of the organization’s.' }),
    inactiveMessage: t.string({ description: 'What payers read while it takes no payments; at most 500 characters.' }),
    metadata: t.field({
      type: 'JsonObject',
      description:
        'What the merchant keeps with it, and no payer sees: at most 50 keys of 500 characters, with a text of as many, a number or a boolean for each.',
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

/** What of a link is to change. */
export const UpdatePaymentLinkInput = builder.inputType('UpdatePaymentLinkInput', {
  description: 'What is to change: what is absent stays as it is, and null makes it what it is by default.',
  fields: (t) => ({
    paymentLinkId: t.id({ required: true, description: 'The link.' }),
    title: t.string({ description: 'What it is for; 1 to 200 characters, never null.' }),
    description: t.string({ description: 'More about what it is for; at most 2,000 characters.' }),
    pricing: t.field({ type: PaymentPricing, description: 'How it says what is to be paid; with `accepts`.' }),
    accepts: t.field({
      type: [AcceptInput],
      description: 'All ways to pay it anew, with `pricing` unless it is `FIXED`.',
    }),
    lineItems: t.field({ type: [LineItemInput], description: 'What is bought, all of it anew; with `accepts`.' }),
    orderLifetimeMinutes: t.int({ description: `How long an order can be paid: ${MINUTES}` }),
    startsAt: t.field({ type: 'DateTime', description: 'From when on it takes payments.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'Until when it takes payments.' }),
    maxUses: t.int({ description: 'How many orders it takes that are open or have taken money.' }),
    maxPerWallet: t.int({ description: 'The same of one wallet.' }),
    toleranceBasisPoints: t.int({ description: 'How much less is enough, in hundredths of a percent: 0 to 1,000.' }),
    underPolicy: t.field({ type: PaymentUnderPolicy, description: 'What becomes of a part at the deadline.' }),
    overPolicy: t.field({ type: PaymentOverPolicy, description: 'What becomes of a surplus.' }),
    latePolicy: t.field({ type: PaymentLatePolicy, description: 'What becomes of what comes late.' }),
    lateWindowMinutes: t.int({ description: 'How long after the deadline what comes is still the order’s.' }),
    finality: t.field({ type: PaymentFinality, description: 'What the chain must say before an order is paid.' }),
    finalityConfirmations: t.int({ description: 'How many confirmations, 1 to 1,000; with `CONFIRMATIONS`.' }),
    customFields: t.field({ type: [FieldInput], description: 'What a payer is asked for, all of it anew.' }),
    allowedPayers: t.field({ type: ['Address'], description: 'The wallets that alone may pay, all of them anew.' }),
    successUrl: t.string({ description: 'Where payers are sent on to who have paid.' }),
    cancelUrl: t.string({ description: 'Where payers are sent on to who give up.' }),
    inactiveMessage: t.string({ description: 'What payers read while it takes no payments.' }),
    metadata: t.field({ type: 'JsonObject', description: 'What the merchant keeps with it, all of it anew.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});
