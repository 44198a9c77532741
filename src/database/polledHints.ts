import type { Hints } from './hints.ts';

/** No hint is waited for longer: a connection that listens can die without a word. */
const POLL_MS = 1_000;

/** What was hinted at and may not be read yet is asked for again so soon, and so often: earlier writers come to an end. */
const SOON_MS = 50;
const MOST_SOON = 20;

/** How far each of these topics has come, in words that change when it comes further. */
export type AskTopics = (topics: readonly string[]) => Promise<ReadonlyMap<string, string>>;

interface Polled {
  readonly hearers: Set<() => void>;
  /** As it was told the last time; undefined before that. */
  reached: string | undefined;
  /** How often a hint of it is still looked into. */
  owed: number;
}

/**
 * Hints that are sure to come, of the topics that can be asked for: all of them are asked for together, by one question a
 * second for the whole process while anybody listens. A hint of such a topic only hastens the question, and whoever
 * listens hears when there is something to read, and no sooner.
 */
export function pollHints(
  hints: Hints,
  options: {
    readonly canAsk: (topic: string) => boolean;
    readonly ask: AskTopics;
    readonly onError: (error: unknown) => void;
  },
): Hints {
  const { canAsk, ask, onError } = options;
  const topics = new Map<string, Polled>();
  /** Those that were hinted at while they were asked for: the answer may be older. */
  const late = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let asking = false;
  let askedAt = 0;
  let over = false;

  const plan = (ms: number): void => {
    clearTimeout(timer);
    if (!over && topics.size > 0) timer = setTimeout(() => void poll(), ms);
  };

  const poll = async (): Promise<void> => {
    asking = true;
    askedAt = performance.now();
    late.clear();
    try {
      const reached = await ask([...topics.keys()]);
      for (const [topic, polled] of topics) {
        const now = reached.get(topic) ?? '';
        if (polled.reached === now) {
          polled.owed = Math.max(0, polled.owed - 1);
          continue;
        }
        polled.reached = now;
        polled.owed = late.has(topic) ? MOST_SOON : 0;
        for (const hear of polled.hearers) hear();
      }
    } catch (error) {
      if (!over) onError(error);
    }
    asking = false;
    plan([...topics.values()].some(({ owed }) => owed > 0) ? SOON_MS : POLL_MS);
  };

  const hinted = (named: readonly string[]): void => {
    for (const topic of named) {
      late.add(topic);
      Object.assign(topics.get(topic) ?? {}, { owed: MOST_SOON });
    }
    if (!asking) plan(Math.max(0, askedAt + SOON_MS - performance.now()));
  };

  const join = (topic: string, hear: () => void): void => {
    const polled = topics.get(topic) ?? { hearers: new Set(), reached: undefined, owed: 0 };
    polled.hearers.add(hear);
    topics.set(topic, polled);
  };

  const part = (topic: string, hear: () => void): void => {
    const polled = topics.get(topic);
    polled?.hearers.delete(hear);
    if (polled?.hearers.size === 0) topics.delete(topic);
  };

  return {
    listen(named, hear) {
      const asked = named.filter(canAsk);
      const silent = topics.size === 0;
      for (const topic of asked) join(topic, hear);
      if (silent && !asking) plan(POLL_MS);
      const stops = [
        hints.listen(
          named.filter((topic) => !canAsk(topic)),
          hear,
        ),
        hints.listen(asked, () => hinted(asked)),
      ];
      return () => {
        for (const stop of stops) stop();
        for (const topic of asked) part(topic, hear);
        if (topics.size === 0) clearTimeout(timer);
      };
    },
    async stop() {
      over = true;
      clearTimeout(timer);
      await hints.stop();
    },
  };
}
