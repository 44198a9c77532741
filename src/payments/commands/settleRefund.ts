import { finalityOf, isMet } from '../../chain/model.ts';
import type { Transaction } from '../../database/scope.ts';

interface HeldRefund {
  readonly status: 'REQUESTED' | 'PENDING' | 'SENT' | 'COMPLETED' | 'CANCELED';
  readonly finality: string;
  readonly requiredConfirmations: number;
  readonly blockchainTransactionId: string | null;
}

interface HeldTransfer {
  readonly id: string;
  readonly isClaimed: boolean;
  /** Whether it is what the refund asks for, and the chain has it. */
  readonly isIt: boolean;
  readonly blockNumber: bigint;
  readonly head: bigint;
  readonly safe: bigint;
  readonly finalized: bigint;
}

/**
 * Brings a refund of the scene's organization to where the chain has it: a transfer of exactly its asset and units from
 * where the money came to, to its destination, is taken for it alone, and completes it when it is as final as it has to
 * be, also after it was called off, as long as that is not over. One that the chain takes back leaves it waiting again. A transfer that only moves takes what was told along.
 * @returns whether it waits again
 */
export async function settleRefund(tx: Transaction, { refundId }: { readonly refundId: string }): Promise<boolean> {
  // whoever judges a transfer holds it first, then the order, as whoever calls a refund off does
  const transfer = await holdTransfer(tx, refundId);
  if (!transfer) return false;
  await tx.$queryRaw`
    /* holdRefundedOrder */
    select o.id
    from payment_refunds r
    join payment_orders o on o.organization_id = r.organization_id and o.id = r.payment_order_id
    where r.organization_id = current_organization_id() and r.id = ${refundId}::uuid
    for update of o`;
  const [refund] = await tx.$queryRaw<HeldRefund[]>`
    /* holdRefund */
    select
      status::text as status, finality::text as finality, required_confirmations as "requiredConfirmations",
      blockchain_transaction_id as "blockchainTransactionId"
    from payment_refunds
    where organization_id = current_organization_id() and id = ${refundId}::uuid
    for update`;
  if (!refund || refund.status === 'REQUESTED' || refund.status === 'CANCELED') return false;
  if (!transfer.isIt) {
    await letGo(tx, refundId, transfer);
    return true;
  }
  // another one has been taken for it a moment ago
  if (!transfer.isClaimed && refund.status !== 'PENDING') return false;
  const policy = finalityOf(refund.finality, refund.finality === 'CONFIRMATIONS' ? refund.requiredConfirmations : null);
  const isDone = refund.status === 'COMPLETED' || isMet(policy, transfer.blockNumber, transfer);
  await take(tx, refundId, transfer, isDone ? 'COMPLETED' : 'SENT');
  return false;
}

/** The transfer that was taken for it, or the first that could be; a claimed one that is gone waits for the new chain. */
async function holdTransfer(tx: Transaction, refundId: string): Promise<HeldTransfer | undefined> {
  const [held] = await tx.$queryRaw<HeldTransfer[]>`
    /* holdRefundTransfer */
    select
      t.id, t.claimed_for_id is not null as "isClaimed",
      not t.orphaned
        and (t.asset_id, t.sender, t.recipient, coalesce(t.sent_units, t.units))
          = (r.asset_id, r.pay_from, r.destination, r.units) as "isIt",
      t.block_number as "blockNumber",
      coalesce(i.head_number, 0) as head, coalesce(i.safe_number, 0) as safe, coalesce(i.finalized_number, 0) as finalized
    from payment_refunds r
    join chain_incarnations i on i.id = r.incarnation_id
    join chain_transfers t on t.incarnation_id = r.incarnation_id
    where r.organization_id = current_organization_id()
      and r.id = ${refundId}::uuid
      and (not t.orphaned or t.block_number <= i.head_number)
      and (
        t.claimed_for_id = r.id
        or t.claimed_for_id is null
        and not t.orphaned
        and t.judged_at is not null
        and t.sender = r.pay_from
        and t.recipient = r.destination
        and t.asset_id = r.asset_id
        and coalesce(t.sent_units, t.units) = r.units
        and t.created_at >= r.addressed_at
      )
    order by t.claimed_for_id is null, t.block_number, t.ordinal
    limit 1
    for update of t`;
  return held;
}

async function take(
  tx: Transaction,
  refundId: string,
  { id }: HeldTransfer,
  status: 'SENT' | 'COMPLETED',
): Promise<void> {
  await tx.$executeRaw`
    /* takeRefundTransfer */
    update chain_transfers
    set claimed_organization_id = current_organization_id(), claimed_for_id = ${refundId}::uuid, claimed_as = 'REFUND',
        judged_at = clock_timestamp()
    where id = ${id}::uuid and (claimed_for_id is null or judged_at is null)`;
  await tx.$executeRaw`
    /* takeRefund */
    with seen as (
      insert into blockchain_transactions (
        organization_id, incarnation_id, asset_id, hash, ordinal, sender, recipient, units,
        block_number, block_hash, block_time
      )
      select
        current_organization_id(), incarnation_id, asset_id, transaction_hash, ordinal, sender, recipient, units,
        block_number, block_hash, block_time
      from chain_transfers
      where id = ${id}::uuid
      on conflict (organization_id, incarnation_id, hash, ordinal) do update
      set status = 'INCLUDED',
          block_number = excluded.block_number,
          block_hash = excluded.block_hash,
          block_time = excluded.block_time
      returning organization_id, id
    )
    update payment_refunds r
    set status = ${status}::payment_refund_status,
        blockchain_transaction_id = seen.id,
        called_off_at = null,
        completed_at = case when ${status} = 'COMPLETED' then coalesce(r.completed_at, clock_timestamp()) end
    from seen
    where r.organization_id = seen.organization_id and r.id = ${refundId}::uuid`;
}

/** The chain has it no more, or has made something else of it, which is then judged like every other transfer. */
async function letGo(tx: Transaction, refundId: string, { id }: HeldTransfer): Promise<void> {
  await tx.$executeRaw`
    /* letGoRefundTransfer */
    update chain_transfers
    set claimed_organization_id = null, claimed_for_id = null, claimed_as = 'ORDER',
        judged_at = case when orphaned then clock_timestamp() end
    where id = ${id}::uuid`;
  await tx.$executeRaw`
    /* letGoRefund */
    with gone as (
      update blockchain_transactions b
      set status = 'ORPHANED'
      from payment_refunds r
      where r.organization_id = current_organization_id() and r.id = ${refundId}::uuid
        and b.organization_id = r.organization_id and b.id = r.blockchain_transaction_id
    )
    update payment_refunds
    set status = 'PENDING', blockchain_transaction_id = null, completed_at = null
    where organization_id = current_organization_id() and id = ${refundId}::uuid`;
}
