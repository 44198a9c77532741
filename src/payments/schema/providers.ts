import type { Context } from '../../context.ts';
import { builder } from '../../graphql/builder.ts';
import { pageOf, pageQuery, SORT_KEY } from '../../graphql/connection.ts';
import { inTenant } from '../../graphql/node.ts';
import type { Done } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { survivorOf, withSurvivor } from '../../identity/schema/survivors.ts';
import { UserRef } from '../../identity/schema/viewer.ts';
import { decodeGlobalId } from '../../kernel/ids.ts';
import { showUnits } from '../../kernel/money.ts';
import { OrganizationRef } from '../../tenancy/schema/organizations.ts';
import { recordManualPayment } from '../commands/recordManualPayment.ts';
import { voidManualPayment } from '../commands/voidManualPayment.ts';
import { conditionsOfProviderTransactions } from '../model/lists.ts';
import { PaymentOrderRef } from './orders.ts';

const ProviderTransactionKind = builder.enumType('ProviderTransactionKind', {
  description: 'Whether money came or went back.',
  values: {
    PAYMENT: { description: 'It came for an order.' },
    REFUND: { description: 'It went back.' },
  } as const,
});

const ProviderTransactionStatus = builder.enumType('ProviderTransactionStatus', {
  description: 'What has become of what a provider says.',
  values: {
    CLAIMED: { description: 'It says so, and nothing more.' },
    CONFIRMED: { description: 'The chain says the same, or a member whose word it is, and it counts.' },
    REVERSED: {
      description:
        'It counts no more, or never did: the chain or a member took it back, or the order took nothing more.',
    },
  } as const,
});

const ProviderTransactionRef = builder.prismaNode('ProviderTransaction', {
  nullable: true,
  description: 'What a provider says happened to money: a claim, until it is confirmed.',
  select: { organizationId: true, id: true },
  id: { resolve: ({ id }) => id },
  findUnique: inTenant,
  fields: (t) => ({
    provider: t.exposeString('provider', { description: 'Who says so: `onchain`, `manual`, or another one.' }),
    reference: t.exposeString('reference', {
      description: 'What it is found by there; of `onchain` the transaction’s hash and the transfer’s ordinal.',
    }),
    kind: t.expose('kind', { type: ProviderTransactionKind, description: 'Whether money came or went back.' }),
    status: t.expose('status', { type: ProviderTransactionStatus, description: 'What has become of it.' }),
    asset: t.relation('asset', { description: 'What it is counted in.' }),
    amount: t.field({
      type: 'Decimal',
      description: 'How much, in whole tokens, exactly.',
      select: { units: true, asset: { select: { decimals: true } } },
      resolve: ({ units, asset }) => showUnits(units, asset),
    }),
    units: t.field({
      type: 'BigInt',
      description: 'How much, in the asset’s smallest units.',
      select: { units: true },
      resolve: ({ units }) => units,
    }),
    paymentOrder: t.relation('paymentOrder', { nullable: true, description: 'The order that it came for.' }),
    refund: t.relation('refund', { nullable: true, description: 'The refund that it is.' }),
    transaction: t.relation('blockchainTransaction', {
      nullable: true,
      description: 'The transfer that it names; null where it came outside of the chain.',
    }),
    transactionHash: t.field({
      type: 'Hex',
      nullable: true,
      description: 'The transaction that the provider says it is; it is confirmed when that is credited.',
      select: { transactionHash: true },
      resolve: ({ transactionHash }) => transactionHash as `0x${string}` | null,
    }),
    note: t.exposeString('note', { nullable: true, description: 'What the member who recorded it said.' }),
    raw: t.field({
      type: 'JsonObject',
      description: 'What the provider said, without secrets.',
      select: { raw: true },
      resolve: ({ raw }) => raw as Record<string, unknown>,
    }),
    recordedBy: t.field({
      type: UserRef,
      nullable: true,
      description:
        'The member who recorded it, or who answers for the API key that did; null where nobody did, and for whoever may not read members.',
      select: (_args, _context, nestedSelection) => ({
        recorder: { select: { user: withSurvivor(nestedSelection()) } },
      }),
      resolve: ({ recorder }) => recorder && (survivorOf(recorder.user) as never),
    }),
    voidReason: t.exposeString('voidReason', {
      nullable: true,
      description: 'Why a member took it back; null where nobody did.',
    }),
    voidedBy: t.field({
      type: UserRef,
      nullable: true,
      description:
        'The member who took it back, or who answers for the API key that did; null where nobody did, and for whoever may not read members.',
      select: (_args, _context, nestedSelection) => ({
        voider: { select: { user: withSurvivor(nestedSelection()) } },
      }),
      resolve: ({ voider }) => voider && (survivorOf(voider.user) as never),
    }),
    voidedAt: t.expose('voidedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was taken back; it counts no more from then on.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was recorded.' }),
  }),
});

const ProviderTransactionConnection = builder.connectionObject(
  { type: ProviderTransactionRef, name: 'ProviderTransactionConnection', description: 'A page of what providers say.' },
  { name: 'ProviderTransactionEdge', description: 'One of a page.' },
);

const ProviderTransactionFilter = builder.inputType('ProviderTransactionFilter', {
  description: 'Which words of providers; each part that is given narrows it down.',
  fields: (t) => ({
    provider: t.string({ description: 'Only what this provider said, such as `manual`.' }),
    reference: t.string({ description: 'Only what is found by this at its provider.' }),
    statuses: t.field({ type: [ProviderTransactionStatus], description: 'Only what is one of these.' }),
    kinds: t.field({ type: [ProviderTransactionKind], description: 'Only what is one of these.' }),
    createdFrom: t.field({ type: 'DateTime', description: 'Only what was recorded at this moment or later.' }),
    createdUntil: t.field({ type: 'DateTime', description: 'Only what was recorded before this moment.' }),
  }),
});

builder.prismaObjectFields(OrganizationRef, (t) => ({
  providerTransactions: t.connection(
    {
      type: ProviderTransactionRef,
      description: 'All that providers said of the organization’s money, the newest first. Needs `payments:read`.',
      args: { filter: t.arg({ type: ProviderTransactionFilter, description: 'Which of it; all when absent.' }) },
      select: (args, _context, nestedSelection) => {
        const page = pageQuery(args);
        page.where.AND.push(...conditionsOfProviderTransactions(args.filter ?? {}));
        return {
          providerTransactions: { ...page, ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object) },
        };
      },
      resolve: ({ providerTransactions }, args) => pageOf(providerTransactions as never, args) as never,
    },
    ProviderTransactionConnection,
  ),
}));

builder.prismaObjectFields(PaymentOrderRef, (t) => ({
  providerTransactions: t.connection(
    {
      type: ProviderTransactionRef,
      description: 'What providers said of it, the newest first.',
      select: (args, _context, nestedSelection) => ({
        providerTransactions: {
          ...pageQuery(args),
          ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object),
        },
      }),
      resolve: ({ providerTransactions }, args) => pageOf(providerTransactions as never, args) as never,
    },
    ProviderTransactionConnection,
  ),
}));

const RecordInput = builder.inputType('RecordManualPaymentInput', {
  description: 'What came for which order outside of the chain.',
  fields: (t) => ({
    orderId: t.id({ required: true, description: 'The order’s global id.' }),
    amount: t.field({
      type: 'Decimal',
      required: true,
      description: 'How much of what is due it stands for, in whole tokens of the order’s asset.',
    }),
    reference: t.string({
      required: true,
      description: 'What it is found by where the money is, such as the number of a receipt; good once.',
    }),
    note: t.string({ description: 'More about it; up to 1,000 characters.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

type FindTransaction = Parameters<Context['scope']['db']['providerTransaction']['findUniqueOrThrow']>[0];

/** What a member has recorded or taken back, for one mutation. */
function providerPayload(name: string, description: string) {
  return builder.objectRef<Done<{ readonly id: string }>>(name).implement({
    description,
    fields: (t) => ({
      providerTransaction: t.prismaField({
        type: ProviderTransactionRef,
        description: 'What was recorded.',
        resolve: (query, { id }, _args, context) =>
          context.scope.db.providerTransaction.findUniqueOrThrow({
            ...query,
            where: inTenant(id, context),
          } as FindTransaction),
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });
}

const VoidInput = builder.inputType('VoidManualPaymentInput', {
  description: 'What was recorded by mistake, and why it was one.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The provider transaction’s global id.' }),
    reason: t.string({ required: true, description: 'Why it is taken back; up to 500 characters.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

builder.mutationField('recordManualPayment', (t) =>
  t.field({
    type: providerPayload('RecordManualPaymentPayload', 'A payment that a member has recorded.'),
    description:
      'Takes a member’s word that money came for an order outside of the chain; it counts with the worker’s next round. Needs the permission `payments:write`, and a fresh proof where the organization asks for one.',
    args: { input: t.arg({ type: RecordInput, required: true, description: 'What came.' }) },
    resolve: (_root, { input }, context, info) => {
      const named = decodeGlobalId(input.orderId);
      return recordManualPayment(context, {
        ...input,
        orderId: named?.type === 'PaymentOrder' ? named.id : null,
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      });
    },
  }),
);

builder.mutationField('voidManualPayment', (t) =>
  t.field({
    type: providerPayload('VoidManualPaymentPayload', 'A payment that a member has taken back.'),
    description:
      'Takes back a payment that was recorded by mistake; it counts no more, and its order is what is left, also where it was final. Needs the permission `payments:write`, and a fresh proof where the organization asks for one.',
    args: { input: t.arg({ type: VoidInput, required: true, description: 'Which, and why.' }) },
    resolve: (_root, { input }, context, info) => {
      const named = decodeGlobalId(input.id);
      return voidManualPayment(context, {
        id: named?.type === 'ProviderTransaction' ? named.id : null,
        reason: input.reason,
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      });
    },
  }),
);
