import { defineErrors } from '../kernel/errors.ts';

/** What can be wrong with a chain or an asset that is asked for. */
export const chainErrors = defineErrors({
  ASSET_UNKNOWN: {
    message: 'The asset is not one that this installation takes payments in.',
    remedy: 'Use the CAIP-19 name of an asset that `chains` lists.',
    retryable: false,
  },
  CHAIN_UNAVAILABLE: {
    message: 'The chain is not being read at the moment, so a payment could not be seen.',
    remedy: 'Try again in a minute, or pay on another chain.',
    retryable: true,
  },
  CHAIN_NOT_WATCHED: {
    message: 'Nobody watches the chain any more, so a payment could not be seen.',
    remedy: 'Pay on another chain that the link accepts, or ask the merchant.',
    retryable: false,
  },
});
