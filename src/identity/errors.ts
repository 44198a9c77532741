import { defineErrors } from '../kernel/errors.ts';

/** What can be refused while signing in and refreshing, in the order in which it is checked. */
export const identityErrors = defineErrors({
  SIWE_MALFORMED: {
    message: 'The text is not a Sign-In with Ethereum message, or not the one that the challenge gave out.',
    remedy:
      'Sign exactly the challenge’s `message`, or a text in the strict grammar of EIP-4361, and send it unchanged.',
    retryable: false,
  },
  SIWE_DOMAIN_MISMATCH: {
    message: 'The message’s domain is not one that people may sign in from here.',
    remedy: 'Use the domain of the challenge; an operator allows more with SIGN_IN_ORIGINS.',
    retryable: false,
  },
  SIWE_URI_MISMATCH: {
    message: 'The message’s URI does not belong to its domain, or not to one that people may sign in from here.',
    remedy: 'Use a URI of the origin that the person is on; an operator allows more with SIGN_IN_ORIGINS.',
    retryable: false,
  },
  SIWE_CHAIN_NOT_ALLOWED: {
    message: 'The message’s chain is not one that people may sign in with here.',
    remedy: 'Use one of the chains that `chains` lists; an operator allows more with SIGN_IN_CHAIN_IDS.',
    retryable: false,
  },
  SIWE_ISSUED_AT: {
    message: 'The message was issued too long ago, or in the future.',
    remedy: 'Ask for a new challenge, and check the clock of the device that made the message.',
    retryable: false,
  },
  SIWE_EXPIRED: {
    message: 'The message has expired.',
    remedy: 'Ask for a new challenge and sign that.',
    retryable: false,
  },
  SIWE_NOT_YET_VALID: {
    message: 'The message is not valid yet.',
    remedy: 'Wait until its `Not Before`, or ask for a new challenge.',
    retryable: false,
  },
  WALLET_KEY_PUBLIC: {
    message: 'Everybody knows the key of this wallet: it is one of a development chain.',
    remedy: 'Sign in with a wallet of your own.',
    retryable: false,
  },
  SIWE_NONCE_INVALID: {
    message: 'The nonce is unknown, used or expired.',
    remedy: 'Ask for a new challenge and sign that; each can be used once, within five minutes.',
    retryable: false,
  },
  SIWE_SIGNATURE_INVALID: {
    message: 'The signature is not the account’s signature of this message.',
    remedy: 'Let the wallet of the message’s address sign the text with personal_sign.',
    retryable: false,
  },
  SIGN_UP_CLOSED: {
    message: 'This wallet is not known here, and strangers cannot sign up.',
    remedy: 'Ask for an invitation; the operator has set SIGN_UP=invite-only.',
    retryable: false,
  },
  REFRESH_TOKEN_INVALID: {
    message: 'The refresh token is unknown, expired or of a session that has ended.',
    remedy: 'Sign in again.',
    retryable: false,
  },
  REFRESH_TOKEN_REUSED: {
    message: 'The refresh token was used before; its session has been ended, since somebody else may hold a copy.',
    remedy: 'Sign in again.',
    retryable: false,
  },
});
