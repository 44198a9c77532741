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
  SIGNATURE_CHECK_UNSUPPORTED: {
    message:
      'The signature is not of the account’s own key, and there is no node here to ask a contract of this chain.',
    remedy:
      'Sign with an account of its own key, or with a contract wallet on a chain of `chains`; an operator adds CHAINS.',
    retryable: false,
  },
  SIGNATURE_CHECK_UNAVAILABLE: {
    message: 'The chain’s node could not be asked whether the signature is the account’s.',
    remedy: 'Try again shortly with the same text and signature; the nonce, or the refresh token, is still good.',
    retryable: true,
    status: 503,
  },
  THIRDWEB_NOT_CONFIGURED: {
    message: 'This installation does not take thirdweb’s payloads and tokens.',
    remedy:
      'Sign in with `signInWithEthereum`; an operator sets THIRDWEB_CLIENT_ID and THIRDWEB_SECRET_KEY for the others.',
    retryable: false,
  },
  THIRDWEB_TOKEN_INVALID: {
    message: 'thirdweb does not know the auth token, or not any more.',
    remedy: 'Let the person connect their in-app wallet again, and send its new auth token.',
    retryable: false,
  },
  THIRDWEB_UNAVAILABLE: {
    message: 'thirdweb could not be asked whose the auth token is.',
    remedy: 'Try again shortly with the same token; the nonce is still good. Wallets sign in without thirdweb.',
    retryable: true,
    status: 503,
  },
  DOMAIN_SIGN_IN_REFUSED: {
    message: 'This is an organization’s own domain, and the wallet is not one of its members’.',
    remedy: 'Sign in at the gateway’s own origin, or ask the organization to make you a member.',
    retryable: false,
  },
  SIGN_UP_CLOSED: {
    message: 'This wallet is not known here, and strangers cannot sign up.',
    remedy:
      'Ask for an invitation, to this wallet or by mail, and give the mail’s token as `invitationToken`: the operator has set SIGN_UP=invite-only.',
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
  LOCKED_OUT: {
    message: 'Signing in failed too often from here; it is refused for a while, whatever is handed in.',
    remedy: 'Wait as long as `Retry-After` says, then try again; each further failure lengthens the wait.',
    retryable: true,
    status: 429,
  },
  USER_NAME_TAKEN: {
    message: 'Somebody else has this user name.',
    remedy: 'Choose another one.',
    retryable: false,
  },
  SIGNER_NO_LONGER_VALID: {
    message:
      'The contract wallet no longer takes its own signature, since its owner was changed; the session has ended.',
    remedy: 'Sign in again, with who owns the wallet now.',
    retryable: false,
  },
  ORGANIZATION_NOT_JOINED: {
    message: 'There is no such organization that the signed-in user is a member of.',
    remedy: 'Switch to one that `viewer.memberships` lists.',
    retryable: false,
  },
  COOKIES_DISABLED: {
    message: 'This installation keeps no tokens in cookies.',
    remedy: 'Leave out `transport` and keep the tokens yourself; an operator allows cookies with COOKIES=1.',
    retryable: false,
  },
  CSRF_REFUSED: {
    message: 'The request has a cookie, and nothing that shows that a page of ours has sent it.',
    remedy:
      'Send it as a POST with the header `X-Tollhouse-CSRF: 1`, from a page of one of SIGN_IN_ORIGINS; or send an access token as `Authorization: Bearer …` instead.',
    retryable: false,
    status: 403,
  },
  WALLET_NOT_YOURS: {
    message: 'The wallet that was proved is not one of the signed-in user.',
    remedy: 'Sign with one of the wallets that `viewer.user.wallets` lists.',
    retryable: false,
  },
  WALLET_UNKNOWN: {
    message: 'There is no such wallet of the signed-in user.',
    remedy: 'Name one that `viewer.user.wallets` lists, by its id.',
    retryable: false,
  },
  IDENTITY_LINKED_TO_OTHER_USER: {
    message: 'It belongs to another user here.',
    remedy:
      'With a `mergeTicket`, merge with that user by it. Without one, prove a wallet of that user with `linkWallet` instead; or unlink it there first, or link another one.',
    retryable: false,
  },
  MERGE_TICKET_INVALID: {
    message: 'The merge ticket is unknown, used, expired or another user’s.',
    remedy: 'Prove the other user’s wallet again with `linkWallet`; each ticket can be used once, within ten minutes.',
    retryable: false,
  },
  MERGE_REFUSED: {
    message: 'These two users cannot be merged.',
    remedy: 'Ask the operator of this installation.',
    retryable: false,
  },
  LAST_OWNER: {
    message: 'The user is the only owner of an organization that has other members.',
    remedy: 'Let somebody else own each of the `organizations` first.',
    retryable: false,
  },
  ORGANIZATION_HAS_OPEN_MONEY: {
    message: 'In an organization that would go, an order is open, or money came in that paid none.',
    remedy: 'Wait until the orders of the `organizations` are final or have expired unpaid, then try again.',
    retryable: false,
  },
  IDENTITY_UNKNOWN: {
    message: 'There is no such identity of the signed-in user.',
    remedy: 'Name one that `viewer.identities` or `viewer.user.wallets` lists, by its id.',
    retryable: false,
  },
  EMAIL_CODE_INVALID: {
    message: 'The code is not the one that was sent to this address last, or it was used or has expired.',
    remedy: 'Type the code of the newest mail; or ask for another one with `createEmailCode`.',
    retryable: false,
  },
  MAIL_UNAVAILABLE: {
    message: 'The mail could not be sent.',
    remedy: 'Try again shortly; what was not sent does not count against any limit.',
    retryable: true,
    status: 503,
  },
  MAIL_NOT_CONFIGURED: {
    message: 'This installation sends no mails.',
    remedy: 'Ask its operator, who sets SMTP_URL and MAIL_FROM.',
    retryable: false,
  },
  LAST_IDENTITY: {
    message: 'It is the last wallet: without it nobody could sign in as this user again.',
    remedy: 'Link another wallet first.',
    retryable: false,
  },
  WALLET_IN_USE: {
    message: 'The wallet receives the money of an active payment link.',
    remedy: 'Keep it while links of an organization whose payments you may write pay to it.',
    retryable: false,
  },
});
