import type { Context, Streams } from '../context.ts';
import type { Hints } from '../database/hints.ts';
import { kernelErrors } from '../kernel/errors.ts';
import { actorOf, isKey } from '../kernel/viewer.ts';
import { graphqlErrors } from './errors.ts';

/** Whatever has ended, been taken away or expired ends a stream after so long at most, with no hint at all. */
const CHECK_MS = 4_000;

/** Hints that come faster are one. */
const LEAST_PAUSE_MS = 100;

/** Keeps count of the streams that are open in this process, and lends them the hints. */
export function createStreams(
  hints: Hints,
  most: { readonly perSession: number; readonly perClient: number },
): Streams {
  const open = new Map<string, number>();
  const change = (key: string, by: 1 | -1): void => {
    const count = (open.get(key) ?? 0) + by;
    if (count > 0) open.set(key, count);
    else open.delete(key);
  };
  return {
    take({ viewer, client }) {
      const places: [key: string, most: number][] = [[`client ${client.limitKey}`, most.perClient]];
      if (viewer) places.push([viewer.sessionId ? `session ${viewer.sessionId}` : actorOf(viewer), most.perSession]);
      const full = places.find(([key, limit]) => (open.get(key) ?? 0) >= limit);
      if (full) throw graphqlErrors.TOO_MANY_STREAMS({ most: full[1] }, { retryAfter: 5 });
      for (const [key] of places) change(key, 1);
      return () => {
        for (const [key] of places) change(key, -1);
      };
    },
    listen: hints.listen,
    stop: hints.stop,
  };
}

/** What a subscription is about. */
export interface Watched {
  /** Who or what must have changed for it to have changed, as the triggers name them: `user:<id>`, `organization:<id>`. */
  readonly topics: readonly string[];
  /** Reads, in the subscriber's own scope, what tells one state from another. What it throws ends the stream. */
  version(): Promise<string>;
}

const DONE = { done: true, value: undefined } as const;

/**
 * The source of a subscription: says the version at once, and again whenever it is another. Hints make that prompt, and
 * a look every few seconds makes it sure; each look enters the subscriber's scene, so that whatever the next statement
 * of this session would be refused for ends the stream with the same error. It ends with the access token, too.
 * Nothing is looked for before the last version was taken: who reads slowly misses states, and is never behind.
 * @throws TOO_MANY_STREAMS
 */
export function watch(context: Context, { topics, version }: Watched): AsyncIterableIterator<string> {
  const { streams, tokens, clock, viewer } = context;
  // a key has no token that ends: its own end is found with the next look
  const ends = viewer && !isKey(viewer) ? tokens.endOf(viewer) : Number.POSITIVE_INFINITY;
  const leave = streams.take(context);
  let over = false;
  let hinted = false;
  let looked = 0;
  let last: string | undefined;
  let wake = (): void => {};
  const stopListening = streams.listen(topics, () => {
    hinted = true;
    wake();
  });

  const close = (): void => {
    if (over) return;
    over = true;
    stopListening();
    leave();
    wake();
  };

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const rest = (): number => {
        const sinceLook = performance.now() - looked;
        return Math.max(0, Math.min((hinted ? LEAST_PAUSE_MS : CHECK_MS) - sinceLook, ends - clock.now()));
      };
      let timer = setTimeout(resolve, rest());
      wake = () => {
        clearTimeout(timer);
        if (over) resolve();
        else timer = setTimeout(resolve, rest());
      };
    });

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        for (;;) {
          if (last !== undefined) await pause();
          if (over) return DONE;
          if (clock.now() >= ends) throw kernelErrors.UNAUTHENTICATED();
          hinted = false;
          looked = performance.now();
          const seen = await version();
          if (over) return DONE;
          if (seen === last) continue;
          last = seen;
          return { done: false, value: seen };
        }
      } catch (error) {
        close();
        throw error;
      }
    },
    async return() {
      close();
      return DONE;
    },
  };
}
