import type { Context } from '../../context.ts';

/**
 * The orders that money in the inbox was most likely meant for, the likeliest first, five at most: of the same payee,
 * open or over by their time, from the same payer or over about as much. Those of another asset are no more than a hint
 * at who has paid.
 * @returns their ids
 */
export async function findCandidateOrders(
  { scope }: Pick<Context, 'scope'>,
  { id }: { readonly id: string },
): Promise<readonly string[]> {
  const found = await scope.db.$queryRaw<{ id: string }[]>`
    /* findCandidateOrders */
    select o.id
    from unmatched_payments u
    join blockchain_transactions b on b.organization_id = u.organization_id and b.id = u.blockchain_transaction_id
    join payment_orders o on o.organization_id = u.organization_id and o.pay_to = b.recipient
    where u.organization_id = current_organization_id()
      and u.id = ${id}::uuid
      and o.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'EXPIRED')
      and (
        o.payer = b.sender
        or o.asset_id = b.asset_id
        and o.incarnation_id = b.incarnation_id
        and abs(o.due_units - o.credited_units - b.units) * 10 <= b.units
      )
    order by
      (o.asset_id = b.asset_id and o.incarnation_id = b.incarnation_id) desc,
      coalesce(o.payer = b.sender, false) desc,
      abs(o.due_units - o.credited_units - b.units),
      o.created_at desc
    limit 5`;
  return found.map((each) => each.id);
}
