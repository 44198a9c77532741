import type { WorkerContext } from '../../context.ts';
import type { Candidate } from '../model/matching.ts';
import type { UnjudgedTransfer } from './moveCredit.ts';

type Row = Omit<Candidate, 'due' | 'tolerance'> & {
  readonly organizationId: string;
  readonly due: string;
  readonly tolerance: string;
};

/**
 * The orders of any tenant that say what a transfer is, the oldest first: those whose reference it carries, the newest
 * that asked for just as much, those that still take what comes from its sender, and one by claim or by its amount that
 * it may be meant for. However many orders name a wallet, few are read: of many that would take it, none gets it.
 */
export async function findFittingOrders(
  context: WorkerContext,
  transfer: UnjudgedTransfer,
): Promise<(Candidate & { readonly organizationId: string })[]> {
  const { incarnationId, assetId, recipient, sender, units, input, blockNumber, blockTime } = transfer;
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const rows = await scope.db.$queryRaw<Row[]>`
    /* findFittingOrders */
    with named as (
      select o.organization_id, o.id
      from payment_orders o
      where o.pay_to = ${recipient}
        and o.payer = ${sender}
        and o.asset_id = ${assetId}::uuid
        and o.incarnation_id = ${incarnationId}::uuid
        and o.matching = 'WALLET'
        and position(o.reference in ${input}::bytea) > 0
      order by o.status in ('CREATED', 'DETECTED', 'CONFIRMING') desc, o.due_units = ${units}::numeric desc, o.created_at
      limit 200
    ),
    by_amount as (
      select o.organization_id, o.id
      from payment_orders o
      where o.pay_to = ${recipient}
        and o.asset_id = ${assetId}::uuid
        and o.due_units = ${units}::numeric
        and o.incarnation_id = ${incarnationId}::uuid
        and o.matching = 'UNIQUE_AMOUNT'
        and o.head_number < ${blockNumber}
      order by o.created_at desc
      limit 20
    ),
    -- block times are whole seconds, so whatever ends within a second ends behind it
    waiting as (
      select o.*, o.expires_at > ${blockTime}::timestamptz - interval '1 second' as in_time
      from payment_orders o
      where o.pay_to = ${recipient}
        and o.asset_id = ${assetId}::uuid
        and greatest(o.late_until, o.expires_at) > ${blockTime}::timestamptz - interval '1 second'
        and o.incarnation_id = ${incarnationId}::uuid
        and o.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'EXPIRED')
        and o.head_number < ${blockNumber}
    ),
    by_sender as (
      select o.organization_id, o.id
      from waiting o
      where o.matching = 'WALLET'
        and o.payer = ${sender}
        and not (o.status = 'CONFIRMING' and ${units}::numeric >= o.due_units - o.tolerance_units)
        and (
          o.status <> 'EXPIRED' and o.in_time
          or o.late_policy = 'ACCEPT' and o.late_until is not null and o.refund = 'NONE'
        )
      order by o.in_time desc, o.due_units = ${units}::numeric desc
      limit 100
    ),
    meant as (
      select o.organization_id, o.id
      from waiting o
      where o.matching <> 'WALLET' and o.status <> 'CONFIRMING' and o.refund = 'NONE'
      limit 1
    )
    select
      o.organization_id as "organizationId", o.id, o.matching::text as matching, o.status::text as status,
      o.due_units::text as due, o.tolerance_units::text as tolerance, o.reference, o.head_number as "headNumber",
      o.expires_at as "expiresAt", o.late_policy::text as "latePolicy", o.late_until as "lateUntil",
      o.refund <> 'NONE' as "isRefunded"
    from payment_orders o
    where (o.organization_id, o.id) in (
      select * from named union select * from by_amount union select * from by_sender union select * from meant
    )
    order by o.created_at`;
  return rows.map((row) => ({ ...row, due: BigInt(row.due), tolerance: BigInt(row.tolerance) }));
}
