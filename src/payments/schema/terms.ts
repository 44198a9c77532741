import { builder } from '../../graphql/builder.ts';

// The words for what links ask for and orders copy of them.

/** How a transfer is known to be an order's. */
export const PaymentMatching = builder.enumType('PaymentMatching', {
  description: 'How a transfer is known to be an order’s.',
  values: {
    WALLET: { description: 'By who sends it, and by the reference in its calldata.' },
    UNIQUE_AMOUNT: { description: 'By its amount, which no other open order to the same payee asks for.' },
    CLAIM: { description: 'By whoever claims it, with a signature of its sender or as a member.' },
  } as const,
});

/** What becomes of an order that has a part of what is due at its deadline. */
export const PaymentUnderPolicy = builder.enumType('PaymentUnderPolicy', {
  description: 'What becomes of an order that has a part of what is due at its deadline.',
  values: {
    HOLD: { description: 'It expires, and waits for a member to accept the part or to refund it.' },
    ACCEPT: { description: 'The part is enough: it is paid once that is final enough.' },
    REFUND: { description: 'It expires, and the part is to be refunded.' },
  } as const,
});

/** What becomes of what an order has beyond what is due. */
export const PaymentOverPolicy = builder.enumType('PaymentOverPolicy', {
  description: 'What becomes of what an order has beyond what is due.',
  values: {
    KEEP: { description: 'It is recorded as surplus.' },
    REFUND: { description: 'It is recorded as surplus, and to be refunded.' },
  } as const,
});

/** What becomes of a transfer that comes behind the deadline, within the late window. */
export const PaymentLatePolicy = builder.enumType('PaymentLatePolicy', {
  description: 'What becomes of a transfer that comes behind the deadline, within the late window.',
  values: {
    HOLD: { description: 'It is not credited, and waits for a member.' },
    ACCEPT: { description: 'It is credited, and the order is paid by it like by one that came in time.' },
    REFUND: { description: 'It is not credited, and to be refunded.' },
  } as const,
});
