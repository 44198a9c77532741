import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { explainDatabaseError } from '../database/errors.ts';
import { defineErrors, GatewayError, kernelErrors } from '../kernel/errors.ts';
import { isUuid } from '../kernel/ids.ts';

/** Failures of carrying GraphQL over HTTP. */
export const graphqlErrors = defineErrors({
  PATH_NOT_FOUND: {
    message: 'There is nothing at this path.',
    remedy: 'GraphQL is served at /graphql, health at /health/live and /health/ready.',
    retryable: false,
    status: 404,
  },
  METHOD_NOT_ALLOWED: {
    message: 'This method is not allowed here.',
    remedy: 'Send queries by GET or POST and mutations by POST.',
    retryable: false,
    status: 405,
  },
  ANSWER_LOST: {
    message: 'It was done, but what it made could not be read for the answer.',
    remedy: 'Ask for it by a query; do not do it again, unless with the same idempotency key.',
    retryable: false,
    status: 503,
  },
  NOT_ACCEPTABLE: {
    message: 'None of the media types in the Accept header can be answered.',
    remedy: 'Accept application/json or application/graphql-response+json, and text/event-stream for subscriptions.',
    retryable: false,
    status: 406,
  },
  TOO_MANY_STREAMS: {
    message: 'Too many streams are open already.',
    remedy: 'Close one that is no longer needed, and try again.',
    retryable: true,
    status: 429,
  },
  UNSUPPORTED_MEDIA_TYPE: {
    message: 'The body is not of a media type that this server reads.',
    remedy: 'Send JSON in UTF-8, uncompressed, with content-type application/json.',
    retryable: false,
    status: 415,
  },
});

/** The request that an error belongs to: its id is shown, and its log hears of what is our own fault. */
export interface FailedRequest {
  readonly requestId: string;
  readonly log: Logger;
  /** Whether what was asked for is a mutation, as soon as that is known. */
  readonly mutates?: boolean;
}

/** An error as the caller sees it, and what it means for the answer's HTTP head. */
export interface ShownError {
  readonly body: GraphQLFormattedError;
  readonly failure: GatewayError;
  /** The HTTP status of an answer that has no data because of this error. */
  readonly status: number;
}

/** Where the codes are explained; each has an anchor of its own in lower case. */
const DOCS = 'docs/errors.md';
const LONGEST_MESSAGE = 500;

/** The one door through which an error becomes what a caller sees; what we do not know is masked, and logged by its id. */
export function showError(error: unknown, request: FailedRequest): ShownError {
  const { failure, message } = afterTheDeed(explain(error), error, request);
  const { code, definition, facts } = failure;
  const { locations, path } = error instanceof GraphQLError ? error : {};
  const internal = code === 'INTERNAL';
  if (internal || (definition.status ?? 0) >= 500) {
    const faults = {
      requestId: request.requestId,
      code,
      path: path?.join('.'),
      err: describeFault(failure.cause ?? failure),
    };
    if (internal) request.log.error(faults, 'a request failed through a fault of ours');
    else request.log.warn(faults, 'a request found something unavailable');
  }
  return {
    failure,
    status: definition.status ?? (internal ? 500 : 400),
    body: {
      message: shorten(message ?? definition.message),
      ...(locations && { locations }),
      ...(path && { path }),
      extensions: {
        code,
        retryable: definition.retryable,
        remedy: definition.remedy,
        docs: `${DOCS}#${code.toLowerCase()}`,
        requestId: request.requestId,
        ...(Object.keys(facts).length > 0 && { facts }),
      },
    },
  };
}

/** Whoever is told one of these signs in anew and asks again, or asks somebody to let them. */
const NOBODY_ANY_MORE = new Set([
  'UNAUTHENTICATED',
  'MEMBERSHIP_ENDED',
  'USER_DISABLED',
  'ORGANIZATION_SUSPENDED',
  'API_KEY_REFUSED',
  'API_KEY_NOT_FROM_HERE',
  'API_KEY_UNCONFIRMED',
]);

/** What fails below a mutation's own field fails after the deed, which must not be repeated for it. */
function afterTheDeed(explanation: Explanation, error: unknown, { mutates = false }: FailedRequest): Explanation {
  const below = error instanceof GraphQLError && (error.path?.length ?? 0) > 1;
  const { failure } = explanation;
  const { code: reason, definition } = failure;
  if (!mutates || !below || !(definition.retryable || NOBODY_ANY_MORE.has(reason))) return explanation;
  return { failure: graphqlErrors.ANSWER_LOST({ reason }, { cause: failure }) };
}

interface Explanation {
  readonly failure: GatewayError;
  /** What graphql-js says of the document or its variables, which tells more than the code's own sentence. */
  readonly message?: string;
}

function explain(error: unknown): Explanation {
  const root = rootOf(error);
  if (error instanceof GraphQLError) {
    const refused = explainRefusal(error, root);
    if (refused) return refused;
  }
  if (root instanceof GatewayError) return { failure: root };
  const known = typeof root === 'object' && root !== null ? explainDatabaseError(root) : null;
  return { failure: known ?? kernelErrors.INTERNAL({}, { cause: root }) };
}

/** What graphql-js refuses by itself, before or beside the resolvers; its words are about the caller's own text. */
function explainRefusal(error: GraphQLError, root: unknown): Explanation | null {
  const { message } = error;
  const own = root instanceof GatewayError ? root : null;
  if (error.extensions.code === 'GRAPHQL_VALIDATION_FAILED') {
    // Comparing the fields with one another would take longer than graphql-js allows.
    if (message === 'Validation aborted.') return { failure: kernelErrors.DOCUMENT_TOO_LARGE({ limit: 'fields' }) };
    return { failure: own ?? kernelErrors.GRAPHQL_VALIDATION_FAILED(), message };
  }
  if (error.path === undefined && /^(?:Variable "\$|Too many errors processing variables)/.test(message)) {
    return { failure: own ?? kernelErrors.BAD_USER_INPUT(), message };
  }
  if (!(root instanceof GraphQLError)) return null;
  if (message.startsWith('Syntax Error')) return { failure: kernelErrors.GRAPHQL_PARSE_FAILED(), message };
  if (error.path !== undefined && /^Argument "/.test(message))
    return { failure: kernelErrors.BAD_USER_INPUT(), message };
  return null;
}

/** The error that was thrown, inside what graphql-js wraps around it. */
function rootOf(error: unknown): unknown {
  let root = error;
  while (root instanceof GraphQLError && root.originalError) root = root.originalError;
  return root;
}

function shorten(text: string): string {
  return text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)}…` : text;
}

/** An error as a log may hold it. */
export interface Fault {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly frames?: readonly string[];
  readonly cause?: Fault;
}

const STATEMENT = /\/\*.*|\b(?:select|insert into|update \S+ set|delete from|with \S+ as)\b.*/is;
/** Words that could be a token, a nonce, a signature or a key: long ones, unless an id of ours. */
const LONG_WORD = /[\w-]{16,}(?:\.[\w-]+)*/g;
const CREDENTIALS = /\b[\w+.-]+:\/\/[^\s/@]*@\S+/g;
const DEPTH = 4;

/**
 * What happened and where, without what it happened to: no property of the error is kept but its name and code, no
 * statement, and nothing in its message that could be a secret.
 */
export function describeFault(error: unknown, depth = 0): Fault {
  if (!(error instanceof Error)) return { name: typeof error, message: 'something was thrown that is not an error' };
  const { code } = error as { code?: unknown };
  // Prisma tells the whole call first, with its values, and the reason last.
  const reason = error.message.trim().split('\n').at(-1) ?? '';
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    name: error.name,
    message: shorten(
      reason.replace(STATEMENT, '[statement]').replace(CREDENTIALS, '[redacted]').replace(LONG_WORD, redact),
    ),
    ...(typeof code === 'string' && /^\w{1,40}$/.test(code) && { code }),
    ...(frames.length > 0 && { frames: frames.slice(0, 20).map((frame) => frame.trim()) }),
    ...(error.cause !== undefined && depth < DEPTH && { cause: describeFault(error.cause, depth + 1) }),
  };
}

function redact(word: string): string {
  return !isUuid(word) && (/\d/.test(word) || /^[a-z]{20,}$/i.test(word)) ? '[redacted]' : word;
}
