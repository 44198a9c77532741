import type { WorkerContext } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { isNamed, matchOrder, paymentOf } from '../model/matching.ts';
import type { OrderStatus } from '../model.ts';
import { assessOrder, type Notice } from './assessOrder.ts';
import { creditTransfer } from './creditTransfer.ts';
import { type AwaitedRefund, findAwaitedRefund } from './findAwaitedRefund.ts';
import { findFittingOrders } from './findFittingOrders.ts';
import { findOrderInAnotherAsset } from './findOrderInAnotherAsset.ts';
import { followRefund } from './followRefund.ts';
import { moveCredit, type UnjudgedTransfer } from './moveCredit.ts';
import { settleClaim } from './settleClaim.ts';

/**
 * Decides what a transfer means: a new one is credited to the order that it pays, if there is one; the credit of one
 * that moved follows it; the credit of one that is gone is reversed; one that was claimed is credited where it was. A
 * transfer is credited once, across all tenants. What a refund waits for is that refund, unless it names an order.
 */
export async function judgeTransfer(context: WorkerContext, transfer: UnjudgedTransfer): Promise<void> {
  const { claimedOrganizationId, claimedForId } = transfer;
  if (claimedOrganizationId !== null && claimedForId !== null) {
    const claimed = { organizationId: claimedOrganizationId, orderId: claimedForId };
    await inOrder(context, { transfer, target: claimed, claims: true }, async (tx, held) => {
      const isCredited = await hasCredit(tx, transfer, claimedForId);
      return isCredited ? moveCredit(tx, transfer, claimedForId) : settleClaim(tx, transfer, { ...held, ...claimed });
    });
    return;
  }
  const candidates = transfer.orphaned ? [] : await findFittingOrders(context, transfer);
  if (!transfer.orphaned && !isNamed(transfer, candidates)) {
    const refund = await findAwaitedRefund(context, transfer);
    if (refund) return takeForRefund(context, transfer, refund);
  }
  const match = matchOrder(paymentOf(transfer), candidates);
  const matched = candidates.find(({ id }) => match.kind !== 'none' && id === match.orderId);
  if (match.kind === 'none' || !matched) return judgeAsNobodys(context, transfer);
  const target = { organizationId: matched.organizationId, orderId: match.orderId };
  await inOrder(context, { transfer, target, claims: match.kind === 'credit' }, async (tx, held) => {
    // It was another a moment ago: everything is undone, and the next round matches anew.
    if (held.status !== matched.status || held.isRefunded !== matched.isRefunded || held.hasNews) {
      throw new Error('The matched order has changed meanwhile.');
    }
    if (match.kind === 'refused') return { note: match.exception === null ? [] : [match.exception] };
    await creditTransfer(tx, transfer, target);
    return { note: match.late ? ['LATE'] : [] };
  });
}

/** Judges it as one that no order takes. Came it for one that is paid in another asset, that order says so. */
async function judgeAsNobodys(context: WorkerContext, transfer: UnjudgedTransfer): Promise<void> {
  const mistaken = transfer.orphaned ? null : await findOrderInAnotherAsset(context, transfer);
  if (mistaken) {
    return inOrder(context, { transfer, target: mistaken, claims: false }, async (_tx, { status }) => ({
      note: status === 'CREATED' || status === 'DETECTED' ? ['WRONG_ASSET'] : [],
    }));
  }
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  await scope.transaction(async (tx) => void (await markJudged(tx, transfer, null)));
}

/** Judges it as a refund's. Has the refund taken another one in the same moment, the next round judges this one anew. */
async function takeForRefund(
  context: WorkerContext,
  transfer: UnjudgedTransfer,
  { organizationId, refundId }: AwaitedRefund,
): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
  await scope.transaction(async (tx) => {
    const still = await markJudged(tx, transfer, null);
    if (!still) return;
    await followRefund(context, tx, { organizationId, refundId });
    await tx.chainTransfer.updateMany({ where: { id: transfer.id, claimedForId: null }, data: { judgedAt: null } });
  });
}

interface HeldOrder {
  readonly status: OrderStatus;
  readonly assetId: string;
  readonly payTo: string;
  readonly expiresAt: Date;
  readonly isRefunded: boolean;
  /** Whether the chain has news of what was credited to it that was not judged yet. */
  readonly hasNews: boolean;
}

interface Target {
  readonly organizationId: string;
  readonly orderId: string;
}

/** Works on one order inside its tenant, unless the transfer has changed since it was read; then assesses the order. */
async function inOrder(
  context: WorkerContext,
  {
    transfer,
    target,
    claims,
  }: {
    readonly transfer: UnjudgedTransfer;
    readonly target: Target;
    /** Whether the order is to have it. */
    readonly claims: boolean;
  },
  work: (tx: Transaction, held: HeldOrder) => Promise<Notice>,
): Promise<void> {
  const { organizationId, orderId } = target;
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
  await scope.transaction(async (tx) => {
    const still = await markJudged(tx, transfer, orderId, claims);
    if (!still) return;
    const [held] = await tx.$queryRaw<HeldOrder[]>`
      /* holdOrder */
      select
        o.status::text as status, o.asset_id as "assetId", o.pay_to as "payTo", o.expires_at as "expiresAt",
        o.refund <> 'NONE' as "isRefunded",
        exists (
          select from chain_transfers t where t.claimed_for_id = o.id and t.judged_at is null
        ) as "hasNews"
      from payment_orders o
      where o.organization_id = current_organization_id() and o.id = ${orderId}::uuid
      for update of o`;
    if (!held) throw new Error('An order that a transfer was to pay is not in its tenant.');
    const notice = await work(tx, held);
    await assessOrder(context, tx, { ...target, ...notice, isHeld: true });
  });
}

/** Whether the transfer was still as it was read; if so it is judged, and its row stays locked. */
async function markJudged(
  tx: Transaction,
  transfer: UnjudgedTransfer,
  orderId: string | null,
  claims = false,
): Promise<boolean> {
  const count = await tx.$executeRaw`
    /* markJudged */
    update chain_transfers
    set judged_at = clock_timestamp(),
        claimed_organization_id =
          case when ${claims}::boolean then current_organization_id() else claimed_organization_id end,
        claimed_for_id = case when ${claims}::boolean then ${orderId}::uuid else claimed_for_id end
    where id = ${transfer.id}::uuid
      and judged_at is null
      and block_hash = ${transfer.blockHash}
      and orphaned = ${transfer.orphaned}
      and (claimed_for_id is null or claimed_for_id = ${orderId}::uuid)`;
  return count === 1;
}

/** Whether it was credited to the order, and not only claimed for it. */
async function hasCredit(
  tx: Transaction,
  { incarnationId, transactionHash: hash, ordinal }: UnjudgedTransfer,
  paymentOrderId: string,
): Promise<boolean> {
  const credit = await tx.paymentCredit.findFirst({
    where: { paymentOrderId, blockchainTransaction: { incarnationId, hash, ordinal } },
    select: { id: true },
  });
  return credit !== null;
}
