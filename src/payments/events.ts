import type { NewEvent } from '../events/commands/appendEvent.ts';
import type { LinkStatus } from './model/linkStatus.ts';
import type { Matching } from './model/matching.ts';
import { type OrderException, type OrderStatus, SETTLED } from './model.ts';

/** A payment link was made. */
export function paymentLinkCreated(fact: {
  readonly organizationId: string;
  readonly paymentLinkId: string;
  /** `user:<id>` or `key:<id>`. */
  readonly actor: string;
  readonly title: string;
  readonly status: LinkStatus;
}): NewEvent {
  return {
    type: 'payment-link.created',
    organizationId: fact.organizationId,
    aggregate: { type: 'payment-link', id: fact.paymentLinkId, version: 1 },
    actor: fact.actor,
    tags: [`payment-link:${fact.paymentLinkId}`, fact.actor],
    data: { title: fact.title, status: fact.status },
  };
}

/** What became of a payment link, without its place in the link's history. */
export interface LinkFact {
  readonly organizationId: string;
  readonly paymentLinkId: string;
  readonly actor: string;
  readonly type: `payment-link.${'updated' | 'activated' | 'paused' | 'archived' | 'deleted'}`;
  readonly tags: readonly string[];
  readonly data: Readonly<Record<string, string>>;
}

interface ChangedLink {
  readonly organizationId: string;
  readonly paymentLinkId: string;
  /** `user:<id>` or `key:<id>`. */
  readonly actor: string;
}

/** The terms of a payment link are others, for orders that are made from now on. */
export function paymentLinkUpdated(link: ChangedLink, fields: readonly string[]): LinkFact {
  return factOf(link, 'payment-link.updated', { fields: fields.join(' ') });
}

const LINK_BECAME = { ACTIVE: 'activated', PAUSED: 'paused', ARCHIVED: 'archived' } as const;

/** A payment link takes payments, takes none for now, or takes none any more. */
export function paymentLinkMoved(link: ChangedLink, status: keyof typeof LINK_BECAME): LinkFact {
  return factOf(link, `payment-link.${LINK_BECAME[status]}`, { status });
}

/** A payment link is gone; its slug is nobody else's for all time. */
export function paymentLinkDeleted(link: ChangedLink): LinkFact {
  return factOf(link, 'payment-link.deleted', { status: 'DELETED' });
}

function factOf(link: ChangedLink, type: LinkFact['type'], data: LinkFact['data']): LinkFact {
  return { ...link, type, tags: [`payment-link:${link.paymentLinkId}`, link.actor], data };
}

/** Somebody set out to pay a link. */
export function paymentOrderCreated(fact: {
  readonly organizationId: string;
  readonly paymentOrderId: string;
  readonly paymentLinkId: string;
  readonly matching: Matching;
  readonly asset: string;
  readonly price: bigint;
  /** The price, with what was added so that no other open order asks for just as much. */
  readonly units: bigint;
  readonly payTo: string;
  /** Null where the transfer is known by its amount or by a claim. */
  readonly payer: string | null;
}): NewEvent {
  return {
    type: 'payment-order.created',
    organizationId: fact.organizationId,
    aggregate: { type: 'payment-order', id: fact.paymentOrderId, version: 1 },
    actor: 'payer',
    tags: [`payment-order:${fact.paymentOrderId}`, `payment-link:${fact.paymentLinkId}`],
    data: {
      to: 'CREATED',
      exceptions: '',
      matching: fact.matching,
      asset: fact.asset,
      dueUnits: fact.units.toString(),
      surchargeUnits: (fact.units - fact.price).toString(),
      creditedUnits: '0',
      payTo: fact.payTo,
      payer: fact.payer,
      refund: 'NONE',
    },
  };
}

const PAST_TENSE: Readonly<Record<OrderStatus, string>> = {
  CREATED: 'reopened',
  DETECTED: 'detected',
  CONFIRMING: 'confirming',
  PAID: 'paid',
  FINAL: 'finalized',
  EXPIRED: 'expired',
  CANCELED: 'canceled',
  FAILED: 'failed',
};

/** An order as facts tell it: all that whoever hears of it needs to know. */
export interface ToldOrder {
  readonly organizationId: string;
  readonly paymentOrderId: string;
  readonly paymentLinkId: string;
  readonly status: OrderStatus;
  readonly exceptions: readonly OrderException[];
  /** A CAIP-19 name. */
  readonly asset: string;
  readonly due: bigint;
  readonly credited: bigint;
  readonly payTo: string;
  /** Null where the transfer is known by its amount or by a claim. */
  readonly payer: string | null;
  readonly refund: string;
}

/** What of an order a change is told by. */
export type OrderBefore = Pick<ToldOrder, 'status' | 'exceptions' | 'credited'>;

/**
 * An order is another than before. What had been told as paid is told as reversed, and later as reinstated; where the
 * state is the same, what was credited or taken back is told, or else what is unusual.
 */
export function paymentOrderChanged(fact: {
  readonly before: OrderBefore;
  readonly order: ToldOrder;
  readonly version: number;
}): NewEvent {
  const { before, order, version } = fact;
  const { organizationId, paymentOrderId, paymentLinkId } = order;
  return {
    type: `payment-order.${whatChanged(before, order)}`,
    organizationId,
    aggregate: { type: 'payment-order', id: paymentOrderId, version },
    actor: 'worker',
    tags: [`payment-order:${paymentOrderId}`, `payment-link:${paymentLinkId}`],
    // as tell_of_payment_order in the database says it
    data: {
      from: before.status,
      to: order.status,
      exceptions: [...order.exceptions].sort().join(' '),
      asset: order.asset,
      dueUnits: order.due.toString(),
      creditedUnits: order.credited.toString(),
      surplusUnits: (order.credited > order.due ? order.credited - order.due : 0n).toString(),
      payTo: order.payTo,
      payer: order.payer,
      refund: order.refund,
    },
  };
}

function whatChanged(before: OrderBefore, { status, exceptions, credited }: ToldOrder): string {
  if (status !== before.status) {
    if (SETTLED.includes(before.status) && !SETTLED.includes(status)) return 'reversed';
    // it has been told as paid, and is so still
    if (before.status === 'FINAL') return 'credit-reversed';
    return status === 'PAID' && exceptions.includes('REORGED') ? 'reinstated' : PAST_TENSE[status];
  }
  if (credited > before.credited) return 'credited';
  return credited < before.credited ? 'credit-reversed' : 'exception-noted';
}
