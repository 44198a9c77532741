/** What one failure means to the person who reads it; a domain keeps all of its own in one table. */
export interface FailureDefinition {
  /** One sentence: what happened. */
  readonly message: string;
  /** What the caller can do about it. */
  readonly remedy: string;
  /** Whether the same call may succeed later without being changed. */
  readonly retryable: boolean;
  /** The HTTP status of a request that failed as a whole for this reason; 400 when absent. */
  readonly status?: number;
}

/** Facts about one failure, safe to show to whoever caused it. */
export type Facts = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** The only error that a caller is ever shown; everything else is masked at the gateway's door. */
export class GatewayError extends Error {
  readonly code: string;
  readonly definition: FailureDefinition;
  readonly facts: Facts;
  /** Seconds after which trying again makes sense; sent as `Retry-After`. */
  readonly retryAfter: number | undefined;

  constructor(code: string, definition: FailureDefinition, facts: Facts = {}, options: FailureOptions = {}) {
    super(definition.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.definition = definition;
    this.facts = facts;
    this.retryAfter = options.retryAfter;
  }
}

interface FailureOptions {
  readonly cause?: unknown;
  readonly retryAfter?: number;
}

/** Makes one failure of a table: `throw identityErrors.SIWE_EXPIRED({ expiredAt })`. */
export type FailureFactory = (facts?: Facts, options?: FailureOptions) => GatewayError;

/** Turns a domain's table of failures into one factory a code; the table stays readable as `definitions`. */
export function defineErrors<Code extends string>(
  definitions: Readonly<Record<Code, FailureDefinition>>,
): Readonly<Record<Code, FailureFactory>> & { readonly definitions: Readonly<Record<Code, FailureDefinition>> } {
  const factories = Object.fromEntries(
    Object.entries<FailureDefinition>(definitions).map(([code, definition]): [string, FailureFactory] => [
      code,
      (facts, options) => new GatewayError(code, definition, facts, options),
    ]),
  ) as Record<Code, FailureFactory>;
  return Object.assign(factories, { definitions });
}

/** Failures that belong to no domain: the request itself, who is asking, and what we could not do. */
export const kernelErrors = defineErrors({
  BAD_REQUEST: {
    message: 'The request is not a GraphQL request that this server can read.',
    remedy: 'Send a POST with a JSON body { "query": "…", "variables": { … } } and content-type application/json.',
    retryable: false,
    status: 400,
  },
  BAD_USER_INPUT: {
    message: 'An input has a value that is not allowed.',
    remedy: 'Correct the input that the facts name.',
    retryable: false,
  },
  GRAPHQL_PARSE_FAILED: {
    message: 'The document is not valid GraphQL.',
    remedy: 'Correct the syntax at the place that the error names.',
    retryable: false,
    status: 400,
  },
  GRAPHQL_VALIDATION_FAILED: {
    message: 'The document does not fit the schema.',
    remedy: 'Compare the document with schema.graphql, or with the playground.',
    retryable: false,
    status: 400,
  },
  DOCUMENT_TOO_LARGE: {
    message: 'The document is larger, deeper or wider than this server accepts.',
    remedy: 'Split it into several smaller documents.',
    retryable: false,
    status: 400,
  },
  UNAUTHENTICATED: {
    message: 'Nobody is signed in, or the session has ended.',
    remedy: 'Sign in, or refresh the session, and send its access token as `Authorization: Bearer …`.',
    retryable: false,
    status: 401,
  },
  FORBIDDEN: {
    message: 'The signed-in user may not do this in the active organization.',
    remedy: 'Ask an owner or an admin of the organization.',
    retryable: false,
  },
  NEEDS_A_PERSON: {
    message: 'An API key cannot do this; it is for people.',
    remedy: 'Sign in, and send the session’s access token instead of the key.',
    retryable: false,
    status: 403,
  },
  INVALID_CURSOR: {
    message: 'The cursor is not one that this connection gave out.',
    remedy: 'Use `pageInfo.endCursor` or an edge’s `cursor` as it was received, with the same ordering.',
    retryable: false,
  },
  RATE_LIMITED: {
    message: 'Too many of these in a short time.',
    remedy: 'Wait as long as `Retry-After` says, then try again.',
    retryable: true,
    status: 429,
  },
  UNAVAILABLE: {
    message: 'The service cannot answer at the moment.',
    remedy: 'Try again shortly.',
    retryable: true,
    status: 503,
  },
  INTERNAL: {
    message: 'Something failed on our side.',
    remedy: 'Try again; if it persists, tell the operator the request id.',
    retryable: false,
  },
});
