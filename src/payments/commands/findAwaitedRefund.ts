import type { WorkerContext } from '../../context.ts';
import type { UnjudgedTransfer } from './moveCredit.ts';

/** A refund, and the organization whose it is. */
export interface AwaitedRefund {
  readonly organizationId: string;
  readonly refundId: string;
}

/**
 * The refund of any tenant that waits for just this transfer. It goes before orders: else whoever is to get money back
 * could make an order that the merchant's own wallet pays by it.
 */
export async function findAwaitedRefund(
  context: WorkerContext,
  { incarnationId, assetId, sender, recipient, id }: UnjudgedTransfer,
): Promise<AwaitedRefund | undefined> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const [refund] = await scope.db.$queryRaw<AwaitedRefund[]>`
    /* findAwaitedRefund */
    select r.organization_id as "organizationId", r.id as "refundId"
    from payment_refunds r
    join chain_transfers t on t.id = ${id}::uuid
    where r.incarnation_id = ${incarnationId}::uuid
      and r.status = 'PENDING'
      and r.asset_id = ${assetId}::uuid
      and r.pay_from = ${sender}
      and r.destination = ${recipient}
      -- of what a fee was taken of less arrives than is sent
      and r.units = coalesce(t.sent_units, t.units)
      and t.created_at >= r.addressed_at
    order by r.addressed_at
    limit 1`;
  return refund;
}
