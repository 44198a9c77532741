import { expect } from 'vitest';
import type { Market } from './market.ts';

const COUNTS = `(o.status not in ('EXPIRED', 'CANCELED', 'FAILED') or o.credited_units > 0)`;

/** What is counted of every limited link is what its orders say, and each that is exhausted says so. */
export async function expectUsesToBeExact({ sql }: Pick<Market, 'sql'>): Promise<void> {
  const wrong = await sql(`
    with counted as (
      select
        l.id, l.uses, l.max_uses, l.exhausted, count(o.id) filter (where ${COUNTS}) as orders,
        (
          select bool_and(coalesce(a.total_units + coalesce(a.units, a.min_units) > a.max_total_units, false))
          from payment_link_accepts a
          where a.organization_id = l.organization_id and a.payment_link_id = l.id
        ) as full
      from payment_links l
      left join payment_orders o on o.organization_id = l.organization_id and o.payment_link_id = l.id
      where l.max_uses is not null or l.max_per_wallet is not null
      group by l.organization_id, l.id
    )
    select * from counted
    where uses <> orders or exhausted <> (coalesce(uses >= max_uses, false) or coalesce("full", false))`);
  expect(wrong).toEqual([]);
  const untrue = await sql(`
    select a.id, a.total_units, sum(o.due_units - o.surcharge_units) filter (where ${COUNTS}) as asked
    from payment_link_accepts a
    left join payment_orders o
      on o.organization_id = a.organization_id and o.payment_link_id = a.payment_link_id and o.asset_id = a.asset_id
    where a.max_total_units is not null
    group by a.organization_id, a.id
    having a.total_units <> coalesce(sum(o.due_units - o.surcharge_units) filter (where ${COUNTS}), 0)`);
  expect(untrue).toEqual([]);
}
