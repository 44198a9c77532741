import { defineErrors, type GatewayError, kernelErrors } from '../kernel/errors.ts';

/** Failures that the database itself decides while it sets the scene or runs a statement. */
export const databaseErrors = defineErrors({
  MEMBERSHIP_ENDED: {
    message: 'The signed-in user is no longer a member of the session’s organization.',
    remedy: 'Sign in again to work in another organization.',
    retryable: false,
  },
  ORGANIZATION_SUSPENDED: {
    message: 'The organization is suspended.',
    remedy: 'Ask the operator of this installation.',
    retryable: false,
  },
  USER_DISABLED: {
    message: 'The user is disabled.',
    remedy: 'Ask the operator of this installation.',
    retryable: false,
  },
  STEP_UP_REQUIRED: {
    message: 'This asks for a fresh proof that it is you, and your last one in this session is too long ago.',
    remedy: 'Prove a wallet of yours with `createWalletChallenge` for `STEP_UP` and `stepUp`, then try again.',
    retryable: false,
  },
  SESSION_BOUND: {
    message: 'The session was begun on an organization’s own domain, and is good for working there alone.',
    remedy: 'Sign in at the gateway’s own origin to change your account, or to work in another organization.',
    retryable: false,
  },
  IMPERSONATION_READ_ONLY: {
    message: 'An operator who looks into an organization can read, and nothing else.',
    remedy: 'Ask for queries alone with this token.',
    retryable: false,
    status: 403,
  },
  OWNER_REQUIRED: {
    message: 'The organization would be left without an owner.',
    remedy: 'Make somebody else an owner first, with `updateMembership`.',
    retryable: false,
  },
  API_KEY_REFUSED: {
    message: 'There is no such API key, or it was revoked or has expired.',
    remedy: 'Send a key that is good, as it was shown when it was made.',
    retryable: false,
    status: 401,
  },
  API_KEY_NOT_FROM_HERE: {
    message: 'The API key is not good from this address or origin.',
    remedy: 'Ask from one that the key allows, or let `updateApiKey` allow this one.',
    retryable: false,
    status: 403,
  },
  API_KEY_UNCONFIRMED: {
    message: 'Nobody answers for the API key: whoever did is no member any more.',
    remedy: 'Let an owner of the organization confirm it with `confirmApiKey`.',
    retryable: false,
    status: 403,
  },
  TOO_MANY_IDENTITIES: {
    message: 'The user would have more than a hundred identities; none was added.',
    remedy: 'Give up some that `viewer.identities` lists, with `unlinkIdentity`, then try again.',
    retryable: false,
  },
  TOO_MANY_DOMAINS: {
    message: 'The organization would have more than fifty domains; none was added.',
    remedy: 'Remove some that `organization.domains` lists, then try again.',
    retryable: false,
  },
  TOO_MANY_ROLES: {
    message: 'The organization would have more than fifty custom roles; none was made.',
    remedy: 'Delete some that `organization.roles` lists, then try again.',
    retryable: false,
  },
  MEMBER_LIMIT_REACHED: {
    message: 'The organization has as many members as it may.',
    remedy: 'Ask its owners to remove somebody, or the operator of this installation for more; then accept it again.',
    retryable: false,
  },
  LINK_LIMIT_REACHED: {
    message: 'The organization has as many payment links as it may; archived and deleted ones do not count.',
    remedy: 'Archive some, or ask the operator of this installation for more, then try again.',
    retryable: false,
  },
  CONFLICT: {
    message: 'Somebody else changed the same thing at the same moment; nothing was written.',
    remedy: 'Try again.',
    retryable: true,
  },
  CONSISTENCY_CONFLICT: {
    message: 'Something that this decision depends on was told since it was read; nothing was written.',
    remedy: 'Read the events again, to the cursor that `position` tells, and decide anew.',
    retryable: true,
  },
  OUTCOME_UNKNOWN: {
    message: 'The connection to the database died while this was being written; it may have happened, or not.',
    remedy: 'Look whether it happened before you try again. With an idempotency key it can simply be tried again.',
    retryable: false,
    status: 503,
  },
  TIMED_OUT: {
    message: 'The database took too long; the statement was given up and nothing was written.',
    remedy: 'Ask for less at once, or try again.',
    retryable: true,
  },
});

/** What a SQLSTATE means to the caller; the TH… ones are raised by our own functions in the database. */
const BY_SQLSTATE: Readonly<Record<string, (cause: unknown) => GatewayError>> = {
  TH401: (cause) => kernelErrors.UNAUTHENTICATED({}, { cause }),
  TH403: (cause) => databaseErrors.MEMBERSHIP_ENDED({}, { cause }),
  TH410: (cause) => databaseErrors.USER_DISABLED({}, { cause }),
  // the one fact that it tells is the last word of what it says: Prisma keeps nothing else of an error
  TH412: (cause) =>
    databaseErrors.CONSISTENCY_CONFLICT({ position: (cause as Error).message.split(' ').at(-1) ?? '' }, { cause }),
  TH423: (cause) => databaseErrors.ORGANIZATION_SUSPENDED({}, { cause }),
  TH409: (cause) => databaseErrors.SESSION_BOUND({}, { cause }),
  TH428: (cause) => databaseErrors.STEP_UP_REQUIRED({}, { cause }),
  TH429: (cause) => {
    const seconds = Number((cause as Error).message.split(' ').at(-1));
    return kernelErrors.RATE_LIMITED({ seconds, limit: 'monthly' }, { cause, retryAfter: seconds });
  },
  TH430: (cause) => databaseErrors.OWNER_REQUIRED({}, { cause }),
  TH451: (cause) => databaseErrors.API_KEY_REFUSED({}, { cause }),
  TH452: (cause) => databaseErrors.API_KEY_NOT_FROM_HERE({}, { cause }),
  TH453: (cause) => databaseErrors.API_KEY_UNCONFIRMED({}, { cause }),
  TH461: (cause) => databaseErrors.TOO_MANY_IDENTITIES({ most: 100 }, { cause }),
  TH462: (cause) => databaseErrors.TOO_MANY_DOMAINS({ most: 50 }, { cause }),
  TH463: (cause) => databaseErrors.MEMBER_LIMIT_REACHED({}, { cause }),
  TH464: (cause) =>
    databaseErrors.LINK_LIMIT_REACHED({ most: Number((cause as Error).message.split(' ').at(-1)) }, { cause }),
  TH465: (cause) => {
    const seconds = Number((cause as Error).message.split(' ').at(-1));
    return kernelErrors.RATE_LIMITED({ seconds }, { cause, retryAfter: seconds });
  },
  TH468: (cause) => databaseErrors.TOO_MANY_ROLES({ most: 50 }, { cause }),
  // a primary that has become a standby
  '25006': (cause) => kernelErrors.UNAVAILABLE({}, { cause }),
  '26000': (cause) => databaseErrors.CONFLICT({}, { cause }),
  '40001': (cause) => databaseErrors.CONFLICT({}, { cause }),
  '40P01': (cause) => databaseErrors.CONFLICT({}, { cause }),
  '42501': (cause) => kernelErrors.FORBIDDEN({}, { cause }),
  '55P03': (cause) => databaseErrors.CONFLICT({}, { cause }),
  '57014': (cause) => databaseErrors.TIMED_OUT({}, { cause }),
};

/** What the server says, under a code for many things, when a migration changed a table under a prepared statement. */
const TABLE_CHANGED = 'cached plan must not change result type';

/** SQLSTATE classes of a server that is away, starting, stopping or full. */
const UNAVAILABLE = /^(08|53|57P)/;

/** SQLSTATE classes of a connection that the server has given up. */
const SESSION_LOST = /^(08(?!P01)|57P)/;

/** What `pg` or Prisma says, with no SQLSTATE, when a connection died. */
const CONNECTION_LOST = new RegExp(
  [
    'Connection terminated',
    'Client has encountered a connection error',
    'Client was closed',
    'ConnectionClosed|SocketTimeout',
    'ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|ENOTCONN|ENETRESET',
  ].join('|'),
);

/** And when none could be had. */
const NO_CONNECTION = new RegExp(
  [
    'timeout exceeded when trying to connect',
    'Cannot use a pool after calling end',
    'Unable to start a transaction in the given time',
    'DatabaseNotReachable',
    'ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN',
  ].join('|'),
);

/** What Prisma says of an interactive transaction that was open for too long. */
const EXPIRED = /expired transaction/;

/** The failure a caller is shown for what went wrong in the database, or null when it is a fault of ours. */
export function explainDatabaseError(error: unknown): GatewayError | null {
  const { code, kind, message } = error as { code?: unknown; kind?: unknown; message?: unknown };
  if (typeof code === 'string') {
    const known = BY_SQLSTATE[code];
    if (known) return known(error);
    if (code === '0A000' && message === TABLE_CHANGED) return databaseErrors.CONFLICT({}, { cause: error });
    if (UNAVAILABLE.test(code)) return kernelErrors.UNAVAILABLE({}, { cause: error });
  }
  const said = wordsOf({ message, code, kind });
  if (EXPIRED.test(said)) return databaseErrors.TIMED_OUT({}, { cause: error });
  if (CONNECTION_LOST.test(said) || NO_CONNECTION.test(said)) return kernelErrors.UNAVAILABLE({}, { cause: error });
  return null;
}

/** The code that an error came with, such as a SQLSTATE; empty when it has none. */
export function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** Whether a connection died under a statement, so that nobody can say how far it came. */
export function isConnectionLost(error: unknown): boolean {
  const { code, kind, message } = error as { code?: unknown; kind?: unknown; message?: unknown };
  return (
    (typeof code === 'string' && SESSION_LOST.test(code)) || CONNECTION_LOST.test(wordsOf({ message, code, kind }))
  );
}

/** Whether what was sent may have been done all the same: the server has not said that it was not. */
export function mayHaveHappened(error: unknown): boolean {
  const { code, kind, message } = error as { code?: unknown; kind?: unknown; message?: unknown };
  return isConnectionLost(error) || NO_CONNECTION.test(wordsOf({ message, code, kind }));
}

function wordsOf({ message, code, kind }: { message: unknown; code: unknown; kind: unknown }): string {
  return [message, code, kind].filter((word) => typeof word === 'string').join(' ');
}

/** Whether the server refused a row because there is one like it, inside whatever Prisma wraps around that. */
export function isUniqueViolation(error: unknown): boolean {
  return hasSqlState(error, '23505');
}

/** Whether the server kept a row because others point at it; from version 18 on that has a code of its own. */
export function isStillPointedAt(error: unknown): boolean {
  return hasSqlState(error, '23001') || hasSqlState(error, '23503');
}

/** Whether the server refused a row because what it points at is not there. */
export function isForeignKeyViolation(error: unknown): boolean {
  return hasSqlState(error, '23503');
}

/**
 * What one of our functions in the database has told with its own state: the last word of what it said, which is all that
 * Prisma keeps of an error; null when this is another error.
 */
export function raisedFact(error: unknown, state: string): string | null {
  return messageOf(error, state)?.split(' ').at(-1) ?? null;
}

function hasSqlState(error: unknown, state: string): boolean {
  return messageOf(error, state) !== null;
}

/** What the server said with a state, inside whatever is wrapped around that. */
function messageOf(error: unknown, state: string, depth = 0): string | null {
  if (typeof error !== 'object' || error === null || depth > 5) return null;
  const { cause, code, originalCode, message, originalMessage, meta } = error as Readonly<Record<string, unknown>>;
  if (code === state || originalCode === state) return String(originalMessage ?? message ?? '');
  const { driverAdapterError } = (meta ?? {}) as { driverAdapterError?: unknown };
  return messageOf(cause, state, depth + 1) ?? messageOf(driverAdapterError, state, depth + 1);
}
