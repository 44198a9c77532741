import { builder } from '../../graphql/builder.ts';
import { fromUnits, showUnits } from '../../kernel/money.ts';
import type { CustomField } from '../model/customFields.ts';
import { readLineItems } from '../model/lineItems.ts';
import { linkStateAt } from '../model/linkStatus.ts';
import { CheckoutOrder, CheckoutRef } from './checkout.ts';
import { PaymentLinkAcceptRef, PaymentLinkRef } from './links.ts';
import { LineItemRef, PaymentFieldRef, PaymentFinality, PaymentLinkState, PaymentPricing } from './linkTerms.ts';
import { PaymentOrderRef } from './orders.ts';
import { PaymentLatePolicy, PaymentOverPolicy, PaymentUnderPolicy } from './terms.ts';

const MOMENT = {
  status: true,
  startsAt: true,
  expiresAt: true,
  exhausted: true,
  unproved: true,
  unwatched: true,
} as const;
const PRICED = { asset: { select: { id: true, caip19: true, decimals: true } } } as const;
const WAYS = { orderBy: { position: 'asc' }, select: PRICED } as const;

builder.prismaObjectFields(PaymentLinkAcceptRef, (t) => ({
  minAmount: t.field({
    type: 'Decimal',
    nullable: true,
    description: 'The least that a payer may choose, in whole tokens; null where the amount is given.',
    select: { minUnits: true, asset: { select: { decimals: true } } },
    resolve: ({ minUnits, asset }) => minUnits && showUnits(minUnits, asset),
  }),
  maxAmount: t.field({
    type: 'Decimal',
    nullable: true,
    description: 'The most that a payer may choose, in whole tokens; null where the amount is given.',
    select: { maxUnits: true, asset: { select: { decimals: true } } },
    resolve: ({ maxUnits, asset }) => maxUnits && showUnits(maxUnits, asset),
  }),
  exhausted: t.exposeBoolean('exhausted', {
    description: 'Whether nobody can pay in this asset any more, unless somebody gives up.',
  }),
  payeeProved: t.boolean({
    description:
      'Whether a member who may write payments still stands for the payee, by having proved the wallet; while nobody does, no order is made in this asset.',
    select: { unproved: true },
    resolve: ({ unproved }) => !unproved,
  }),
  chainWatched: t.boolean({
    description: 'Whether somebody watches its chain; while nobody does, no order is made in this asset.',
    select: { unwatched: true },
    resolve: ({ unwatched }) => !unwatched,
  }),
}));

interface Total {
  readonly asset: { readonly caip19: string; readonly decimals: number };
  readonly total: bigint;
  readonly most: bigint;
}

const TotalRef = builder.objectRef<Total>('PaymentLinkTotal').implement({
  description: 'How much a link’s orders ask for together in one asset.',
  fields: (t) => ({
    asset: t.string({ description: 'The asset’s CAIP-19 name.', resolve: ({ asset }) => asset.caip19 }),
    total: t.field({
      type: 'Decimal',
      description: 'What those ask for that are open or have taken money, in whole tokens.',
      resolve: ({ total, asset }) => fromUnits(total, asset.decimals),
    }),
    maxTotal: t.field({
      type: 'Decimal',
      description: 'The most that all may ask for together, in whole tokens.',
      resolve: ({ most, asset }) => fromUnits(most, asset.decimals),
    }),
  }),
});

builder.prismaObjectFields(PaymentLinkRef, (t) => ({
  effectiveStatus: t.field({
    type: PaymentLinkState,
    description: 'What it is at this moment, by its status, its time, its chains, its payees and its limits.',
    select: MOMENT,
    resolve: (link, _args, { clock }) => linkStateAt(link, clock.now()),
  }),
  pricing: t.expose('pricing', { type: PaymentPricing, description: 'How it says what is to be paid.' }),
  lineItems: t.field({
    type: [LineItemRef],
    description: 'What is bought; nothing but of `LINE_ITEMS`.',
    select: { lineItems: true, accepts: WAYS },
    resolve: ({ lineItems, accepts }) =>
      readLineItems(
        lineItems,
        accepts.map(({ asset }) => asset),
      ),
  }),
  startsAt: t.expose('startsAt', { type: 'DateTime', nullable: true, description: 'From when on it takes payments.' }),
  expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'Until when it takes payments.' }),
  maxUses: t.exposeInt('maxUses', { nullable: true, description: 'How many orders it takes; null for any number.' }),
  maxPerWallet: t.exposeInt('maxPerWallet', {
    nullable: true,
    description: 'How many orders it takes of one wallet; null for any number.',
  }),
  uses: t.int({
    nullable: true,
    description:
      'How many of its orders are open or have taken money; null where the number of orders is not limited, since nobody counts then.',
    select: { uses: true, maxUses: true, maxPerWallet: true },
    resolve: ({ uses, maxUses, maxPerWallet }) => (maxUses === null && maxPerWallet === null ? null : uses),
  }),
  totals: t.field({
    type: [TotalRef],
    description: 'How much is asked for in each asset of which there is a most.',
    select: { accepts: { ...WAYS, select: { ...PRICED, totalUnits: true, maxTotalUnits: true } } },
    resolve: ({ accepts }) =>
      accepts.flatMap(({ asset, totalUnits, maxTotalUnits }) =>
        maxTotalUnits === null
          ? []
          : [{ asset, total: BigInt(totalUnits.toFixed()), most: BigInt(maxTotalUnits.toFixed()) }],
      ),
  }),
  toleranceBasisPoints: t.exposeInt('toleranceBasisPoints', {
    description: 'How much less than what is due is enough, in hundredths of a percent.',
  }),
  underPolicy: t.expose('underPolicy', {
    type: PaymentUnderPolicy,
    description: 'What becomes of a part at the deadline.',
  }),
  overPolicy: t.expose('overPolicy', { type: PaymentOverPolicy, description: 'What becomes of a surplus.' }),
  latePolicy: t.expose('latePolicy', { type: PaymentLatePolicy, description: 'What becomes of what comes late.' }),
  lateWindowMinutes: t.exposeInt('lateWindowMinutes', {
    description: 'How long after an order’s deadline what comes is still the order’s, in minutes.',
  }),
  finality: t.expose('finality', {
    type: PaymentFinality,
    nullable: true,
    description: 'What the chain must say before an order is paid; null leaves it to the chain’s own rules.',
  }),
  finalityConfirmations: t.exposeInt('finalityConfirmations', {
    nullable: true,
    description: 'How many confirmations; of `CONFIRMATIONS` alone.',
  }),
  customFields: t.field({
    type: [PaymentFieldRef],
    description: 'What a payer is asked for.',
    select: { customFields: true },
    resolve: ({ customFields }) => customFields as unknown as CustomField[],
  }),
  allowedPayers: t.field({
    type: ['Address'],
    nullable: true,
    description: 'The wallets that alone may pay; null for everybody.',
    select: { allowedPayers: true },
    // a column that is null is an empty list to Prisma
    resolve: ({ allowedPayers }) => ((allowedPayers as string[] | null)?.length ? allowedPayers : null),
  }),
  successUrl: t.exposeString('successUrl', {
    nullable: true,
    description: 'Where payers are sent on to who have paid.',
  }),
  cancelUrl: t.exposeString('cancelUrl', { nullable: true, description: 'Where payers are sent on to who give up.' }),
  inactiveMessage: t.exposeString('inactiveMessage', {
    nullable: true,
    description: 'What payers read while it takes no payments.',
  }),
  metadata: t.field({
    type: 'JsonObject',
    description: 'What the merchant keeps with it; no payer sees it.',
    select: { metadata: true },
    resolve: ({ metadata }) => metadata,
  }),
  updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was changed or used last.' }),
}));

builder.prismaObjectFields(CheckoutRef, (t) => ({
  effectiveStatus: t.field({
    type: PaymentLinkState,
    description: 'Whether it takes payments at this moment, and why not.',
    select: MOMENT,
    resolve: (link, _args, { clock }) => linkStateAt(link, clock.now()),
  }),
  message: t.string({
    nullable: true,
    description: 'What the merchant says while it takes no payments; null while it does.',
    select: { ...MOMENT, inactiveMessage: true },
    resolve: (link, _args, { clock }) => (linkStateAt(link, clock.now()) === 'ACTIVE' ? null : link.inactiveMessage),
  }),
  pricing: t.expose('pricing', { type: PaymentPricing, description: 'How it says what is to be paid.' }),
  lineItems: t.field({
    type: [LineItemRef],
    description: 'What is bought; nothing but of `LINE_ITEMS`.',
    select: { lineItems: true, accepts: WAYS },
    resolve: ({ lineItems, accepts }) =>
      readLineItems(
        lineItems,
        accepts.map(({ asset }) => asset),
      ),
  }),
  fields: t.field({
    type: [PaymentFieldRef],
    description: 'What a payer is asked for.',
    select: { customFields: true },
    resolve: ({ customFields }) => customFields as unknown as CustomField[],
  }),
  startsAt: t.expose('startsAt', { type: 'DateTime', nullable: true, description: 'From when on it takes payments.' }),
  expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'Until when it takes payments.' }),
  orderLifetimeMinutes: t.exposeInt('orderLifetimeMinutes', {
    description: 'How long an order can be paid, in minutes.',
  }),
  successUrl: t.exposeString('successUrl', { nullable: true, description: 'Where to go on to once it is paid.' }),
  cancelUrl: t.exposeString('cancelUrl', { nullable: true, description: 'Where to go on to without paying.' }),
}));

const ORDERED = { lineItems: true, asset: { select: { id: true, caip19: true, decimals: true } } } as const;

builder.prismaObjectFields(PaymentOrderRef, (t) => ({
  lineItems: t.field({
    type: [LineItemRef],
    description: 'What is bought, as the link said it when the order was made.',
    select: ORDERED,
    resolve: ({ lineItems, asset }) => readLineItems(lineItems, [asset]),
  }),
  fieldValues: t.field({
    type: 'JsonObject',
    description: 'What the payer said, by the keys of the link’s fields; nobody has proved it.',
    select: { fieldValues: true },
    resolve: ({ fieldValues }) => fieldValues,
  }),
}));

builder.prismaObjectFields(CheckoutOrder, (t) => ({
  lineItems: t.field({
    type: [LineItemRef],
    description: 'What is bought, as the link said it when the order was made.',
    select: ORDERED,
    resolve: ({ lineItems, asset }) => readLineItems(lineItems, [asset]),
  }),
  fieldValues: t.field({
    type: 'JsonObject',
    description: 'What was said, by the keys of the link’s fields.',
    select: { fieldValues: true },
    resolve: ({ fieldValues }) => fieldValues,
  }),
}));
