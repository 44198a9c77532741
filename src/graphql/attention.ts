import type { Context } from '../context.ts';
import { kernelErrors } from '../kernel/errors.ts';
import { isKey } from '../kernel/viewer.ts';

/** Whatever has ended, been taken away or expired ends a stream after so long at most, with no hint at all. */
const CHECK_MS = 4_000;

/** Hints that come faster are one. */
const LEAST_PAUSE_MS = 100;

/** An open stream, between one look and the next. */
export interface Attention {
  readonly over: boolean;
  /**
   * Resolves when it is time to look: at once for the first time and when nothing is to be waited for, else when
   * something was hinted at, or every few seconds. False when the stream is over.
   * @throws UNAUTHENTICATED when the access token has ended
   */
  turn(options?: { readonly atOnce?: boolean }): Promise<boolean>;
  close(): void;
}

/**
 * Takes a place for a stream, and waits for what it is to look at.
 * @throws TOO_MANY_STREAMS
 */
export function attend(context: Context, topics: readonly string[]): Attention {
  const { streams, tokens, clock, viewer } = context;
  // a key has no token that ends: its own end is found with the next look
  const ends = viewer && !isKey(viewer) ? tokens.endOf(viewer) : Number.POSITIVE_INFINITY;
  const leave = streams.take(context);
  let over = false;
  let begun = false;
  let hinted = false;
  let looked = 0;
  let wake = (): void => {};
  const stopListening = streams.listen(topics, () => {
    hinted = true;
    wake();
  });

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
    get over() {
      return over;
    },
    async turn({ atOnce = false } = {}) {
      if (begun && !atOnce && !over) await pause();
      if (over) return false;
      if (clock.now() >= ends) throw kernelErrors.UNAUTHENTICATED();
      begun = true;
      hinted = false;
      looked = performance.now();
      return true;
    },
    close() {
      if (over) return;
      over = true;
      stopListening();
      leave();
      wake();
    },
  };
}
