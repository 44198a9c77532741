import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { FollowOrder, type Order, ReadOrder } from './api.ts';
import { gateway } from './gateway.ts';

const PAUSE_MS = 5_000;

/** An order as it is now, by the gateway’s own word. */
export interface Followed {
  /** Undefined until it is known; null where there is none of this link. */
  readonly order: Order | null | undefined;
  /** Whether nothing is heard of it at the moment. */
  readonly silent: boolean;
  /** Reads it once more, and shows what it is. */
  readonly look: () => Promise<Order | null>;
  /** Takes what a deed has answered, and listens again where nothing more was to come. */
  readonly take: (order: Order) => void;
}

/**
 * Follows an order for as long as the page is there: what changes is shown without anybody’s doing. An order of another link
 * is none: beside this one’s name it would have a payer pay a stranger.
 */
export function useOrder(slug: string, token: string): Followed {
  const [order, setOrder] = useState<Order | null>();
  const [silent, setSilent] = useState(false);
  const [round, setRound] = useState(0);
  const heard = useRef(0);
  const show = useCallback(
    (next: Order | null): Order | null => {
      const own = next?.slug === slug ? next : null;
      heard.current += 1;
      setOrder(own);
      return own;
    },
    [slug],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: another round listens again
  useEffect(() => {
    const leaving = new AbortController();
    const { signal } = leaving;
    const hear = (next: Order | null): void => {
      setSilent(false);
      show(next);
    };
    void follow(token, signal, hear, () => setSilent(true));
    return () => leaving.abort();
  }, [token, round, show]);
  const look = useCallback(async () => {
    const before = heard.current;
    const { checkoutOrder } = await gateway.query(ReadOrder, { token });
    // what was heard meanwhile is newer
    if (heard.current === before) return show(checkoutOrder);
    return checkoutOrder?.slug === slug ? checkoutOrder : null;
  }, [slug, token, show]);
  return {
    order,
    silent,
    look,
    take: (next) => {
      show(next);
      setRound((before) => before + 1);
    },
  };
}

async function follow(
  token: string,
  signal: AbortSignal,
  hear: (order: Order | null) => void,
  lose: () => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const changes = gateway.subscribe(FollowOrder, { token }, { signal, onInterruption: lose });
      for await (const { checkoutOrderChanged } of changes) hear(checkoutOrderChanged);
      return;
    } catch {
      if (signal.aborted) return;
      lose();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
