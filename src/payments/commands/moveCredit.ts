import type { Transaction } from '../../database/scope.ts';
import type { Notice } from './assessOrder.ts';

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
  /** What was sent, where less may arrive than that; null when nobody knows. */
  readonly sentUnits: string | null;
  readonly input: Uint8Array;
  readonly blockNumber: bigint;
  readonly blockHash: string;
  readonly blockTime: Date;
  readonly orphaned: boolean;
  readonly claimedOrganizationId: string | null;
  readonly claimedForId: string | null;
}

/**
 * The credit goes where the transfer went: to its new block, with the units that it has there, or back when the chain
 * has it no more. One that came back in another asset or between others is another payment: its credit is reversed,
 * and it is judged anew. What the order gives back, transfers that were refused before may fill: they are judged again.
 */
export async function moveCredit(tx: Transaction, transfer: UnjudgedTransfer, orderId: string): Promise<Notice> {
  const { incarnationId, transactionHash: hash, ordinal, assetId, sender, recipient, units, orphaned } = transfer;
  const credited = await tx.blockchainTransaction.findFirstOrThrow({
    where: { incarnationId, hash, ordinal },
    select: { id: true, assetId: true, sender: true, recipient: true, units: true },
  });
  const isSame = credited.assetId === assetId && credited.sender === sender && credited.recipient === recipient;
  await (isSame ? follow(tx, transfer, credited.id) : release(tx, transfer, credited.id));
  const isLess = BigInt(units) < BigInt(credited.units.toFixed());
  if (!orphaned && isSame && !isLess) return {};
  await reopenRefused(tx, orderId);
  // What is refused again is noted again.
  return { forget: ['DUPLICATE'] };
}

async function follow(tx: Transaction, transfer: UnjudgedTransfer, creditedId: string): Promise<void> {
  const { units, orphaned, blockNumber, blockHash, blockTime } = transfer;
  await tx.$executeRaw`
    /* moveCredit */
    with moved as (
      update blockchain_transactions
      set status = ${orphaned ? 'ORPHANED' : 'INCLUDED'}::blockchain_transaction_status,
          units = ${units}::numeric,
          block_number = ${blockNumber}, block_hash = ${blockHash}, block_time = ${blockTime}
      where organization_id = current_organization_id() and id = ${creditedId}::uuid
      returning organization_id, id, units
    )
    update payment_credits c
    set units = moved.units,
        reversed_at = case when ${orphaned}::boolean then coalesce(c.reversed_at, clock_timestamp()) end
    from moved
    where c.organization_id = moved.organization_id and c.blockchain_transaction_id = moved.id`;
}

async function release(tx: Transaction, transfer: UnjudgedTransfer, creditedId: string): Promise<void> {
  await tx.$executeRaw`
    /* releaseCredit */
    with gone as (
      update blockchain_transactions
      set status = 'ORPHANED'
      where organization_id = current_organization_id() and id = ${creditedId}::uuid
      returning organization_id, id
    )
    update payment_credits c
    set reversed_at = coalesce(c.reversed_at, clock_timestamp())
    from gone
    where c.organization_id = gone.organization_id and c.blockchain_transaction_id = gone.id`;
  await tx.chainTransfer.updateMany({
    where: { id: transfer.id },
    data: { claimedOrganizationId: null, claimedForId: null, judgedAt: null },
  });
}

async function reopenRefused(tx: Transaction, orderId: string): Promise<void> {
  await tx.$executeRaw`
    /* reopenRefused */
    update chain_transfers t
    set judged_at = null
    from payment_orders o
    where o.organization_id = current_organization_id()
      and o.id = ${orderId}::uuid
      and t.incarnation_id = o.incarnation_id
      and t.asset_id = o.asset_id
      and t.recipient = o.pay_to
      and case o.matching
        when 'WALLET' then t.sender = o.payer and (t.block_number > o.head_number or position(o.reference in t.input) > 0)
        when 'UNIQUE_AMOUNT' then t.units = o.due_units and t.block_number > o.head_number
      end
      and t.claimed_for_id is null
      and t.judged_at is not null
      and not t.orphaned`;
}
