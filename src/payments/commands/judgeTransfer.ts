import type { WorkerContext } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { newId } from '../../kernel/ids.ts';
import { type Candidate, type Match, matchOrder, type OrderStatus } from '../model.ts';
import { assessOrder } from './assessOrder.ts';

/** A transfer of which the chain has news: it is new, it moved to another block, or it is gone. */
export interface UnjudgedTransfer {
  readonly id: string;
  readonly incarnationId: string;
  readonly transactionHash: string;
  readonly ordinal: number;
  readonly assetId: string;
  readonly sender: string;
  readonly recipient: string;
  readonly units: string;
  readonly input: Uint8Array;
  readonly blockNumber: bigint;
  readonly blockHash: string;
  readonly blockTime: Date;
  readonly orphaned: boolean;
  readonly claimedOrganizationId: string | null;
  readonly claimedForId: string | null;
}

/**
 * Decides what a transfer means: a new one is credited to the order that it pays, if there is one; the credit of one
 * that moved follows it; the credit of one that is gone is reversed. A transfer is credited once, across all tenants.
 */
export async function judgeTransfer(context: WorkerContext, transfer: UnjudgedTransfer): Promise<void> {
  const { claimedOrganizationId, claimedForId } = transfer;
  if (claimedOrganizationId !== null && claimedForId !== null) {
    await inOrder(context, transfer, claimedOrganizationId, claimedForId, (tx) => moveCredit(tx, transfer));
    return;
  }
  const candidates = transfer.orphaned ? [] : await findCandidates(context, transfer);
  const match = matchOrder({ ...transfer, units: BigInt(transfer.units) }, candidates);
  const matched = candidates.find(({ id }) => match.kind !== 'none' && id === match.orderId);
  if (match.kind === 'none' || !matched) {
    const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
    await scope.transaction(async (tx) => void (await markJudged(tx, transfer, null)));
    return;
  }
  const { organizationId } = matched;
  await inOrder(context, transfer, organizationId, match.orderId, async (tx, status) => {
    // It was another a moment ago: everything is undone, and the next round matches anew.
    if (status !== matched.status) throw new Error('The matched order has changed meanwhile.');
    await applyMatch(tx, transfer, organizationId, match);
  });
}

/** Works on one order inside its tenant, unless the transfer has changed since it was read; then assesses the order. */
async function inOrder(
  context: WorkerContext,
  transfer: UnjudgedTransfer,
  organizationId: string,
  orderId: string,
  work: (tx: Transaction, status: OrderStatus | undefined) => Promise<void>,
): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
  await scope.transaction(async (tx) => {
    const still = await markJudged(tx, transfer, { organizationId, orderId });
    if (!still) return;
    const [order] = await tx.$queryRaw<{ status: OrderStatus }[]>`
      /* holdOrder */
      select status::text as status from payment_orders
      where organization_id = current_organization_id() and id = ${orderId}::uuid
      for update`;
    await work(tx, order?.status);
    await assessOrder(context, tx, { organizationId, orderId });
  });
}

/** Whether the transfer was still as it was read; if so it is judged, and its row stays locked. */
async function markJudged(
  tx: Transaction,
  transfer: UnjudgedTransfer,
  held: { readonly organizationId: string; readonly orderId: string } | null,
): Promise<boolean> {
  const count = await tx.$executeRaw`
    /* markJudged */
    update chain_transfers
    set judged_at = clock_timestamp()
    where id = ${transfer.id}::uuid
      and judged_at is null
      and block_hash = ${transfer.blockHash}
      and orphaned = ${transfer.orphaned}
      and (claimed_for_id is null or claimed_for_id = ${held?.orderId ?? null}::uuid)`;
  return count === 1;
}

/** Orders of any tenant that the transfer's sender, payee, asset and chain fit. */
async function findCandidates(
  context: WorkerContext,
  { incarnationId, assetId, recipient, sender }: UnjudgedTransfer,
): Promise<(Candidate & { organizationId: string })[]> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const orders = await scope.db.paymentOrder.findMany({
    where: { incarnationId, assetId, payTo: recipient, payer: sender },
    orderBy: { createdAt: 'asc' },
    select: {
      organizationId: true,
      id: true,
      status: true,
      dueUnits: true,
      reference: true,
      headNumber: true,
      expiresAt: true,
    },
  });
  return orders.map(({ dueUnits, ...order }) => ({ ...order, due: BigInt(dueUnits.toFixed()) }));
}

async function applyMatch(
  tx: Transaction,
  transfer: UnjudgedTransfer,
  organizationId: string,
  match: Exclude<Match, { kind: 'none' }>,
): Promise<void> {
  if (match.kind === 'refused') {
    await tx.$executeRaw`
      /* noteException */
      update payment_orders
      set exceptions = array_append(exceptions, ${match.exception}::payment_order_exception)
      where organization_id = current_organization_id()
        and id = ${match.orderId}::uuid
        and not ${match.exception}::payment_order_exception = any (exceptions)`;
    return;
  }
  const blockchainTransactionId = newId();
  const { incarnationId, assetId, transactionHash: hash, ordinal, sender, recipient, units } = transfer;
  const { blockNumber, blockHash, blockTime } = transfer;
  await tx.chainTransfer.updateMany({
    where: { id: transfer.id },
    data: { claimedOrganizationId: organizationId, claimedForId: match.orderId },
  });
  await tx.blockchainTransaction.createMany({
    data: {
      organizationId,
      id: blockchainTransactionId,
      incarnationId,
      assetId,
      hash,
      ordinal,
      sender,
      recipient,
      units,
      blockNumber,
      blockHash,
      blockTime,
    },
  });
  await tx.paymentCredit.createMany({
    data: { organizationId, paymentOrderId: match.orderId, blockchainTransactionId, units },
  });
}

/** The credit goes where the transfer went: to its new block, or back when the chain has it no more. */
async function moveCredit(tx: Transaction, transfer: UnjudgedTransfer): Promise<void> {
  const { incarnationId, transactionHash: hash, ordinal, orphaned, blockNumber, blockHash, blockTime } = transfer;
  await tx.$executeRaw`
    /* moveCredit */
    with moved as (
      update blockchain_transactions
      set status = ${orphaned ? 'ORPHANED' : 'INCLUDED'}::blockchain_transaction_status,
          block_number = ${blockNumber}, block_hash = ${blockHash}, block_time = ${blockTime}
      where organization_id = current_organization_id()
        and incarnation_id = ${incarnationId}::uuid and hash = ${hash} and ordinal = ${ordinal}
      returning organization_id, id
    )
    update payment_credits c
    set reversed_at = case when ${orphaned}::boolean then coalesce(c.reversed_at, clock_timestamp()) end
    from moved
    where c.organization_id = moved.organization_id and c.blockchain_transaction_id = moved.id`;
}
