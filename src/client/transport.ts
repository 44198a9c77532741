import type { Operation } from './document.ts';
import { type AnsweredError, failure, TollhouseError } from './tollhouseError.ts';

/** Where requests go, and what all of them carry. */
export interface Transport {
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  readonly cookies: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** One request. */
export interface Call {
  readonly operation: Operation;
  readonly variables: unknown;
  readonly accessToken: string | null;
  /** Whether it may be sent again when nobody knows whether it was done. */
  readonly repeatable: boolean;
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const JSON_TYPE = 'application/graphql-response+json, application/json';
const EVENTS_TYPE = 'text/event-stream';

/** What a proxy says when the gateway behind it is away; the gateway's own failures say more. */
const AWAY = new Set([502, 503, 504]);

/**
 * Sends an operation and reads its answer.
 * @throws TollhouseError for any failure, whatever else the answer holds; the signal's reason when aborted
 */
export async function ask(transport: Transport, call: Call): Promise<unknown> {
  const response = await post(transport, call, JSON_TYPE);
  const { data, failed } = await readAnswer(response, call);
  if (failed) throw failed;
  return data;
}

/**
 * Opens a stream of events.
 * @throws TollhouseError when there is none
 */
export async function openEvents(transport: Transport, call: Call): Promise<ReadableStream<Uint8Array>> {
  const response = await post(transport, call, EVENTS_TYPE);
  const { body } = response;
  if (response.ok && body && response.headers.get('content-type')?.startsWith(EVENTS_TYPE)) return body;
  const { failed } = await readAnswer(response, call);
  throw failed ?? failure('ANSWER_UNREADABLE', { status: response.status });
}

async function post(transport: Transport, call: Call, accept: string): Promise<Response> {
  const { url, fetch, cookies } = transport;
  const { operation, variables, repeatable, signal } = call;
  try {
    return await fetch(url, {
      method: 'POST',
      headers: headersOf(transport, call, accept),
      body: JSON.stringify({ query: operation.text, variables: variables ?? {}, operationName: operation.name }),
      // A cookie beside no header would count, and be refused as if another page had sent it.
      credentials: cookies ? 'include' : 'omit',
      ...(signal && { signal }),
    });
  } catch (cause) {
    throw cutOff(cause, { signal, repeatable });
  }
}

/**
 * Each header once, however the caller writes it. Who asks is theirs to say; what the body is, what can be read of the
 * answer, and which deed it is, is not.
 */
function headersOf({ cookies, headers }: Transport, call: Call, accept: string): Record<string, string> {
  const { accessToken, idempotencyKey } = call;
  const sent = new Headers(accessToken === null ? {} : { authorization: `Bearer ${accessToken}` });
  for (const [name, value] of Object.entries(headers)) sent.set(name, value);
  sent.set('accept', accept);
  sent.set('content-type', 'application/json');
  if (cookies) sent.set('x-tollhouse-csrf', '1');
  if (idempotencyKey !== undefined) sent.set('idempotency-key', idempotencyKey);
  return Object.fromEntries(sent);
}

/** What a connection that broke means to who asked; an abort of theirs is thrown as it is. */
export function cutOff(cause: unknown, { signal, repeatable }: Pick<Call, 'signal' | 'repeatable'>): unknown {
  return signal?.aborted ? signal.reason : failure('NETWORK_FAILED', { retryable: repeatable, cause });
}

interface Answer {
  readonly data: unknown;
  readonly failed: TollhouseError | null;
}

async function readAnswer(response: Response, call: Call): Promise<Answer> {
  const text = await response.text().catch((cause: unknown) => {
    throw cutOff(cause, call);
  });
  const { status } = response;
  const answer = parseAnswer(text);
  if (!answer) throw failure('ANSWER_UNREADABLE', { status, retryable: call.repeatable && AWAY.has(status) });
  const waits = Number(response.headers.get('retry-after') ?? Number.NaN);
  return { data: answer.data, failed: failureOf(answer, { status, ...(waits > 0 && { retryAfter: waits }) }) };
}

/** An answer of GraphQL; null for everything else. */
export function parseAnswer(text: string): { data: unknown; errors: readonly AnsweredError[] } | null {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== 'object' || answer === null) return null;
    const { data = null, errors = [] } = answer as { data?: unknown; errors?: readonly AnsweredError[] };
    return Array.isArray(errors) && (data !== null || errors.length > 0) ? { data, errors } : null;
  } catch {
    return null;
  }
}

/** What an answer says has failed; null when nothing has. */
export function failureOf(
  { data, errors }: { readonly data: unknown; readonly errors: readonly AnsweredError[] },
  seen: { readonly status?: number; readonly retryAfter?: number } = {},
): TollhouseError | null {
  const [first] = errors;
  if (!first) return null;
  const { code, retryable, facts, remedy, docs, requestId } = first.extensions ?? {};
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return new TollhouseError(text(code) ?? 'ANSWER_UNREADABLE', first.message, {
    // One that will not pass by itself makes the whole not worth repeating.
    retryable: retryable === true && errors.every((error) => error.extensions?.retryable === true),
    facts: typeof facts === 'object' && facts !== null ? (facts as Record<string, unknown>) : {},
    remedy: text(remedy),
    docs: text(docs),
    requestId: text(requestId),
    errors,
    data,
    ...seen,
  });
}
