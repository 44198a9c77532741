import type { WorkerContext } from '../../context.ts';
import type { Candidate } from '../model/matching.ts';
import type { UnjudgedTransfer } from './moveCredit.ts';

type Row = Omit<Candidate, 'due' | 'tolerance' | 'credited'> & {
  readonly organizationId: string;
  readonly due: string;
  readonly tolerance: string;
  readonly credited: string;
};

/**
 * The orders of any tenant that say what a transfer is, the oldest first: those whose reference it carries, the newest
 * that asked for just as much, those that still take what comes from its sender, and of those that any wallet may pay one
 * that waits and one that waits for a claim of just so much. However many orders there are, few are read: of many that
 * would take it, none gets it.
 */
export async function findFittingOrders(
  context: WorkerContext,
  transfer: UnjudgedTransfer,
): Promise<(Candidate & { readonly organizationId: string })[]> {
  const { incarnationId, assetId, recipient, sender, units, sentUnits, input, blockNumber, blockTime } = transfer;
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
    waiting as not materialized (
      select
        o.*,
        o.expires_at > ${blockTime}::timestamptz - interval '1 second' as in_time,
        o.status = 'EXPIRED'
          and coalesce(i.caught_up_at > ends.at and i.read_until > ends.at, false) as is_over
      from payment_orders o
      join chain_incarnations i on i.id = o.incarnation_id
      cross join lateral (
        select date_trunc('second', coalesce(o.late_until, o.expires_at) + interval '999 milliseconds') as at
      ) ends
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
    awaiting as not materialized (
      select o.*
      from waiting o
      where o.matching <> 'WALLET'
        and o.status in ('CREATED', 'DETECTED', 'EXPIRED')
        and o.refund = 'NONE'
        and not o.is_over
        and (o.status <> 'EXPIRED' and o.in_time or o.late_policy = 'ACCEPT' and o.late_until is not null)
    ),
    other as (select o.organization_id, o.id from awaiting o limit 1),
    claiming as (
      select o.organization_id, o.id
      from awaiting o
      where (o.matching = 'CLAIM' or o.credited_units > 0)
        and ${units}::numeric <= o.due_units - o.credited_units
        and (
          ${sentUnits}::numeric is null
          or ${sentUnits}::numeric >= o.due_units - o.credited_units - o.tolerance_units
        )
      limit 1
    )
    select
      o.organization_id as "organizationId", o.id, o.matching::text as matching, o.status::text as status,
      o.due_units::text as due, o.tolerance_units::text as tolerance,
      o.credited_units::text as credited, o.reference, o.head_number as "headNumber",
      o.expires_at as "expiresAt", o.late_policy::text as "latePolicy", o.late_until as "lateUntil",
      o.refund <> 'NONE' as "isRefunded",
      exists (
        select from waiting w where w.organization_id = o.organization_id and w.id = o.id and w.is_over
      ) as "isOver"
    from payment_orders o
    where (o.organization_id, o.id) in (
      select * from named union select * from by_amount union select * from by_sender union
      select * from other union select * from claiming
    )
    order by o.created_at`;
  return rows.map((row) => ({
    ...row,
    due: BigInt(row.due),
    tolerance: BigInt(row.tolerance),
    credited: BigInt(row.credited),
  }));
}
