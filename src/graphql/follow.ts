import type { Context } from '../context.ts';
import { attend } from './attention.ts';

/** What was read and is not taken for so long is read again before it is given out: meanwhile it may be out of reach. */
const FRESH_MS = 1_000;

/** One step of a log: where it is, and what is told of it; null when nothing is. */
export interface Step<Place, Item> {
  readonly place: Place;
  readonly item: Item | null;
}

/** What a subscription follows. What its readings throw ends the stream. */
export interface Followed<Place, Item> {
  /** As the triggers name them. */
  readonly topics: readonly string[];
  /** Where to begin; where the log ends for now, when absent. */
  readonly after: Place | null;
  /** How many steps are read at a time, at most. */
  readonly most: number;
  /** Reads the steps behind a place, in the subscriber's own scope. */
  read(after: Place): Promise<readonly Step<Place, Item>[]>;
  /** Where the log ends for now, as far as the subscriber may know: nothing before it is still to come. */
  findEnd(): Promise<Place>;
}

const DONE = { done: true, value: undefined } as const;

/**
 * The source of a subscription to a log: gives out every item behind the place, in order, and goes on with what follows.
 * It ends as `watch` does. A reader that is slow is not skipped anything; what waits for it is read anew.
 * @throws TOO_MANY_STREAMS
 */
export function follow<Place, Item>(
  context: Context,
  { topics, after, most, read, findEnd }: Followed<Place, Item>,
): AsyncIterableIterator<Item> {
  const attention = attend(context, topics);
  let place = after;
  /** Where the log ended when nothing was found the last time: the next reading sees all that is before it. */
  let passed: Place | null = null;
  let waiting: Step<Place, Item>[] = [];
  let atOnce = false;
  let readAt = 0;

  /** The next item of what was read; null when there is none, or when it was read too long ago. */
  const take = (): Item | null => {
    if (performance.now() - readAt > FRESH_MS && waiting.length > 0) {
      waiting = [];
      atOnce = true;
    }
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      place = step.place;
      if (step.item !== null) return step.item;
    }
    return null;
  };

  const look = async (): Promise<void> => {
    place ??= await findEnd();
    const steps = await read(place);
    readAt = performance.now();
    waiting = [...steps];
    atOnce = steps.length === most;
    if (steps.length === 0) place = passed ?? place;
    passed = steps.length === 0 ? await findEnd() : null;
  };

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        for (;;) {
          const item = attention.over ? null : take();
          if (item !== null) return { done: false, value: item };
          if (!(await attention.turn({ atOnce }))) return DONE;
          await look();
        }
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
