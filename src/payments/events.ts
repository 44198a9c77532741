import type { NewEvent } from '../events/commands/appendEvent.ts';
import type { OrderStatus } from './model.ts';

/** A payment link was made. */
export function paymentLinkCreated(fact: {
  readonly organizationId: string;
  readonly paymentLinkId: string;
  /** `user:<id>` or `key:<id>`. */
  readonly actor: string;
  readonly title: string;
}): NewEvent {
  return {
    type: 'payment-link.created',
    organizationId: fact.organizationId,
    aggregate: { type: 'payment-link', id: fact.paymentLinkId, version: 1 },
    actor: fact.actor,
    tags: [`payment-link:${fact.paymentLinkId}`, fact.actor],
    data: { title: fact.title },
  };
}

/** Somebody set out to pay a link. */
export function paymentOrderCreated(fact: {
  readonly organizationId: string;
  readonly paymentOrderId: string;
  readonly paymentLinkId: string;
  readonly asset: string;
  readonly units: bigint;
  readonly payer: string;
}): NewEvent {
  return {
    type: 'payment-order.created',
    organizationId: fact.organizationId,
    aggregate: { type: 'payment-order', id: fact.paymentOrderId, version: 1 },
    actor: 'payer',
    tags: [`payment-order:${fact.paymentOrderId}`, `payment-link:${fact.paymentLinkId}`],
    data: { asset: fact.asset, units: fact.units.toString(), payer: fact.payer },
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

/** An order moved to another state. What had been told as paid is told as reversed, and later as reinstated. */
export function paymentOrderMoved(fact: {
  readonly organizationId: string;
  readonly paymentOrderId: string;
  readonly version: number;
  readonly from: OrderStatus;
  readonly to: OrderStatus;
  /** Whether the chain has taken back a payment of it before. */
  readonly reorged: boolean;
  readonly credited: bigint;
}): NewEvent {
  const wasPaid = fact.from === 'PAID';
  const told =
    wasPaid && fact.to !== 'FINAL'
      ? 'reversed'
      : fact.to === 'PAID' && fact.reorged
        ? 'reinstated'
        : PAST_TENSE[fact.to];
  return {
    type: `payment-order.${told}`,
    organizationId: fact.organizationId,
    aggregate: { type: 'payment-order', id: fact.paymentOrderId, version: fact.version },
    actor: 'worker',
    tags: [`payment-order:${fact.paymentOrderId}`],
    data: { from: fact.from, to: fact.to, creditedUnits: fact.credited.toString() },
  };
}
