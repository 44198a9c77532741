import { deadline, OPEN, type OrderStatus, SETTLED, type ShortfallPolicy } from '../model.ts';

/** How the transfer that pays an order is known: by who sends it, by how much it is, or by whoever claims it. */
export type Matching = 'WALLET' | 'UNIQUE_AMOUNT' | 'CLAIM';

/** A transfer as matching sees it. */
export interface Payment {
  readonly units: bigint;
  /** What was sent at most where less may have arrived; null when nobody knows, as much as arrived when absent. */
  readonly sent?: bigint | null;
  readonly blockNumber: bigint;
  readonly blockTime: Date;
  /** The transaction's calldata. */
  readonly input: Uint8Array;
}

/** A transfer as rows say it, with what was sent where less may have arrived; null when nobody knows. */
type SaidPayment = Omit<Payment, 'units' | 'sent'> & { readonly units: string; readonly sentUnits: string | null };

/** Reads a transfer as matching sees it. */
export function paymentOf(said: SaidPayment): Payment {
  const { units, sentUnits, blockNumber, blockTime, input } = said;
  return {
    units: BigInt(units),
    sent: sentUnits === null ? null : BigInt(sentUnits),
    blockNumber,
    blockTime,
    input,
  };
}

/** An order that the transfer's payee, asset and chain fit, and its sender or its amount, or that it may be meant for. */
export interface Candidate {
  readonly id: string;
  readonly matching: Matching;
  readonly status: OrderStatus;
  readonly due: bigint;
  readonly tolerance: bigint;
  /** What has arrived of what is due. */
  readonly credited: bigint;
  readonly reference: Uint8Array;
  /** The last block that was read when the order was made. */
  readonly headNumber: bigint;
  readonly expiresAt: Date;
  readonly latePolicy: ShortfallPolicy;
  /** Until when what comes late may still count; null when it never may. */
  readonly lateUntil: Date | null;
  /** Whether money of it goes back, or is to. */
  readonly isRefunded: boolean;
  /** Whether it has expired, and its late window, or its deadline where it has none, was read over. */
  readonly isOver: boolean;
}

/** It pays this order; `late` when behind its deadline, which the order lets count. */
interface Credit {
  readonly kind: 'credit';
  readonly orderId: string;
  readonly late: boolean;
}

/** It names this order, which takes it no more; the exception is what the order is to say of it. */
interface Refusal {
  readonly kind: 'refused';
  readonly orderId: string;
  readonly exception: 'LATE' | 'DUPLICATE' | null;
}

/** What a transfer means for the orders it fits; none when it pays none that can be told. */
export type Match = Credit | Refusal | { readonly kind: 'none' };

const NONE: Match = { kind: 'none' };

/**
 * Which order a transfer pays. One that carries an order's reference anywhere in its calldata pays that order; of several
 * references in one transaction's calldata, the order that still takes it and asks for just as much, else the first
 * that still takes it. One without pays the only order that it fits, by the amount that this order alone asks for, or
 * else by its sender, and none when there are several. What comes in time goes before what comes late. A payer's name
 * is anybody's word, so its sender tells nothing while an order by amount or by claim waits that it may be meant for.
 * @param candidates the oldest first
 */
export function matchOrder(payment: Payment, candidates: readonly Candidate[]): Match {
  const named = namedBy(payment, candidates);
  if (named.length > 0) {
    const exact = named.filter(({ due }) => due === payment.units);
    const others = named.filter(({ due }) => due !== payment.units);
    const answers = [...exact, ...others].map((candidate) => takes(candidate, payment));
    return answers.find(isCredit) ?? answers[0] ?? NONE;
  }
  // Nobody could know the reference before the order was made, in whatever block it comes; without it, blocks must tell.
  const after = candidates.filter(({ headNumber }) => payment.blockNumber > headNumber);
  const byAmount = after.filter(({ matching, due }) => matching === 'UNIQUE_AMOUNT' && due === payment.units);
  const bySender = after.filter(({ matching }) => matching === 'WALLET');
  const others = after.filter((order) => isAwaiting(order, payment));
  for (const late of [false, true]) {
    const found = fitting(payment, { byAmount, bySender, others, late });
    if (found) return found;
  }
  // Just so much was asked for by one order alone: so that is the one that was paid twice, or too late.
  const last = byAmount.at(-1);
  return last && bySender.every((order) => !isCredit(takes(order, payment))) ? takes(last, payment) : NONE;
}

/** Whether a transfer carries the reference of one of the orders that its sender was to pay. */
export function isNamed(payment: Pick<Payment, 'input'>, candidates: readonly Candidate[]): boolean {
  return namedBy(payment, candidates).length > 0;
}

function namedBy(payment: Pick<Payment, 'input'>, candidates: readonly Candidate[]): Candidate[] {
  const input = Buffer.from(payment.input);
  return candidates.filter(
    ({ matching, reference }) => matching === 'WALLET' && input.includes(Buffer.from(reference)),
  );
}

/**
 * Whether somebody may be about to pay the order from whatever wallet. Nobody waits for one that is over, nor for one that
 * has expired and takes nothing that is late.
 */
function isAwaiting(order: Candidate, { blockTime }: Payment): boolean {
  const { matching, status, expiresAt, latePolicy, lateUntil, isRefunded, isOver } = order;
  const takesLate = latePolicy === 'ACCEPT' && lateUntil !== null;
  const isOpen = status === 'CREATED' || status === 'DETECTED' || (status === 'EXPIRED' && takesLate);
  const end = deadline(takesLate ? lateUntil : expiresAt);
  return matching !== 'WALLET' && isOpen && !isRefunded && !isOver && blockTime.getTime() <= end;
}

/**
 * Whether it may be just what is still to be claimed for the order: that much arrived, or was sent before a fee was taken.
 * By its amount an order is paid with exactly that, and with nothing else, until it has a part: the rest is to be claimed.
 */
function mayBeClaimedFor({ matching, due, tolerance, credited }: Candidate, { units, sent = units }: Payment): boolean {
  const rest = due - credited;
  const isClaimed = matching === 'CLAIM' || (matching === 'UNIQUE_AMOUNT' && credited > 0n);
  return isClaimed && units <= rest && (sent === null || sent >= rest - tolerance);
}

interface Rivals {
  readonly byAmount: readonly Candidate[];
  readonly bySender: readonly Candidate[];
  /** Those that any wallet may be about to pay. */
  readonly others: readonly Candidate[];
  readonly late: boolean;
}

/** The one order that takes the payment; `none` when several do or may, and null when there is none. */
function fitting(payment: Payment, { byAmount, bySender, others, late }: Rivals): Match | null {
  const taking = (orders: readonly Candidate[]): readonly Candidate[] =>
    orders.filter((order) => {
      const match = takes(order, payment);
      return isCredit(match) && match.late === late;
    });
  const exact = taking(byAmount);
  const named = taking(bySender);
  const rivals = exact.length > 0 ? [...exact, ...named.filter(({ due }) => due === payment.units)] : named;
  const [only] = rivals;
  if (!only) return null;
  if (rivals.length > 1) return NONE;
  const isMeant = isAskedFor(only, payment)
    ? others.some((order) => mayBeClaimedFor(order, payment))
    : others.length > 0;
  return exact.length === 0 && isMeant ? NONE : { kind: 'credit', orderId: only.id, late };
}

/** Whether it is just so much as the order still asks for. */
function isAskedFor({ due, credited }: Candidate, { units, sent = units }: Payment): boolean {
  const rest = due - credited;
  return rest === units || rest === sent;
}

function isCredit(match: Match): match is Credit {
  return match.kind === 'credit';
}

/** What a transfer that is meant for an order means for it. */
function takes(order: Candidate, { units, blockTime }: Payment): Match {
  const { id: orderId, status, due, tolerance, expiresAt, latePolicy, lateUntil } = order;
  // Another full payment is a mistake; a smaller one, while blocks are awaited, is surplus.
  const isSecond = SETTLED.includes(status) || (status === 'CONFIRMING' && units >= due - tolerance);
  if (isSecond) return { kind: 'refused', orderId, exception: 'DUPLICATE' };
  if (status === 'CANCELED' || status === 'FAILED') return { kind: 'refused', orderId, exception: null };
  const inTime = blockTime.getTime() <= deadline(expiresAt);
  if (OPEN.includes(status) && inTime) return { kind: 'credit', orderId, late: false };
  const lateCounts =
    latePolicy === 'ACCEPT' && !order.isRefunded && lateUntil !== null && blockTime.getTime() <= deadline(lateUntil);
  if (lateCounts) return { kind: 'credit', orderId, late: !inTime };
  return { kind: 'refused', orderId, exception: 'LATE' };
}
