import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { Session, TollhouseError } from 'tollhouse/client';
import { type Order, PaymentOrderChanged, PaymentOrders } from './operations.ts';
import { tollhouse } from './tollhouse.ts';

/** The organization’s orders, as they are now. */
interface Orders {
  readonly orders: UseQueryResult<readonly Order[]>;
  /** The one that something has just happened to. */
  readonly latest: Order | null;
  /** Why nothing comes at the moment, though it is being tried again; null while all is well. */
  readonly interruption: TollhouseError | null;
}

/** What happens while a stream is being opened is told by none, so the list is read again now and then. */
const REREAD_MS = 15_000;

/** Reads the newest orders, and reads them again whenever the stream says that one has changed. */
export function useOrders(session: Session): Orders {
  const queries = useQueryClient();
  const [latest, setLatest] = useState<Order | null>(null);
  const [interruption, setInterruption] = useState<TollhouseError | null>(null);
  useEffect(() => {
    const leaving = new AbortController();
    const { signal } = leaving;
    const follow = async (): Promise<void> => {
      const stream = tollhouse.subscribe(PaymentOrderChanged, {}, { signal, onInterruption: setInterruption });
      for await (const { paymentOrderChanged: order } of stream) {
        setInterruption(null);
        setLatest(order);
        await queries.invalidateQueries({ queryKey: ['orders', session.id] });
      }
    };
    follow().catch((error: TollhouseError) => {
      if (!signal.aborted) setInterruption(error);
    });
    return () => leaving.abort();
  }, [queries, session.id]);
  const orders = useQuery({
    queryKey: ['orders', session.id],
    queryFn: async ({ signal }) => {
      const { organization } = await tollhouse.query(PaymentOrders, {}, { signal });
      return organization?.paymentOrders.edges.map(({ node }) => node) ?? [];
    },
    refetchInterval: REREAD_MS,
  });
  return { orders, latest, interruption };
}
