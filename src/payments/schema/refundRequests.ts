import { builder } from '../../graphql/builder.ts';
import { isRefundBacked } from '../commands/isRefundBacked.ts';
import { type RefundRequest, refundRequest } from '../model/refunds.ts';
import { PaymentRefundRef } from './refunds.ts';

// What a refund waits for, and the transaction that it asks for.

const PaymentRefundWait = builder.enumType('PaymentRefundWait', {
  description: 'What a refund that is not done waits for.',
  values: {
    DESTINATION: { description: 'Somebody has to say where it goes.' },
    FINALITY: {
      description:
        'What it is of could still be taken back by the chain: nothing is to be sent before that is final enough.',
    },
    TRANSFER: { description: 'Its `paymentRequest` is to be sent.' },
    CALL_OFF: {
      description:
        'It was called off, and may have been sent before: it is over once every block up to that moment was read without ' +
        'its transfer. Nothing is to be sent any more.',
    },
    CONFIRMATIONS: { description: 'The transfer was seen, and is not as final as it has to be.' },
  } as const,
});

const RefundRequestRef = builder.objectRef<RefundRequest>('RefundRequest').implement({
  description: 'The transaction that is a refund, ready for the wallet that was paid.',
  fields: (t) => ({
    chainId: t.exposeInt('chainId', { description: 'The chain to send it on.' }),
    to: t.expose('to', {
      type: 'Address',
      description: 'Whom to send it to: the token’s contract, or the destination.',
    }),
    value: t.expose('value', {
      type: 'BigInt',
      description: 'The native coin to send with it, in its smallest units.',
    }),
    data: t.expose('data', { type: 'Hex', description: 'The calldata.' }),
  }),
});

builder.prismaObjectFields(PaymentRefundRef, (t) => ({
  paymentRequest: t.field({
    type: RefundRequestRef,
    nullable: true,
    description:
      'The transaction to send; null while its destination is unknown, while the chain could still take back what it ' +
      'is of (`waitsFor`), and when nothing is to be sent any more.',
    select: {
      status: true,
      calledOffAt: true,
      units: true,
      destination: true,
      asset: { select: { address: true, chainId: true } },
    },
    resolve: async ({ id, status, calledOffAt, units, destination, asset }, _args, context) =>
      status !== 'PENDING' || destination === null || calledOffAt !== null || !(await isRefundBacked(context, { id }))
        ? null
        : refundRequest({
            chainId: Number(asset.chainId),
            token: asset.address,
            destination,
            units: BigInt(units.toFixed()),
          }),
  }),
  waitsFor: t.field({
    type: PaymentRefundWait,
    nullable: true,
    description: 'What it waits for; null when it is done or called off.',
    select: { status: true, calledOffAt: true },
    resolve: async ({ id, status, calledOffAt }, _args, context) => {
      if (status === 'REQUESTED') return 'DESTINATION';
      if (status === 'SENT') return 'CONFIRMATIONS';
      if (status !== 'PENDING') return null;
      if (calledOffAt !== null) return 'CALL_OFF';
      return (await isRefundBacked(context, { id })) ? 'TRANSFER' : 'FINALITY';
    },
  }),
  withdrawn: t.exposeBoolean('withdrawn', {
    description:
      'Whether it was called off by nobody: the chain took back what it was of, or made more or less of it. What an ' +
      'order’s terms give back is asked for again when it returns.',
  }),
  calledOffAt: t.expose('calledOffAt', {
    type: 'DateTime',
    nullable: true,
    description:
      'When it was called off after its destination was known; null of one that was not, and of one that was sent all the same.',
  }),
}));
