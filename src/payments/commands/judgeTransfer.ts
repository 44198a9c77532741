import type { WorkerContext } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { newId } from '../../kernel/ids.ts';
import { type Candidate, type Match, matchOrder, type OrderStatus } from '../model.ts';
import { assessOrder } from './assessOrder.ts';
import { moveCredit, type UnjudgedTransfer } from './moveCredit.ts';

/**
 * Decides what a transfer means: a new one is credited to the order that it pays, if there is one; the credit of one
 * that moved follows it; the credit of one that is gone is reversed. A transfer is credited once, across all tenants.
 */
export async function judgeTransfer(context: WorkerContext, transfer: UnjudgedTransfer): Promise<void> {
  const { claimedOrganizationId, claimedForId } = transfer;
  if (claimedOrganizationId !== null && claimedForId !== null) {
    await inOrder(context, transfer, claimedOrganizationId, claimedForId, (tx) =>
      moveCredit(tx, transfer, claimedForId),
    );
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
  await inOrder(context, transfer, organizationId, match.orderId, async (tx, held) => {
    // It was another a moment ago: everything is undone, and the next round matches anew.
    if (held?.status !== matched.status || held.hasNews) throw new Error('The matched order has changed meanwhile.');
    await applyMatch(tx, transfer, organizationId, match);
  });
}

interface HeldOrder {
  readonly status: OrderStatus;
  /** Whether the chain has news of what was credited to it that was not judged yet. */
  readonly hasNews: boolean;
}

/** Works on one order inside its tenant, unless the transfer has changed since it was read; then assesses the order. */
async function inOrder(
  context: WorkerContext,
  transfer: UnjudgedTransfer,
  organizationId: string,
  orderId: string,
  work: (tx: Transaction, held: HeldOrder | undefined) => Promise<void>,
): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
  await scope.transaction(async (tx) => {
    const still = await markJudged(tx, transfer, { organizationId, orderId });
    if (!still) return;
    const [order] = await tx.$queryRaw<HeldOrder[]>`
      /* holdOrder */
      select
        o.status::text as status,
        exists (
          select from chain_transfers t where t.claimed_for_id = o.id and t.judged_at is null
        ) as "hasNews"
      from payment_orders o
      where o.organization_id = current_organization_id() and o.id = ${orderId}::uuid
      for update of o`;
    await work(tx, order);
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
  const { incarnationId, assetId, transactionHash: hash, ordinal, sender, recipient, units } = transfer;
  const { blockNumber, blockHash, blockTime } = transfer;
  await tx.chainTransfer.updateMany({
    where: { id: transfer.id },
    data: { claimedOrganizationId: organizationId, claimedForId: match.orderId },
  });
  // It may have paid this tenant before, as another payment than it is now.
  await tx.$executeRaw`
    /* creditTransfer */
    with credited as (
      insert into blockchain_transactions (
        organization_id, id, incarnation_id, asset_id, hash, ordinal, sender, recipient, units,
        block_number, block_hash, block_time
      )
      values (
        current_organization_id(), ${newId()}::uuid, ${incarnationId}::uuid, ${assetId}::uuid, ${hash}, ${ordinal},
        ${sender}, ${recipient}, ${units}::numeric, ${blockNumber}, ${blockHash}, ${blockTime}
      )
      on conflict (organization_id, incarnation_id, hash, ordinal) do update
      set status = 'INCLUDED',
          asset_id = excluded.asset_id,
          sender = excluded.sender,
          recipient = excluded.recipient,
          units = excluded.units,
          block_number = excluded.block_number,
          block_hash = excluded.block_hash,
          block_time = excluded.block_time
      returning organization_id, id, units
    )
    insert into payment_credits (organization_id, payment_order_id, blockchain_transaction_id, units)
    select organization_id, ${match.orderId}::uuid, id, units from credited
    on conflict (organization_id, blockchain_transaction_id) do update
    set payment_order_id = excluded.payment_order_id, units = excluded.units, reversed_at = null`;
}
