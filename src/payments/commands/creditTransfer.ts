import type { Transaction } from '../../database/scope.ts';
import { newId } from '../../kernel/ids.ts';
import type { UnjudgedTransfer } from './moveCredit.ts';

/** Credits a transfer to the order of the scene's organization that has claimed it; it may have paid this tenant before. */
export async function creditTransfer(
  tx: Transaction,
  transfer: UnjudgedTransfer,
  { orderId }: { readonly orderId: string },
): Promise<void> {
  const { incarnationId, assetId, transactionHash: hash, ordinal, sender, recipient, units } = transfer;
  const { blockNumber, blockHash, blockTime } = transfer;
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
    select organization_id, ${orderId}::uuid, id, units from credited
    on conflict (organization_id, blockchain_transaction_id) do update
    set payment_order_id = excluded.payment_order_id, units = excluded.units, reversed_at = null`;
}
