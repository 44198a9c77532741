import type { Context, Streams } from '../context.ts';
import type { Hints } from '../database/hints.ts';
import { actorOf } from '../kernel/viewer.ts';
import { attend } from './attention.ts';
import { graphqlErrors } from './errors.ts';

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
  /** Whether nothing follows this state: the stream ends behind it. */
  isLast?(version: string): boolean;
}

const DONE = { done: true, value: undefined } as const;

/**
 * The source of a subscription to a state: says the version at once, and again whenever it is another. Hints make that
 * prompt, and a look every few seconds makes it sure; each look enters the subscriber's scene, so that whatever the next
 * statement of this session would be refused for ends the stream with the same error. It ends with the access token, too.
 * Nothing is looked for before the last version was taken: who reads slowly misses states, and is never behind.
 * @throws TOO_MANY_STREAMS
 */
export function watch(
  context: Context,
  { topics, version, isLast = () => false }: Watched,
): AsyncIterableIterator<string> {
  const attention = attend(context, topics);
  let last: string | undefined;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        if (last !== undefined && isLast(last)) attention.close();
        while (await attention.turn()) {
          const seen = await version();
          if (attention.over) break;
          if (seen === last) continue;
          last = seen;
          return { done: false, value: seen };
        }
        return DONE;
      } catch (error) {
        attention.close();
        throw error;
      }
    },
    async return() {
      attention.close();
      return DONE;
    },
  };
}
