/** What the API says of one failure. */
export interface AnsweredError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** What a failure of the client's own means; those of the API bring all of this with them. */
interface Failure {
  /** One sentence: what happened. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** The client's own failures, by their codes; the codes of the API are in docs/errors.md. */
export const clientFailures = {
  NETWORK_FAILED: {
    message: 'The gateway could not be reached, or went away before it had answered.',
    remedy: 'Try again where `retryable` says so; a deed without a key may have been done.',
  },
  ANSWER_UNREADABLE: {
    message: 'What came back is no answer of the gateway.',
    remedy: 'Check the `url`, and what stands between here and there; `status` is what it said.',
  },
  STREAM_SILENT: {
    message: 'Nothing came on a stream, not even a sign of life.',
    remedy: 'Subscribe again; the client does so by itself.',
  },
  SESSION_CHANGED: {
    message: 'Who is signed in, or where, has changed since this was asked.',
    remedy: 'Ask again, if it is still to be asked.',
  },
  SESSION_ENDED: {
    message: 'The session is over: it was ended here or elsewhere, or has lasted as long as it may.',
    remedy: 'Sign in again. Its `cause` says why, where the gateway did.',
  },
  NOT_SIGNED_IN: {
    message: 'Nobody is signed in.',
    remedy: 'Call `signIn()` first.',
  },
  WALLET_MISSING: {
    message: 'There is no wallet, or none with an account.',
    remedy: 'Hand one to `createTollhouseClient` or to the call: of viem or thirdweb, or an EIP-1193 provider.',
  },
  WALLET_REFUSED: {
    message: 'The person has refused in the wallet.',
    remedy: 'Nothing was done; offer it again.',
  },
  WALLET_FAILED: {
    message: 'The wallet could not sign.',
    remedy: 'The wallet’s own error is the `cause`.',
  },
  WEBHOOK_INVALID: {
    message: 'This is no webhook that the secret’s owner has sent just now.',
    remedy: 'Answer 400 and do nothing of it; `facts.reason` is for your own log.',
  },
} as const satisfies Record<string, Failure>;

/** What is known of a failure beside its code and its sentence. */
export interface FailureDetails {
  /** Whether the same call may succeed later without being changed. */
  readonly retryable?: boolean;
  /** What the code is about, as docs/errors.md tells. */
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly remedy?: string | undefined;
  /** Where the code is explained. */
  readonly docs?: string | undefined;
  /** What an operator finds it by in the log. */
  readonly requestId?: string | undefined;
  /** The status of the answer, if there was one. */
  readonly status?: number | undefined;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number | undefined;
  /** All that the answer says has failed; the error itself is the first of them. */
  readonly errors?: readonly AnsweredError[];
  /** What the answer holds all the same. */
  readonly data?: unknown;
  readonly cause?: unknown;
}

/** Whatever fails, but for a caller’s own abort: `code` says what, and `retryable` whether the same may succeed later. */
export class TollhouseError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly remedy: string | undefined;
  readonly docs: string | undefined;
  readonly requestId: string | undefined;
  readonly status: number | undefined;
  readonly retryAfter: number | undefined;
  readonly errors: readonly AnsweredError[];
  readonly data: unknown;

  constructor(code: string, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'TollhouseError';
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.facts = details.facts ?? {};
    this.remedy = details.remedy;
    this.docs = details.docs;
    this.requestId = details.requestId;
    this.status = details.status;
    this.retryAfter = details.retryAfter;
    this.errors = details.errors ?? [];
    this.data = details.data ?? null;
  }
}

/** Makes one of the client's own failures. */
export function failure(code: keyof typeof clientFailures, details: FailureDetails = {}): TollhouseError {
  const { message, remedy } = clientFailures[code];
  return new TollhouseError(code, message, { remedy, ...details });
}

/** Whether it is a failure with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): error is TollhouseError {
  return error instanceof TollhouseError && codes.includes(error.code);
}
