import type { Context } from '../../context.ts';

/** Why money in the inbox may have been meant for an order. */
export type CandidateReason = 'REFERENCE' | 'PAYER' | 'AMOUNT';

/** An order that money in the inbox may have been meant for. */
export interface CandidateOrder {
  readonly orderId: string;
  readonly reason: CandidateReason;
}

/**
 * The orders that money in the inbox was most likely meant for, the likeliest first, five at most: those whose reference
 * it carries, whatever has become of them; then of the same payee those that it could still be given to, or that are paid
 * already or were called off before it came, from the same payer or over about as much. Those of another asset are no
 * more than a hint at who has paid.
 */
export async function findCandidateOrders(
  { scope }: Pick<Context, 'scope'>,
  { id }: { readonly id: string },
): Promise<readonly CandidateOrder[]> {
  return scope.db.$queryRaw<CandidateOrder[]>`
    /* findCandidateOrders */
    with entry as materialized (
      select
        b.recipient, b.sender, b.asset_id, b.incarnation_id, b.units, b.block_number,
        array(select orders_named_by(u.id)) as named
      from unmatched_payments u
      join blockchain_transactions b on b.organization_id = u.organization_id and b.id = u.blockchain_transaction_id
      where u.organization_id = current_organization_id() and u.id = ${id}::uuid
    )
    select o.id as "orderId", o.reason
    from (
      select
        o.*,
        e.units,
        o.asset_id = e.asset_id and o.incarnation_id = e.incarnation_id as is_payable,
        case
          when o.id = any (e.named) then 'REFERENCE'
          when o.payer = e.sender then 'PAYER'
          when o.asset_id = e.asset_id
            and o.incarnation_id = e.incarnation_id
            and abs(o.due_units - case when o.status in ('PAID', 'FINAL') then 0 else o.credited_units end - e.units) * 10
              <= e.units
            then 'AMOUNT'
        end as reason,
        o.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'EXPIRED') as is_open
      from entry e
      join payment_orders o
        on o.organization_id = current_organization_id()
        and o.pay_to = e.recipient
        and (
          o.id = any (e.named)
          or o.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'EXPIRED')
          or o.incarnation_id = e.incarnation_id
          and o.head_number < e.block_number
          -- what was paid is no likelier than any other but by its payer, or by the amount that told it
          and (
            o.status = 'CANCELED'
            or o.status in ('PAID', 'FINAL')
            and (o.payer = e.sender or o.matching = 'UNIQUE_AMOUNT' and o.due_units = e.units)
          )
        )
    ) o
    where o.reason is not null
    order by
      o.reason = 'REFERENCE' desc,
      o.is_payable desc,
      o.reason = 'PAYER' desc,
      o.is_open desc,
      o.status <> 'CANCELED' desc,
      abs(o.due_units - o.credited_units - o.units),
      o.created_at desc
    limit 5`;
}
