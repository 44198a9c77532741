import type { WorkerContext } from '../../context.ts';
import type { UnjudgedTransfer } from './moveCredit.ts';

/**
 * The one order that a transfer was to pay and does not, since it is in another asset: the order that waits at its
 * recipient and whose reference ends its calldata, or else the only one that waits there for its sender. None where several
 * wait for that: whoever looks at the inbox sees them.
 */
export async function findOrderInAnotherAsset(
  context: WorkerContext,
  { incarnationId, assetId, sender, recipient, units, input, blockNumber }: UnjudgedTransfer,
): Promise<{ readonly organizationId: string; readonly orderId: string } | null> {
  if (BigInt(units) === 0n) return null;
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const [order, another] = await scope.db.$queryRaw<{ organizationId: string; orderId: string; isNamed: boolean }[]>`
    /* findOrderInAnotherAsset */
    with waiting as not materialized (
      select o.*
      from payment_orders o
      where o.pay_to = ${recipient}
        and o.incarnation_id = ${incarnationId}::uuid
        and o.asset_id <> ${assetId}::uuid
        and o.status in ('CREATED', 'DETECTED')
        and o.matching = 'WALLET'
    ),
    found as (
      select o.organization_id, o.id, true as is_named
      from waiting o
      where o.reference = ending_reference(${input}::bytea)
      union
      select o.organization_id, o.id, position(o.reference in ${input}::bytea) > 0
      from waiting o
      where o.payer = ${sender} and o.head_number < ${blockNumber}
    )
    select o.organization_id as "organizationId", o.id as "orderId", o.is_named as "isNamed"
    from found o
    order by o.is_named desc
    limit 2`;
  if (!order || (another && another.isNamed === order.isNamed)) return null;
  return { organizationId: order.organizationId, orderId: order.orderId };
}
