import type { Order } from './api.ts';

/** What a wallet was asked for a payment: the one memory of it that this tab, its next page and the other tabs share. */
export interface Asked {
  /** How much had arrived by then, in the smallest units: as long as that is all, what was asked for may be under way. */
  readonly receivedUnits: string;
  /** Which wallet it was, as programs call it. */
  readonly wallet: string;
  /** The transaction that it has sent; absent while it has not answered. */
  readonly hash?: string | undefined;
}

/** Whether more may be under way than has arrived, so that the payment is offered no second time. */
export function isUnderWay(order: Order, asked: Asked | undefined): asked is Asked {
  return asked !== undefined && asked.receivedUnits === order.receivedUnits && isOpen(order);
}

/** Whether something is to be sent for it, by the gateway's word: a clock of this device decides nothing. */
export function isOpen({ status, paymentRequest }: Order): boolean {
  return paymentRequest !== null && (status === 'CREATED' || status === 'DETECTED');
}

/** Whether its time is over, though the gateway has not closed it yet. */
export function isOver({ status, paymentRequest, chainWatched }: Order): boolean {
  return chainWatched && paymentRequest === null && (status === 'CREATED' || status === 'DETECTED');
}

/** Whether it is awaited, and nobody would see what is sent for it now. */
export function isUnwatched({ status, chainWatched }: Order): boolean {
  return !chainWatched && (status === 'CREATED' || status === 'DETECTED');
}

/** Whether nothing tells its payment but a claim: the rest of an amount that tells a payment tells nothing. */
export function needsClaim({ matching, receivedUnits }: Order): boolean {
  return matching === 'CLAIM' || (matching === 'UNIQUE_AMOUNT' && receivedUnits !== '0');
}

/** What was kept or told of it, which may be anything. */
export function readAsked(said: unknown): Asked | undefined {
  if (typeof said !== 'object' || said === null || !('receivedUnits' in said)) return undefined;
  const { receivedUnits, wallet, hash } = said as Record<string, unknown>;
  if (typeof receivedUnits !== 'string' || typeof wallet !== 'string') return undefined;
  return { receivedUnits, wallet, ...(typeof hash === 'string' && { hash }) };
}
