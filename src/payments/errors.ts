import { defineErrors } from '../kernel/errors.ts';

/** What can be refused when links are made and orders are asked for. */
export const paymentErrors = defineErrors({
  PAYEE_NOT_PROVED: {
    message: 'The payee is not a wallet that this organization has proved.',
    remedy:
      'Use a wallet that a member who may write payments has signed in with or linked. Of money that is there already, let ' +
      'such a member sign in with that wallet or link it, then decide. As a payer, choose another of the link’s `accepts`, ' +
      'or ask the merchant.',
    retryable: false,
  },
  PAYEE_REFUSED: {
    message: 'Money sent to this payee would be lost.',
    remedy:
      'Use a wallet; not the zero address, not the token itself, and no contract on a chain where it is not there.',
    retryable: false,
  },
  AMOUNT_INVALID: {
    message: 'The amount is not one that can be asked for.',
    remedy:
      'Use a positive amount in whole tokens with at most as many decimals as the asset has: `amount` of a fixed price, ' +
      '`minAmount` and `maxAmount` of an open one.',
    retryable: false,
  },
  ACCEPTS_INVALID: {
    message: 'A link needs one to twenty ways to pay, each in another asset.',
    remedy: 'Name each asset once.',
    retryable: false,
  },
  LINE_ITEMS_INVALID: {
    message: 'The line items are not ones that can be paid.',
    remedy: 'Give 1 to 50 of them, each with a quantity and one price in each asset; and none with another pricing.',
    retryable: false,
  },
  FIELDS_INVALID: {
    message: 'What payers are to be asked for cannot be asked like that.',
    remedy: 'Correct the field that the facts name.',
    retryable: false,
  },
  LINK_SLUG_TAKEN: {
    message: 'This slug is somebody’s, or was: none is given away twice.',
    remedy: 'Choose another one, or none for a slug that nobody can guess.',
    retryable: false,
  },
  REDIRECT_ORIGIN_REFUSED: {
    message: 'Payers are not sent on to this origin.',
    remedy:
      'Add it to the organization’s `redirectOrigins`, or verify its domain; it needs https outside of development.',
    retryable: false,
  },
  PAYMENT_LINK_NOT_FOUND: {
    message: 'There is no such payment link.',
    remedy: 'Use the link’s id as the API gave it.',
    retryable: false,
  },
  LINK_STATUS_REFUSED: {
    message: 'A link of this status cannot become that, or cannot be changed.',
    remedy:
      'A link goes from DRAFT to ACTIVE, from ACTIVE to PAUSED and back, and from each of them to ARCHIVED for good.',
    retryable: false,
  },
  LINK_HAS_OPEN_ORDERS: {
    message: 'Somebody is about to pay the link.',
    remedy: 'Pause or archive it, wait until its orders are over or cancel them, then delete it.',
    retryable: true,
  },
  LINK_NOT_FOUND: {
    message: 'There is no payment link of this name.',
    remedy: 'Check the address that the merchant gave you.',
    retryable: false,
  },
  LINK_INACTIVE: {
    message: 'The payment link takes no payments now.',
    remedy: 'Ask the merchant.',
    retryable: false,
  },
  LINK_EXHAUSTED: {
    message: 'The payment link has been paid, or is about to be, as often as it may.',
    remedy: 'Ask the merchant; if somebody gives up, it can be paid again.',
    retryable: true,
  },
  WALLET_LIMIT_REACHED: {
    message: 'This wallet has paid the link, or is about to, as often as it may.',
    remedy: 'Ask the merchant.',
    retryable: false,
  },
  PAYER_NOT_ALLOWED: {
    message: 'The payment link is for other wallets.',
    remedy: 'Pay with a wallet that the merchant has allowed.',
    retryable: false,
  },
  AMOUNT_REQUIRED: {
    message: 'The payer chooses what to pay here.',
    remedy: 'Send the `amount`, between the least and the most that the link takes.',
    retryable: false,
  },
  AMOUNT_REFUSED: {
    message: 'The link does not take this amount.',
    remedy: 'Send an `amount` between the least and the most, or none where the price is given.',
    retryable: false,
  },
  FIELD_INVALID: {
    message: 'What was said in a field is not what it asks for.',
    remedy: 'Correct the field whose key the facts name; `checkout` tells what each asks for.',
    retryable: false,
  },
  ASSET_REQUIRED: {
    message: 'The link can be paid in several assets.',
    remedy: 'Name the `asset` to pay in, by its CAIP-19 name.',
    retryable: false,
  },
  ASSET_NOT_ACCEPTED: {
    message: 'The link cannot be paid in this asset.',
    remedy: 'Name one of the link’s `accepts`.',
    retryable: false,
  },
  PAYER_REQUIRED: {
    message: 'The wallet that will pay must be named.',
    remedy: 'Send the `payer`’s address; payments are matched by it.',
    retryable: false,
  },
  PAYER_REFUSED: {
    message: 'This address cannot pay: others send in its name, or it is the payee.',
    remedy: 'Name the wallet that the payment comes from; not the zero address, the payee, or the token itself.',
    retryable: false,
  },
  UNIQUE_AMOUNT_UNAVAILABLE: {
    message: 'No amount can be asked for that would tell this payment from others.',
    remedy:
      'Name the `payer`, or ask for the matching `CLAIM`. Where all amounts are taken (`NONE_FREE`), some are free again ' +
      'later; where a fee is taken off (`TAKES_FEE`) or the price leaves none (`INDIVISIBLE`, `PRICE_TOO_SMALL`), never.',
    retryable: false,
  },
  ORDER_NOT_FOUND: {
    message: 'There is no such order.',
    remedy: 'Use the order’s id as the API gave it, or the payer’s token.',
    retryable: false,
  },
  ORDER_NOT_CANCELABLE: {
    message: 'The order cannot be called off: something has arrived for it, or it is over.',
    remedy: 'Look at its status.',
    retryable: false,
  },
  ORDER_UNDECIDED: {
    message: 'Whether the order has been paid is not known yet.',
    remedy:
      'Try again in a moment: a transfer that may be for it was seen and not judged yet (`TRANSFER_SEEN`), or its chain ' +
      'is not read as far as it goes (`CHAIN_BEHIND`, `CHAIN_HALTED`).',
    retryable: true,
  },
  ORDER_NOT_UNDERPAID: {
    message: 'The order has no part of what was due that could be accepted.',
    remedy: 'Accept orders that are `EXPIRED` and `UNDERPAID`, and of which nothing is being refunded.',
    retryable: false,
  },
  ORDER_TAKES_NOTHING: {
    message: 'The order takes no more payments: it has all that was due, it is over, or something of it goes back.',
    remedy:
      'Look at its `status`, or at its refunds where the `reason` is `REFUND`; ask the merchant about what was sent.',
    retryable: false,
  },
  TRANSFER_NOT_SEEN: {
    message:
      'No transfer to the order’s payee, in its asset, has been seen in this transaction, or it was not judged yet.',
    remedy: 'Check the transaction’s hash; if it was mined a moment ago, try again.',
    retryable: true,
  },
  TRANSFER_TOO_OLD: {
    message: 'The transfer is older than the order.',
    remedy: 'Claim one that was sent after the order was made.',
    retryable: false,
  },
  TRANSFER_LATE: {
    message: 'The transfer came after the order’s time.',
    remedy: 'Ask the merchant, who may claim it.',
    retryable: false,
  },
  TRANSFER_TAKEN: {
    message: 'The transfer has been counted for something already, or names something else that it is for.',
    remedy: 'Claim another one.',
    retryable: false,
  },
  CLAIM_NOT_SIGNED: {
    message: 'The claim is not signed by whoever sent the transfer.',
    remedy: 'Let the sender’s wallet sign the order’s `claimMessage` with personal_sign.',
    retryable: false,
  },
  UNMATCHED_PAYMENT_NOT_FOUND: {
    message: 'There is no such entry in the inbox.',
    remedy: 'Use an id that `organization.unmatchedPayments` lists.',
    retryable: false,
  },
  UNMATCHED_PAYMENT_CLOSED: {
    message: 'The entry of the inbox has been decided about already, or the chain took its transfer back.',
    remedy: 'Look at its `status`; its `refund` can be called off with `cancelRefund`.',
    retryable: false,
  },
  ASSET_MISMATCH: {
    message: 'The order is paid in another asset, on another chain, or to another account.',
    remedy: 'Choose an order of the transfer’s own asset and payee, or refund the transfer.',
    retryable: false,
  },
  REFUND_NOT_FOUND: {
    message: 'There is no such refund.',
    remedy: 'Use the refund’s id as the API gave it.',
    retryable: false,
  },
  REFUND_CLOSED: {
    message: 'The refund cannot be changed in this way any more.',
    remedy: 'Look at its `status`. A destination is said once; a refund is called off before its transfer is seen.',
    retryable: false,
  },
  REFUND_UNDECIDED: {
    message: 'Whether the refund has been sent is not known yet.',
    remedy:
      'Try again in a moment: a transfer of just so much to its destination was seen and not judged yet ' +
      '(`TRANSFER_SEEN`), or its chain is not read as far as it goes (`CHAIN_BEHIND`, `CHAIN_HALTED`).',
    retryable: true,
  },
  REFUND_EXCEEDS: {
    message: 'That is more than what was credited to the order and is not being refunded.',
    remedy:
      'Ask for `mostUnits` at most, in the asset’s smallest units, or call off another refund of the order; where it is 0, ' +
      'nothing is left.',
    retryable: false,
  },
  REFUND_SIGNER_REFUSED: {
    message: 'The destination is not signed by the one account that has paid the order.',
    remedy:
      'Let the account whose transfers were credited sign the refund’s `message` with personal_sign; where several have paid, an owner of the merchant says where it goes.',
    retryable: false,
  },
  DESTINATION_REFUSED: {
    message: 'Money sent there would be lost, or would be where it is.',
    remedy: 'Name another account; not the zero address, the token itself, or the payee.',
    retryable: false,
  },
  REFERENCE_TAKEN: {
    message: 'A payment with this reference has been recorded already.',
    remedy: 'Look it up in `organization.providerTransactions`, or use the reference that this one has.',
    retryable: false,
  },
  MANUAL_PAYMENT_NOT_FOUND: {
    message: 'There is no such payment that a member has recorded.',
    remedy: 'Use the id of a provider transaction of `manual`, as the API gave it.',
    retryable: false,
  },
  MANUAL_PAYMENT_CLOSED: {
    message: 'What was recorded cannot be taken back: it does not count, or its order can never be another.',
    remedy:
      'Look at the status. `REVERSED`: it counts no more, and nothing is to be done. `CANCELED`, `FAILED`, `FINAL`: its order stays as it is; give money back with `requestRefund`, if it has any.',
    retryable: false,
  },
  DESTINATION_NEEDS_OWNER: {
    message: 'Only an owner says where a refund goes, unless its payer does.',
    remedy: 'Ask an owner of the organization, or the payer to sign the refund’s `message`.',
    retryable: false,
  },
});
