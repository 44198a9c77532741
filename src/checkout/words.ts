import type { LinkState, OrderException, OrderStatus, RefundStatus } from './api.ts';

// All that payers read about how things stand. Each table is complete: the compiler and a test hold it to the schema.

/** A headline, and what it means for a payer. */
export interface Words {
  readonly title: string;
  readonly text: string;
}

/** What an order is. */
export const ORDER_WORDS: Readonly<Record<OrderStatus, Words>> = {
  CREATED: {
    title: 'Waiting for your payment',
    text: 'Nothing has arrived yet. This page changes by itself when it does.',
  },
  DETECTED: {
    title: 'A part has arrived',
    text: 'Send the rest before the time is over. This page changes by itself.',
  },
  CONFIRMING: {
    title: 'Your payment was seen',
    text: 'All of it has arrived, and the network is confirming it. There is nothing left for you to do.',
  },
  PAID: { title: 'Paid', text: 'Your payment is confirmed. Thank you.' },
  FINAL: { title: 'Paid', text: 'Your payment is confirmed, and nothing can take it back. Thank you.' },
  EXPIRED: {
    title: 'The time to pay is over',
    text: 'Send nothing for it any more. If you have sent something already, it is not lost: the merchant sees it.',
  },
  CANCELED: { title: 'Called off', text: 'This payment was called off. Send nothing for it any more.' },
  FAILED: {
    title: 'This payment cannot go on',
    text: 'The network began anew, so that nothing of it can be known. Ask the merchant.',
  },
};

/** What a wallet was asked to send, before anything of it is known to have arrived. */
export const UNDER_WAY_WORDS = {
  asking: {
    title: 'Look at your wallet',
    text: 'It was asked to pay. Say yes or no there first; this page changes by itself.',
  },
  sent: {
    title: 'Sent',
    text: 'The network has to take it up, which is a matter of moments. This page changes by itself.',
  },
} as const satisfies Readonly<Record<string, Words>>;

/** What is said of an order that is awaited where nobody would see what is sent for it. */
export const UNWATCHED_WORDS: Words = {
  title: 'Nothing can be paid just now',
  text: 'The merchant does not follow this network at the moment, so send nothing. What you have sent is not lost: it is seen when they do again. This page changes by itself.',
};

/** The same of an order whose payment nothing tells but its payer. */
export const CLAIM_WORDS = {
  CREATED: {
    title: 'Waiting for your payment',
    text: 'Send it, and then tell the transaction below: nothing else says that it is yours.',
  },
  DETECTED: {
    title: 'A part has arrived',
    text: 'Send the rest before the time is over, and then tell the transaction below: nothing else says that it is yours.',
  },
  sent: {
    title: 'Sent',
    text: 'Now sign below that it was for this payment: nothing else says that it is yours.',
  },
} as const satisfies Readonly<Record<string, Words>>;

/** What is unusual about an order, beside what it is. */
export const EXCEPTION_WORDS: Readonly<Record<OrderException, string>> = {
  UNDERPAID: 'Less arrived in time than was due. The merchant decides whether it is enough or goes back to you.',
  OVERPAID: 'More arrived than was due. Ask the merchant about the rest.',
  LATE: 'A payment arrived after the time was over. The merchant sees it.',
  WRONG_ASSET: 'Something else arrived than what was asked for. The merchant sees it.',
  DUPLICATE: 'It was paid twice. The second payment was not counted; the merchant sees it and can send it back.',
  REORGED: 'The network took a payment back after it was confirmed. It often comes again by itself.',
  NEEDS_REVIEW: 'The merchant has to look at this payment. Keep the link to it.',
};

/** What has become of money that goes back. */
export const REFUND_WORDS: Readonly<Record<RefundStatus, string>> = {
  REQUESTED: 'waits for you to say where it is to go',
  PENDING: 'is about to be sent',
  SENT: 'was sent, and the network is confirming it',
  COMPLETED: 'has arrived',
  CANCELED: 'was called off',
};

/** Why a link cannot be paid; an active one can. */
export const LINK_WORDS: Readonly<Record<LinkState, Words>> = {
  ACTIVE: { title: 'Ready', text: 'It can be paid.' },
  DRAFT: { title: 'There is nothing to pay here', text: 'Check the address that the merchant gave you.' },
  PAUSED: { title: 'Not open for now', text: 'The merchant takes no payments here at the moment.' },
  ARCHIVED: { title: 'Closed', text: 'The merchant takes no payments here any more.' },
  SCHEDULED: { title: 'Not open yet', text: 'Payments are taken here later.' },
  EXPIRED: { title: 'Closed', text: 'The time for payments here is over.' },
  EXHAUSTED: {
    title: 'All taken',
    text: 'It has been paid, or is about to be, as often as it may. If somebody gives up, it opens again.',
  },
  CHAIN_NOT_WATCHED: { title: 'Not open for now', text: 'The merchant takes no payments here at the moment.' },
  PAYEE_NOT_PROVED: { title: 'Not open for now', text: 'The merchant takes no payments here at the moment.' },
};

/** What is said where there is no link. */
export const UNKNOWN: Words = LINK_WORDS.DRAFT;

/** What is said where nobody knows whether there is one. */
export const UNAVAILABLE: Words = {
  title: 'This page cannot be reached just now',
  text: 'Nothing is wrong with your payment. Try again in a moment.',
};

/** What a refusal of the gateway means to a payer, by its code; of any other its own sentence is shown. */
export const REFUSALS: Readonly<Record<string, string>> = {
  LINK_NOT_FOUND: 'There is nothing to pay here any more.',
  LINK_INACTIVE: 'The merchant takes no payments here now.',
  LINK_EXHAUSTED: 'It has been paid, or is about to be, as often as it may. Try again later, or ask the merchant.',
  WALLET_LIMIT_REACHED: 'This wallet has paid here as often as it may. Ask the merchant.',
  PAYER_NOT_ALLOWED: 'The merchant takes payments from other wallets only.',
  PAYER_REQUIRED: 'Here it must be known who pays. Pay with a wallet in this browser.',
  PAYER_REFUSED: 'This wallet cannot pay here: it is the merchant’s own, or nobody’s.',
  AMOUNT_REQUIRED: 'Say how much you want to pay.',
  AMOUNT_INVALID: 'That is no amount that can be paid. Use digits and a point.',
  AMOUNT_REFUSED: 'The merchant does not take this amount.',
  FIELD_INVALID: 'One of the answers is not what is asked for.',
  ASSET_REQUIRED: 'Choose what to pay in.',
  ASSET_NOT_ACCEPTED: 'The merchant does not take this any more. Load the page again.',
  UNIQUE_AMOUNT_UNAVAILABLE:
    'Just now no amount can be found by which your payment would be known. Pay with a wallet in this browser, or tell us the transaction afterwards.',
  CHAIN_UNAVAILABLE:
    'The network is not being watched at the moment, so that payments would not be seen. Try again in a minute.',
  CHAIN_NOT_WATCHED: 'On this network nothing can be paid at the moment. Choose another one, or ask the merchant.',
  RATE_LIMITED: 'Too many payments were begun from here. Try again in a minute.',
  ORDER_NOT_FOUND: 'This payment is not known any more.',
  ORDER_NOT_CANCELABLE: 'It cannot be called off any more: something has arrived for it, or it is over.',
  ORDER_TAKES_NOTHING: 'This payment has all that was due, or is over.',
  TRANSFER_NOT_SEEN:
    'No such transaction to the merchant was seen yet. If you have just sent it, try again in a moment.',
  TRANSFER_TOO_OLD: 'That transaction is older than this payment.',
  TRANSFER_LATE: 'That transaction came after the time was over. Ask the merchant.',
  TRANSFER_TAKEN: 'That transaction was counted for something already.',
  CLAIM_NOT_SIGNED: 'That transaction was sent from another wallet. Sign with the wallet that sent it.',
  REFUND_NOT_FOUND: 'This refund is not known any more.',
  REFUND_CLOSED: 'It was said already where this refund goes.',
  REFUND_SIGNER_REFUSED: 'Only the wallet that has paid can say where it goes. If several have paid, ask the merchant.',
  DESTINATION_REFUSED: 'Money sent there would be lost. Name another address.',
  BAD_USER_INPUT: 'What was typed is not what is asked for. Check it for a slip.',
  SIGNATURE_CHECK_UNAVAILABLE: 'The signature cannot be checked at the moment. Try again in a minute.',
  UNAVAILABLE: 'The gateway cannot be reached just now. Try again in a moment.',
  NETWORK_FAILED: 'The gateway cannot be reached. Check your connection, and try again.',
};
