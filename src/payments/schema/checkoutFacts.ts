import { builder } from '../../graphql/builder.ts';
import { CheckoutOrder, factsOf } from './checkout.ts';

// What a payer needs besides the order itself: which link it is of, what it waits for, until when, and where to go on to.

builder.prismaObjectFields(CheckoutOrder, (t) => ({
  slug: t.string({
    description:
      'The slug of the link that it is of, which its checkout page stands under; whoever shows it as a payment of another link names the wrong payee.',
    resolve: (order) => factsOf(order).slug,
  }),
  surchargeUnits: t.expose('surchargeUnits', {
    type: 'BigInt',
    description:
      'The part of what is due that was added to the price, so that the amount tells this payment, or not another one.',
  }),
  lateUntil: t.expose('lateUntil', {
    type: 'DateTime',
    nullable: true,
    description:
      'The end of its late window, by block time: what comes until then is told to the merchant, and counts where its terms say so; null where it has none.',
  }),
  finality: t.string({
    description: 'What is awaited before it is paid: `CONFIRMATIONS(n)`, `SAFE` or `FINALIZED`.',
    select: { finality: true, requiredConfirmations: true },
    resolve: ({ finality, requiredConfirmations }) =>
      finality === 'CONFIRMATIONS' ? `CONFIRMATIONS(${requiredConfirmations})` : finality,
  }),
  confirmations: t.int({
    nullable: true,
    description:
      'How many confirmations all that was credited to it has, its own blocks included, as far as the chain was read; null when nothing was.',
    resolve: (order) => factsOf(order).confirmations,
  }),
  chainWatched: t.boolean({
    description:
      'Whether its chain is watched, so that a payment would be seen; while it is not, nothing is to be sent for it, and it goes on when it is again.',
    resolve: (order) => factsOf(order).chainWatched,
  }),
  successUrl: t.string({
    nullable: true,
    description: 'Where its link sends payers on to who have paid; null where the link names none.',
    resolve: (order) => factsOf(order).successUrl,
  }),
  cancelUrl: t.string({
    nullable: true,
    description: 'Where its link sends payers on to who have given up; null where the link names none.',
    resolve: (order) => factsOf(order).cancelUrl,
  }),
}));
