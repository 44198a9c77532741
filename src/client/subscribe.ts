import { assertSame, type Pass, renew, takePass } from './access.ts';
import type { Operation } from './document.ts';
import { readEvents } from './readEvents.ts';
import { isExpired } from './request.ts';
import { delayOf, sleep } from './retry.ts';
import type { ClientContext } from './state.ts';
import { failure, TollhouseError } from './tollhouseError.ts';
import { cutOff, failureOf, openEvents, parseAnswer } from './transport.ts';

/** A subscription, and how it is gone on with when the stream breaks. */
export interface Subscription {
  readonly operation: Operation;
  readonly variables: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Hears why the stream broke that is about to be opened again. */
  readonly onInterruption?: ((error: TollhouseError) => void) | undefined;
}

/**
 * Each answer of a subscription, until it is complete. A stream that breaks is opened again, as often as it takes: with a
 * fresh token, and with `$after` behind the last fact that was taken, where the document has that variable. It belongs to
 * the session that it was opened in, and ends with it.
 * @throws what ends it for good; the signal's reason when aborted
 */
export function subscribe(client: ClientContext, subscription: Subscription): AsyncIterableIterator<unknown> {
  const { signal } = subscription;
  const leaving = new AbortController();
  const leave = (): void => leaving.abort(signal?.reason);
  if (signal?.aborted) leave();
  signal?.addEventListener('abort', leave, { once: true });
  let left = false;
  const source = follow(client, subscription, leaving);
  const settle = (step: IteratorResult<unknown>): IteratorResult<unknown> => {
    if (step.done) signal?.removeEventListener('abort', leave);
    return step;
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        return settle(await source.next());
      } catch (error) {
        signal?.removeEventListener('abort', leave);
        // Whoever has left does not want to hear that they have.
        if (left) return { done: true, value: undefined };
        throw error;
      }
    },
    async return() {
      left = true;
      // First, since a generator that waits would hear of it only with its next event.
      leaving.abort();
      return settle(await source.return(undefined));
    },
  };
}

async function* follow(
  client: ClientContext,
  { operation, onInterruption, variables }: Subscription,
  leaving: AbortController,
): AsyncGenerator<unknown, void> {
  const { signal } = leaving;
  const place: Place = { operation, variables, first: null, pass: null, tries: 0, renewals: 0 };
  for (;;) {
    try {
      const complete = yield* readOnce(client, place, leaving);
      if (complete) return;
      // A gateway that stops closes its streams without a word.
      throw failure('NETWORK_FAILED', { retryable: true });
    } catch (error) {
      const known = error instanceof TollhouseError ? error : cutOff(error, { signal, repeatable: true });
      if (signal.aborted) throw signal.reason;
      const interruption = await interruptionOf(client, place, { error: known, signal });
      if (interruption) onInterruption?.(interruption);
      await sleep(delayOf(place.tries, interruption?.retryAfter), signal);
      place.tries += 1;
    }
  }
}

/** How often a fresh token is tried: where two of them are not taken, a third will not be. */
const MOST_RENEWALS = 2;

/**
 * What is to be told before the stream is opened again; null when only the token had ended, and there is a fresh one.
 * @throws what ends the stream for good
 */
async function interruptionOf(
  client: ClientContext,
  place: Place,
  { error, signal }: { readonly error: unknown; readonly signal: AbortSignal },
): Promise<TollhouseError | null> {
  if (!(error instanceof TollhouseError)) throw error;
  if (place.pass && isExpired(client, place.pass, error) && place.renewals < MOST_RENEWALS) {
    try {
      await renew(client, place.pass, signal);
      place.renewals += 1;
      return null;
    } catch (failed) {
      // A gateway that is away for a moment is so for tokens as for streams.
      return interruptionOf(client, { ...place, pass: null }, { error: failed, signal });
    }
  }
  if (error.retryable) return error;
  throw error;
}

/** How far a subscription has come. */
interface Place {
  readonly operation: Operation;
  variables: unknown;
  /** Who it was opened as, and who as this time. */
  first: Pass | null;
  pass: Pass | null;
  /** How often it was opened in vain. */
  tries: number;
  /** How often its token was exchanged in vain. */
  renewals: number;
}

/** Opens the stream and reads it to its end; answers whether nothing more will come. */
async function* readOnce(
  client: ClientContext,
  place: Place,
  leaving: AbortController,
): AsyncGenerator<unknown, boolean> {
  const { operation } = place;
  const { signal } = leaving;
  const pass = await takePass(client, signal);
  place.pass = pass;
  place.first ??= pass;
  const session = client.state.leaving.signal;
  const endWithSession = (): void => leaving.abort(session.reason);
  if (belongs(client, place.first)) {
    assertSame(client, place.first);
    session.addEventListener('abort', endWithSession, { once: true });
  }
  try {
    const call = { operation, variables: place.variables, accessToken: pass.token, repeatable: true, signal };
    for await (const { type, data } of readEvents(await openEvents(client.transport, call))) {
      if (type === 'complete') return true;
      const answer = parseAnswer(data);
      const failed = answer ? failureOf(answer) : failure('ANSWER_UNREADABLE');
      if (failed) throw failed;
      place.tries = 0;
      place.renewals = 0;
      place.variables = behind(operation, place.variables, answer?.data);
      yield answer?.data;
    }
    return false;
  } finally {
    session.removeEventListener('abort', endWithSession);
  }
}

/** Whether a stream is of somebody, and not of whoever happens to come. */
function belongs({ state, transport }: ClientContext, { token }: Pass): boolean {
  return token !== null || (transport.cookies && state.session !== null);
}

/** The variables to go on with behind the last fact, of a subscription that can. */
function behind(operation: Operation, variables: unknown, data: unknown): unknown {
  if (!operation.variables.has('after')) return variables;
  const cursor = Object.values(data ?? {})
    .map((field: { cursor?: unknown } | null) => field?.cursor)
    .findLast((found) => typeof found === 'string');
  return cursor === undefined ? variables : { ...(variables as object), after: cursor };
}
