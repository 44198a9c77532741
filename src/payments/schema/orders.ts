import { ChainRef } from '../../chain/schema.ts';
import { builder } from '../../graphql/builder.ts';
import { inTenant } from '../../graphql/node.ts';
import { CLAIM_MESSAGE, claimMessageOf } from './claimMessage.ts';
import { PaymentLatePolicy, PaymentMatching, PaymentOverPolicy, PaymentUnderPolicy } from './terms.ts';

/** As many transfers of an order as are shown beside it. */
export const MOST_SHOWN = 100;

/** How far an attempt to pay has come. */
export const PaymentOrderStatus = builder.enumType('PaymentOrderStatus', {
  description: 'How far an attempt to pay has come.',
  values: {
    CREATED: { description: 'Nothing has arrived.' },
    DETECTED: { description: 'A part of what is due has arrived.' },
    CONFIRMING: { description: 'All that is due has arrived; blocks on top of it are awaited.' },
    PAID: { description: 'It is as final as the order asks for: the merchant may ship.' },
    FINAL: { description: 'The chain itself calls it final.' },
    EXPIRED: { description: 'Its time passed before all that is due had arrived.' },
    CANCELED: { description: 'It was called off.' },
    FAILED: { description: 'It cannot be completed; see its exceptions.' },
  } as const,
});

/** What is unusual about an order. */
export const PaymentOrderException = builder.enumType('PaymentOrderException', {
  description: 'What is unusual about an order.',
  values: {
    UNDERPAID: { description: 'Only a part of what was due came in its time.' },
    OVERPAID: { description: 'More arrived than was due.' },
    LATE: { description: 'A payment for it arrived after its time; it was credited only where the order lets it be.' },
    WRONG_ASSET: { description: 'A payment for it arrived in another asset.' },
    DUPLICATE: { description: 'A payment for it arrived after it was paid; it was not credited.' },
    REORGED: { description: 'The chain took back a payment after the order was paid.' },
    NEEDS_REVIEW: { description: 'A person has to look at it.' },
  } as const,
});

/** Whether the chain still has a transfer. */
export const BlockchainTransactionStatus = builder.enumType('BlockchainTransactionStatus', {
  description: 'Whether the chain still has a transfer.',
  values: {
    INCLUDED: { description: 'It is in a block of the chain.' },
    ORPHANED: { description: 'Its block was replaced, and the new one does not have it.' },
  } as const,
});

/** A credited transfer, as the merchant sees it. */
export const BlockchainTransactionRef = builder.prismaNode('BlockchainTransaction', {
  nullable: true,
  description:
    'A transfer that was credited, stands in the inbox or is a refund, as the chain says it: one row a transfer, not a transaction.',
  select: { organizationId: true, id: true },
  id: { resolve: ({ id }) => id },
  findUnique: inTenant,
  fields: (t) => ({
    hash: t.field({
      type: 'Hex',
      description: 'The transaction’s hash.',
      select: { hash: true },
      resolve: ({ hash }) => hash,
    }),
    ordinal: t.exposeInt('ordinal', {
      description: 'The transfer’s place among the logs of its transaction’s receipt; -1 for the native coin.',
    }),
    asset: t.relation('asset', { description: 'What was sent.' }),
    units: t.field({
      type: 'BigInt',
      description: 'How much, in the asset’s smallest units.',
      select: { units: true },
      resolve: ({ units }) => units,
    }),
    sender: t.expose('sender', { type: 'Address', description: 'Who sent it: the log’s `from`.' }),
    recipient: t.expose('recipient', { type: 'Address', description: 'Who received it.' }),
    status: t.expose('status', { type: BlockchainTransactionStatus, description: 'Whether the chain still has it.' }),
    blockNumber: t.expose('blockNumber', { type: 'BigInt', description: 'The block that holds it.' }),
    blockTime: t.expose('blockTime', { type: 'DateTime', description: 'What that block says the time was.' }),
  }),
});

/** One attempt to pay, as the merchant sees it. */
export const PaymentOrderRef = builder.prismaNode('PaymentOrder', {
  nullable: true,
  description: 'One attempt to pay, as the merchant sees it. Its terms are the link’s when it was made.',
  select: { organizationId: true, id: true },
  id: { resolve: ({ id }) => id },
  findUnique: inTenant,
  fields: (t) => ({
    status: t.expose('status', { type: PaymentOrderStatus, description: 'How far it has come.' }),
    exceptions: t.expose('exceptions', { type: [PaymentOrderException], description: 'What is unusual about it.' }),
    asset: t.relation('asset', { description: 'What is paid in.' }),
    chain: t.field({
      type: ChainRef,
      description: 'The chain it is paid on.',
      select: (_args, _context, nestedSelection) => ({ incarnation: { select: { chain: nestedSelection() } } }),
      resolve: ({ incarnation }) => incarnation.chain,
    }),
    matching: t.expose('matching', { type: PaymentMatching, description: 'How its payment is known.' }),
    dueUnits: t.expose('dueUnits', { type: 'BigInt', description: 'How much is due, in the asset’s smallest units.' }),
    surchargeUnits: t.expose('surchargeUnits', {
      type: 'BigInt',
      description:
        'The part of what is due that was added to the price, so that the amount tells this payment, or not another one.',
    }),
    toleranceUnits: t.expose('toleranceUnits', {
      type: 'BigInt',
      description: 'How much less than what is due is enough.',
    }),
    surplusUnits: t.field({
      type: 'BigInt',
      description: 'How much more than what is due has arrived and was not taken back.',
      select: { dueUnits: true, creditedUnits: true },
      resolve: ({ dueUnits, creditedUnits }) => {
        const surplus = BigInt(creditedUnits.toFixed()) - BigInt(dueUnits.toFixed());
        return surplus > 0n ? surplus : 0n;
      },
    }),
    creditedUnits: t.expose('creditedUnits', {
      type: 'BigInt',
      description: 'How much has arrived and was not taken back.',
    }),
    payTo: t.expose('payTo', { type: 'Address', description: 'Who receives it.' }),
    payer: t.expose('payer', {
      type: 'Address',
      nullable: true,
      description: 'Who said they would pay; nobody has proved it. Null where the transfer tells.',
    }),
    finality: t.string({
      description: 'What is awaited before it is paid: `CONFIRMATIONS(n)`, `SAFE` or `FINALIZED`.',
      select: { finality: true, requiredConfirmations: true },
      resolve: ({ finality, requiredConfirmations }) =>
        finality === 'CONFIRMATIONS' ? `CONFIRMATIONS(${requiredConfirmations})` : finality,
    }),
    requiredConfirmations: t.exposeInt('requiredConfirmations', {
      description: 'Confirmations until it is paid, the transfer’s own block included; counts for no other finality.',
    }),
    underPolicy: t.expose('underPolicy', {
      type: PaymentUnderPolicy,
      description: 'What becomes of it with a part of what is due; `acceptUnderpaid` changes it.',
    }),
    overPolicy: t.expose('overPolicy', { type: PaymentOverPolicy, description: 'What becomes of what is beyond it.' }),
    latePolicy: t.expose('latePolicy', { type: PaymentLatePolicy, description: 'What becomes of what comes late.' }),
    lateUntil: t.expose('lateUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'The end of its late window, by block time; null where it has none.',
    }),
    claimMessage: t.string({
      ...CLAIM_MESSAGE,
      args: { transactionHash: t.arg({ type: 'Hex', required: true, description: 'The transaction’s hash.' }) },
      resolve: claimMessageOf,
    }),
    paymentLink: t.relation('paymentLink', {
      nullable: true,
      description: 'The link it was made from; null once that was deleted.',
    }),
    transactions: t.field({
      type: [BlockchainTransactionRef],
      description:
        'The transfers that were credited to it, a hundred at most, in the order in which they were; `organization.blockchainTransactions` lists all, by `filter: { paymentOrder }`.',
      select: (_args, _context, nestedSelection) => ({
        credits: {
          orderBy: { createdAt: 'asc' },
          take: MOST_SHOWN,
          select: { blockchainTransaction: nestedSelection() },
        },
      }),
      resolve: ({ credits }) => credits.map(({ blockchainTransaction }) => blockchainTransaction),
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it can be paid, by block time.' }),
    paidAt: t.expose('paidAt', { type: 'DateTime', nullable: true, description: 'When it was paid.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
});

/** A page of credited transfers. */
export const BlockchainTransactionConnection = builder.connectionObject(
  { type: BlockchainTransactionRef, name: 'BlockchainTransactionConnection', description: 'A page of transfers.' },
  { name: 'BlockchainTransactionEdge', description: 'One transfer of a page.' },
);

/** A page of attempts to pay. */
export const PaymentOrderConnection = builder.connectionObject(
  { type: PaymentOrderRef, name: 'PaymentOrderConnection', description: 'A page of attempts to pay.' },
  { name: 'PaymentOrderEdge', description: 'One attempt to pay of a page.' },
);
