import { randomBytes } from 'node:crypto';
import { bytesToHex, concatHex, encodeFunctionData, erc20Abi, type Hex } from 'viem';
import { showAddress } from '../kernel/address.ts';

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

const SETTLED: readonly OrderStatus[] = ['PAID', 'FINAL'];
const ENDED: readonly OrderStatus[] = ['FINAL', 'CANCELED', 'FAILED'];

/** An order as its state depends on it. */
export interface OrderState {
  readonly status: OrderStatus;
  readonly exceptions: readonly OrderException[];
  readonly due: bigint;
  /** Confirmations until it is paid, the transfer's own block included. */
  readonly requiredConfirmations: bigint;
  readonly expiresAt: Date;
}

/** A transfer that counts for the order, and has not been taken back by the chain. */
export interface ActiveCredit {
  readonly units: bigint;
  readonly blockNumber: bigint;
}

/** How far the chain was read. */
export interface ChainView {
  readonly head: bigint;
  readonly finalized: bigint;
  /** Every block up to a head that was asked for at this time has been read. */
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
 * the status and the exceptions that the order has. An ended order stays as it is. An expired one takes no new credits,
 * but one that the chain took back before may return to it.
 */
export function assess(order: OrderState, credits: readonly ActiveCredit[], chain: ChainView): Assessment {
  const credited = sum(credits);
  if (ENDED.includes(order.status)) {
    return { status: order.status, exceptions: [...order.exceptions].sort(), credited };
  }

  const confirmed = sum(
    credits.filter(({ blockNumber }) => confirmations(blockNumber, chain) >= order.requiredConfirmations),
  );
  const finalized = sum(credits.filter(({ blockNumber }) => blockNumber <= chain.finalized));
  const late = chain.caughtUpAt.getTime() > deadline(order.expiresAt);
  const status = statusFor({ order, credited, confirmed, finalized, late });

  const exceptions = new Set(order.exceptions);
  toggle(exceptions, 'OVERPAID', credited > order.due);
  toggle(exceptions, 'UNDERPAID', status === 'EXPIRED' && credited > 0n);
  if (SETTLED.includes(order.status) && !SETTLED.includes(status)) exceptions.add('REORGED');
  return { status, exceptions: [...exceptions].sort(), credited };
}

function statusFor(facts: {
  readonly order: OrderState;
  readonly credited: bigint;
  readonly confirmed: bigint;
  readonly finalized: bigint;
  readonly late: boolean;
}): OrderStatus {
  const { order, credited, confirmed, finalized, late } = facts;
  // A payment that only moved to another block has not been taken back: what was told as paid stays paid.
  const wasPaid = order.status === 'PAID' && credited >= order.due;
  // Whoever waits for `paid` is told so before `finalized`, however late both are learned.
  if (wasPaid && finalized >= order.due) return 'FINAL';
  if (wasPaid || confirmed >= order.due) return 'PAID';
  if (credited >= order.due) return 'CONFIRMING';
  if (late || order.status === 'EXPIRED') return 'EXPIRED';
  return credited > 0n ? 'DETECTED' : 'CREATED';
}

/** Block times are whole seconds, so a deadline is the end of the second that it falls into. Milliseconds since 1970. */
export function deadline(expiresAt: Date): number {
  return Math.ceil(expiresAt.getTime() / 1000) * 1000;
}

function confirmations(blockNumber: bigint, { head }: ChainView): bigint {
  return head >= blockNumber ? head - blockNumber + 1n : 0n;
}

function sum(credits: readonly ActiveCredit[]): bigint {
  return credits.reduce((total, { units }) => total + units, 0n);
}

function toggle(exceptions: Set<OrderException>, exception: OrderException, on: boolean): void {
  if (on) exceptions.add(exception);
  else exceptions.delete(exception);
}

/** A transfer as matching sees it. */
export interface Payment {
  readonly units: bigint;
  readonly blockNumber: bigint;
  readonly blockTime: Date;
  /** The transaction's calldata. */
  readonly input: Uint8Array;
}

/** An order that the transfer's sender, payee, asset and chain fit. */
export interface Candidate {
  readonly id: string;
  readonly status: OrderStatus;
  readonly due: bigint;
  readonly reference: Uint8Array;
  /** The last block that was read when the order was made. */
  readonly headNumber: bigint;
  readonly expiresAt: Date;
}

/** What a transfer means for the orders it fits. */
export type Match =
  /** It pays this order. */
  | { readonly kind: 'credit'; readonly orderId: string }
  /** It names this order, which cannot take it any more. */
  | { readonly kind: 'refused'; readonly orderId: string; readonly exception: 'LATE' | 'DUPLICATE' }
  /** It pays none that can be told. */
  | { readonly kind: 'none' };

/**
 * Which order a transfer pays. One that carries an order's reference anywhere in its calldata pays that order; of several
 * references in one transaction's calldata, the order that still takes it and asks for just as much, else the first
 * that still takes it. One without pays the only open order
 * that it fits, and none when there are several.
 */
export function matchOrder(payment: Payment, candidates: readonly Candidate[]): Match {
  const input = Buffer.from(payment.input);
  const named = candidates.filter(({ reference }) => input.includes(Buffer.from(reference)));
  if (named.length > 0) {
    const exact = named.filter(({ due }) => due === payment.units);
    const others = named.filter(({ due }) => due !== payment.units);
    const answers = [...exact, ...others].map((candidate) => takes(candidate, payment));
    return answers.find(({ kind }) => kind === 'credit') ?? answers[0] ?? { kind: 'none' };
  }
  // Nobody could know the reference before the order was made, in whatever block it comes; without it, blocks must tell.
  const open = candidates.filter(
    (candidate) => payment.blockNumber > candidate.headNumber && takes(candidate, payment).kind === 'credit',
  );
  const [only] = open;
  return only && open.length === 1 ? { kind: 'credit', orderId: only.id } : { kind: 'none' };
}

function takes({ id, status, due, expiresAt }: Candidate, { units, blockTime }: Payment): Match {
  // Another full payment is a mistake; a smaller one, while blocks are awaited, is surplus.
  const isSecond = SETTLED.includes(status) || (status === 'CONFIRMING' && units >= due);
  if (isSecond) return { kind: 'refused', orderId: id, exception: 'DUPLICATE' };
  const inTime = blockTime.getTime() <= deadline(expiresAt);
  if (OPEN.includes(status) && inTime) return { kind: 'credit', orderId: id };
  return { kind: 'refused', orderId: id, exception: 'LATE' };
}

/** What a wallet is asked to send. */
export interface PaymentRequest {
  readonly chainId: number;
  readonly to: string;
  /** Of the chain's native coin, in its smallest units. */
  readonly value: bigint;
  readonly data: Hex;
  /** The same, as far as an EIP-681 link can say it: without the reference. */
  readonly eip681: string;
}

/** The transaction that pays an order; its reference stands behind the call, where a token ignores it. */
export function paymentRequest(terms: {
  readonly chainId: number;
  /** The token's contract; null for the native coin. */
  readonly token: string | null;
  readonly payTo: string;
  readonly units: bigint;
  readonly reference: Uint8Array;
}): PaymentRequest {
  const { chainId, token, units } = terms;
  const payTo = showAddress(terms.payTo) as Hex;
  const reference = bytesToHex(terms.reference);
  if (token === null) {
    const eip681 = `ethereum:${payTo}@${chainId}?value=${units}`;
    return { chainId, to: payTo, value: units, data: reference, eip681 };
  }
  const call = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [payTo, units] });
  const eip681 = `ethereum:${showAddress(token)}@${chainId}/transfer?address=${payTo}&uint256=${units}`;
  return { chainId, to: showAddress(token), value: 0n, data: concatHex([call, reference]), eip681 };
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
