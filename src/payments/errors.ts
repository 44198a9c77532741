import { defineErrors } from '../kernel/errors.ts';

/** What can be refused when links are made and orders are asked for. */
export const paymentErrors = defineErrors({
  PAYEE_NOT_PROVED: {
    message: 'The payee is not a wallet that this organization has proved.',
    remedy: 'Use a wallet that a member who may write payments has signed in with or linked.',
    retryable: false,
  },
  PAYEE_REFUSED: {
    message: 'Money sent to this payee would be lost.',
    remedy: 'Use a wallet; not the zero address, and not the token itself.',
    retryable: false,
  },
  AMOUNT_INVALID: {
    message: 'The amount is not one that the asset can express.',
    remedy: 'Use a positive amount in whole tokens with at most as many decimals as the asset has.',
    retryable: false,
  },
  ACCEPTS_INVALID: {
    message: 'A link needs one to twenty ways to pay, each in another asset.',
    remedy: 'Name each asset once.',
    retryable: false,
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
});
