import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { getSSEProcessor, isAsyncIterable, mapAsyncIterator } from 'graphql-yoga';
import { type FailedRequest, type ShownError, showError } from '../graphql/errors.ts';
import type { Viewer } from '../kernel/viewer.ts';
import type { Outcome } from './engine.ts';
import type { Acceptable } from './negotiate.ts';

/** One HTTP request from its first line to its last byte. */
export interface Exchange extends FailedRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  /** For how many milliseconds a stream waits for a client that takes nothing. */
  readonly stalled: number;
  /** What the log's line about the request will say of it. */
  readonly journal: {
    operation: string | null;
    mutates: boolean;
    /** The operator who looks into an organization by this request. */
    operator: Viewer | null;
    readonly codes: Set<string>;
  };
}

/** Faults of one document or its variables that are told at once. */
const MAX_REFUSALS = 10;

type Headers = Record<string, string | number>;

/** Unless it says otherwise, nothing that we answer is a page, is to be guessed at, kept, or shown inside a frame. */
const GUARDS: Headers = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Answers with a body that is text. */
export function sendText({ response }: Exchange, status: number, body: string | Buffer, headers: Headers): void {
  if (response.headersSent || response.destroyed) return;
  // what is not sent again is as long as it was
  const length = status === 304 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...GUARDS, ...length, ...headers });
  response.end(body);
}

/** Answers with JSON. */
export function sendJson(exchange: Exchange, status: number, value: unknown, headers: Headers = {}): void {
  const type = { 'content-type': 'application/json; charset=utf-8' };
  sendText(exchange, status, JSON.stringify(value), { ...type, ...headers });
}

/** Answers with what an operation came to: a result, or a stream of them. */
export async function sendOutcome(exchange: Exchange, outcome: Outcome, accepted: Acceptable): Promise<void> {
  if (isAsyncIterable(outcome) || accepted.json === null) return sendEvents(exchange, outcome);
  const { body, status, headers } = showResult(exchange, outcome);
  sendJson(exchange, status, body, { ...headers, 'content-type': `${accepted.json}; charset=utf-8` });
}

/** Answers with the failure of a whole request. */
export function sendFailure(exchange: Exchange, error: unknown): void {
  const { body, status, headers } = showResult(exchange, { errors: [error] });
  sendJson(exchange, status, body, headers);
}

interface Result extends Omit<ExecutionResult, 'errors'> {
  readonly errors?: readonly unknown[];
}

interface ShownResult {
  readonly body: Record<string, unknown>;
  readonly status: number;
  readonly headers: Headers;
}

function showResult(exchange: Exchange, { errors, ...rest }: Result): ShownResult {
  if (!errors || errors.length === 0) return { body: rest, status: 200, headers: {} };
  const counted = rest.data === undefined ? errors.slice(0, MAX_REFUSALS) : errors;
  const { requestId, log, journal } = exchange;
  const shown = counted.map((error) => showError(error, { requestId, log, mutates: journal.mutates }));
  for (const { failure } of shown) journal.codes.add(failure.code);
  const status =
    rest.data === undefined ? Math.max(...shown.map((one) => one.status)) : statusOfFields(rest.data, shown);
  return {
    // Errors first: who reads the answer sees them.
    body: { errors: shown.map(({ body }) => body), ...rest },
    status,
    headers: headersOf(status, shown),
  };
}

/** What every client and proxy is to know by the status alone: try the very same again, later. */
const LATER = new Set([
  'RATE_LIMITED',
  'LOCKED_OUT',
  'SIGNATURE_CHECK_UNAVAILABLE',
  'THIRDWEB_UNAVAILABLE',
  'MAIL_UNAVAILABLE',
]);

/** Failed fields leave an answer an answer; but one that holds nothing else says so when it is to be tried again. */
function statusOfFields(data: Record<string, unknown> | null, shown: readonly ShownError[]): number {
  const later = shown.find(({ failure }) => LATER.has(failure.code));
  return later && Object.values(data ?? {}).every((value) => value === null) ? later.status : 200;
}

function headersOf(status: number, shown: readonly ShownError[]): Headers {
  const waits = shown.map(({ failure }) => failure.retryAfter ?? 0);
  const allowed = shown.map(({ failure }) => failure.facts.allow).find(Array.isArray);
  return {
    ...(Math.max(...waits) > 0 && { 'retry-after': Math.ceil(Math.max(...waits)) }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(status === 405 && allowed && { allow: allowed.join(', ') }),
  };
}

async function sendEvents(exchange: Exchange, outcome: Outcome): Promise<void> {
  const show = (result: ExecutionResult) => showResult(exchange, result).body;
  const shown = isAsyncIterable(outcome) ? mapAsyncIterator(endingWithItsFailure(outcome), show) : show(outcome);
  const { body } = await getSSEProcessor()(shown, globalThis, 'text/event-stream');
  const { response } = exchange;
  response.writeHead(200, { ...GUARDS, 'content-type': 'text/event-stream' });
  // Something is written every twelve seconds, unless what was written before is not taken: whoever takes nothing is gone,
  // or as good as gone.
  response.setTimeout(exchange.stalled, () => response.destroy());
  // A client that goes away ends the subscription, and is no failure.
  await pipeline(Readable.fromWeb(body as never), response).catch(() => undefined);
}

/** The same results; one that failed as a whole is the last, and so is what ended the stream itself. */
function endingWithItsFailure(outcome: AsyncIterable<ExecutionResult>): AsyncIterableIterator<ExecutionResult> {
  const source = outcome[Symbol.asyncIterator]();
  const done = { done: true, value: undefined } as const;
  let over = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next(): Promise<IteratorResult<ExecutionResult>> {
      if (over) return done;
      const failed = (error: unknown): IteratorResult<ExecutionResult> => {
        over = true;
        return { done: false, value: { errors: [error as GraphQLError] } };
      };
      const step: IteratorResult<ExecutionResult> = await source.next().catch(failed);
      if (!step.done && !step.value.data && step.value.errors) {
        over = true;
        await source.return?.();
      }
      return step;
    },
    // Passed on at once: a stream that waits would hear of it only with its next event.
    async return() {
      over = true;
      await source.return?.();
      return done;
    },
  };
}
