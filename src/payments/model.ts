import { randomBytes } from 'node:crypto';
import { type FinalityView, isMet } from '../chain/model.ts';
import type { FinalityPolicy } from '../kernel/finality.ts';

/** As many rows as background work asks for at once. */
export const BATCH = 200;

/** The states of an order; docs/domains/payments.md draws how they follow each other. */
export type OrderStatus = 'CREATED' | 'DETECTED' | 'CONFIRMING' | 'PAID' | 'FINAL' | 'EXPIRED' | 'CANCELED' | 'FAILED';

/** What is unusual about an order. */
export type OrderException =
  | 'UNDERPAID'
  | 'OVERPAID'
  | 'LATE'
  | 'WRONG_ASSET'
  | 'DUPLICATE'
  | 'REORGED'
  | 'NEEDS_REVIEW';

/** States in which an order can still be credited. */
export const OPEN: readonly OrderStatus[] = ['CREATED', 'DETECTED', 'CONFIRMING'];

/** States in which an order has been told as paid. */
export const SETTLED: readonly OrderStatus[] = ['PAID', 'FINAL'];
const ENDED: readonly OrderStatus[] = ['CANCELED', 'FAILED'];

/**
 * Whether nothing follows a state by itself: it has ended, or it has expired and nothing can come any more.
 * @param mayCome whether something was ever credited, which the chain may take back and bring again, or what comes late
 * would still be the order's
 */
export function isOver(status: OrderStatus, mayCome: boolean): boolean {
  return status === 'FINAL' || ENDED.includes(status) || (status === 'EXPIRED' && !mayCome);
}

/** What becomes of an order that has a part of what is due at its deadline, and of a transfer that comes behind it. */
export type ShortfallPolicy = 'HOLD' | 'ACCEPT' | 'REFUND';

/** An order as its state depends on it. */
export interface OrderState {
  readonly status: OrderStatus;
  readonly exceptions: readonly OrderException[];
  readonly due: bigint;
  /** How much less than what is due is enough. */
  readonly tolerance: bigint;
  /** What is awaited before it is paid. */
  readonly finality: FinalityPolicy;
  /** `ACCEPT` takes a part for all of it once the deadline has passed: the link says so, or a member has decided it. */
  readonly underPolicy: ShortfallPolicy;
  readonly expiresAt: Date;
  /** Of its refunds whose transfer was seen; none when absent. */
  readonly sentBack?: bigint;
}

/** A transfer that counts for the order, and has not been taken back by the chain. */
export interface ActiveCredit {
  readonly units: bigint;
  /** Null when a member's word stands for it, which waits for no block. */
  readonly blockNumber: bigint | null;
}

/** How far the chain was read. */
export interface ChainView extends FinalityView {
  /** Every block was read up to a head that was asked for at this time, or that is of this time itself if earlier. */
  readonly caughtUpAt: Date;
}

/** What an order is now. */
export interface Assessment {
  readonly status: OrderStatus;
  readonly exceptions: readonly OrderException[];
  readonly credited: bigint;
}

/**
 * What an order is, given its credits and how far the chain was read: the whole state machine, without memory but for
 * the status and the exceptions that the order has. An ended order stays as it is. An expired one is what its credits
 * make it: the chain may bring back what it took, and what came late may be let count. So is one that was called off,
 * once it has any: a member has given it what came for it all the same. And so is a final one: what the chain calls final
 * stays so, and what stood on a member's word may be taken back.
 */
export function assess(order: OrderState, credits: readonly ActiveCredit[], chain: ChainView): Assessment {
  const credited = sum(credits);
  if (ENDED.includes(order.status) && !(order.status === 'CANCELED' && credited > 0n)) {
    return { status: order.status, exceptions: [...order.exceptions].sort(), credited };
  }

  const late = isLate(order, chain);
  const full = order.due - order.tolerance;
  const isPart = credited > 0n && credited < full;
  // Of a part that is let be enough all must be as final as the whole would have to be.
  const enough = late && isPart && order.underPolicy === 'ACCEPT' ? credited : full;
  const metBy = (policy: FinalityPolicy): bigint =>
    sum(credits.filter(({ blockNumber }) => blockNumber === null || isMet(policy, blockNumber, chain)));
  const [confirmed, finalized] = [metBy(order.finality), metBy({ kind: 'FINALIZED' })];
  const status = statusFor({ order, enough, credited, confirmed, finalized, late });

  const exceptions = new Set(order.exceptions);
  toggle(exceptions, 'OVERPAID', credited > order.due);
  toggle(exceptions, 'UNDERPAID', late && isPart);
  // What went back the chain has taken away: a person has to ask for it.
  toggle(exceptions, 'NEEDS_REVIEW', (order.sentBack ?? 0n) > credited);
  // What was paid is so no more, or only since a part is enough.
  const wasTakenBack = !SETTLED.includes(status) || (isPart && !order.exceptions.includes('UNDERPAID'));
  if (SETTLED.includes(order.status) && wasTakenBack) exceptions.add('REORGED');
  return { status, exceptions: [...exceptions].sort(), credited };
}

/** Whether the time of an order is over. What was found so once is not in doubt again while a transfer waits. */
function isLate({ status, exceptions, expiresAt }: OrderState, { caughtUpAt }: ChainView): boolean {
  const isClosed = status === 'EXPIRED' || status === 'CANCELED';
  return isClosed || exceptions.includes('UNDERPAID') || caughtUpAt.getTime() > deadline(expiresAt);
}

function statusFor(facts: {
  readonly order: OrderState;
  readonly enough: bigint;
  readonly credited: bigint;
  readonly confirmed: bigint;
  readonly finalized: bigint;
  readonly late: boolean;
}): OrderStatus {
  const { order, enough, credited, confirmed, finalized, late } = facts;
  // A payment that only moved to another block has not been taken back: what was told as paid stays paid.
  const wasPaid = SETTLED.includes(order.status) && credited >= enough;
  // Whoever waits for `paid` is told so before `finalized`, however late both are learned.
  if (wasPaid && finalized >= enough) return 'FINAL';
  if (wasPaid || confirmed >= enough) return 'PAID';
  if (credited >= enough) return 'CONFIRMING';
  if (late) return 'EXPIRED';
  return credited > 0n ? 'DETECTED' : 'CREATED';
}

/** Block times are whole seconds, so a deadline is the end of the second that it falls into. Milliseconds since 1970. */
export function deadline(expiresAt: Date): number {
  return Math.ceil(expiresAt.getTime() / 1000) * 1000;
}

function sum(credits: readonly ActiveCredit[]): bigint {
  return credits.reduce((total, { units }) => total + units, 0n);
}

function toggle(exceptions: Set<OrderException>, exception: OrderException, on: boolean): void {
  if (on) exceptions.add(exception);
  else exceptions.delete(exception);
}

/** A link's name in its address: 128 random bits. */
export function newSlug(): string {
  return randomBytes(16).toString('base64url');
}

/** What a payer holds to see its order: 128 random bits. */
export function newOrderToken(): string {
  return randomBytes(16).toString('base64url');
}

/** What tells an order's transfer from every other: 128 random bits. */
export function newReference(): Buffer<ArrayBuffer> {
  return Buffer.from(randomBytes(16));
}
