import type { Transaction } from '../../database/scope.ts';
import { deadline, type OrderStatus } from '../model.ts';
import type { Notice } from './assessOrder.ts';
import { creditTransfer } from './creditTransfer.ts';
import type { UnjudgedTransfer } from './moveCredit.ts';

/** An order under its lock, as far as it says what it may still be credited. */
export interface ClaimingOrder {
  readonly organizationId: string;
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly assetId: string;
  readonly payTo: string;
  readonly expiresAt: Date;
  readonly isRefunded: boolean;
}

const TAKING: readonly OrderStatus[] = ['CREATED', 'DETECTED', 'EXPIRED'];

/**
 * Credits a transfer that was claimed for an order. If the order has got all that is due meanwhile, or the chain has made
 * another payment of the transfer, it is claimed no more, and judged like every other; one that is gone waits.
 */
export async function settleClaim(tx: Transaction, transfer: UnjudgedTransfer, order: ClaimingOrder): Promise<Notice> {
  if (transfer.orphaned) return {};
  const isItsOwn = transfer.assetId === order.assetId && transfer.recipient === order.payTo;
  if (!isItsOwn || !TAKING.includes(order.status) || order.isRefunded) {
    await tx.chainTransfer.updateMany({
      where: { id: transfer.id },
      data: { claimedOrganizationId: null, claimedForId: null, judgedAt: null },
    });
    return {};
  }
  await creditTransfer(tx, transfer, order);
  return transfer.blockTime.getTime() > deadline(order.expiresAt) ? { note: ['LATE'] } : {};
}
