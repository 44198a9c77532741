import { expect } from 'vitest';
import { compareProjection } from '../../src/events/commands/compareProjection.ts';
import { PAYMENT_PROJECTIONS } from '../../src/payments/model/projections.ts';
import type { Market } from './market.ts';

interface Entry {
  readonly table_name: string;
  readonly row_id: string;
  readonly verb: string;
  readonly role: string;
  readonly request_id: string | null;
  readonly before: unknown;
  readonly after: unknown;
}

const AUDITED = [
  'payment_links',
  'payment_link_accepts',
  'payment_orders',
  'blockchain_transactions',
  'payment_credits',
  'unmatched_payments',
  'payment_refunds',
  'provider_transactions',
];

/** What no audit entry shows: it tells who a payer is. */
const LEFT_OUT = 'client_hash';

/**
 * Holds the books against each other: credits against orders and transfers, events against states, audit entries
 * against rows. Whatever a test has done, these must hold.
 */
export async function expectBooksToBalance(market: Pick<Market, 'sql'>): Promise<void> {
  await expectCreditsToAddUp(market);
  await expectAllMoneyToBeSomewhere(market);
  await expectRefundsToAddUp(market);
  await expectEventsToTellAll(market);
  await expectLogToMakeTables(market);
  await expectAuditToShowAll(market);
}

async function expectCreditsToAddUp({ sql }: Pick<Market, 'sql'>): Promise<void> {
  const unbalanced = await sql(`
    with counted as (
      select organization_id, payment_order_id, units from payment_credits where reversed_at is null
      union all
      select organization_id, payment_order_id, units from provider_transactions
      where kind = 'PAYMENT' and status = 'CONFIRMED' and blockchain_transaction_id is null
    )
    select o.id, o.credited_units, coalesce(sum(c.units), 0) as credits
    from payment_orders o
    left join counted c on c.organization_id = o.organization_id and c.payment_order_id = o.id
    group by o.organization_id, o.id
    having o.credited_units <> coalesce(sum(c.units), 0)`);
  expect(unbalanced).toEqual([]);
  const untrue = await sql(`
    select t.transaction_hash, t.ordinal
    from chain_transfers t
    left join blockchain_transactions b
      on b.organization_id = t.claimed_organization_id and b.incarnation_id = t.incarnation_id
      and b.hash = t.transaction_hash and b.ordinal = t.ordinal
    left join payment_credits c
      on c.organization_id = b.organization_id and c.blockchain_transaction_id = b.id
      and c.payment_order_id = t.claimed_for_id
    where t.claimed_for_id is not null
      and t.claimed_as = 'ORDER'
      and t.judged_at is not null
      and (
        c.id is null or c.units <> t.units or b.units <> t.units or b.block_hash <> t.block_hash
        or b.block_number <> t.block_number or (b.status = 'ORPHANED') <> t.orphaned
        or (c.reversed_at is not null) <> t.orphaned
      )`);
  expect(untrue).toEqual([]);
  const unclaimed = await sql(`
    select c.id
    from payment_credits c
    join blockchain_transactions b on b.organization_id = c.organization_id and b.id = c.blockchain_transaction_id
    where c.reversed_at is null and not exists (
      select from chain_transfers t
      where t.claimed_for_id = c.payment_order_id and t.transaction_hash = b.hash and t.ordinal = b.ordinal
    )`);
  expect(unclaimed).toEqual([]);
  const unrecorded = await sql(`
    select c.id
    from payment_credits c
    left join provider_transactions p
      on p.organization_id = c.organization_id and p.blockchain_transaction_id = c.blockchain_transaction_id
      and p.provider = 'onchain' and p.payment_order_id = c.payment_order_id and p.units = c.units
    where p.id is null or (p.status = 'CONFIRMED') <> (c.reversed_at is null)`);
  expect(unrecorded).toEqual([]);
}

/**
 * What the chain's own transfers have brought each payee is what was credited, what stands in inboxes, and what is a
 * refund of somebody's; each transfer is one of these, once, however many organizations are paid at the account.
 */
async function expectAllMoneyToBeSomewhere({ sql }: Pick<Market, 'sql'>): Promise<void> {
  const missing = await sql(`
    with arrived as (
      select t.*
      from chain_transfers t
      where t.judged_at is not null and not t.orphaned and t.units > 0
        and exists (
          select from (
            select organization_id, payment_link_id, pay_to from payment_link_accepts
            union
            select organization_id, payment_link_id, pay_to from payment_orders
          ) p
          join payment_links l on l.organization_id = p.organization_id and l.id = p.payment_link_id
          where p.pay_to = t.recipient
            -- of who has left, by a link that was deleted, nothing is the organization's
            and (l.deleted_at is null or exists (
              select from identities i
              join memberships m on m.user_id = i.user_id and m.organization_id = l.organization_id
              where i.address = t.recipient and m.status = 'ACTIVE'
            ))
        )
    ),
    placed as (
      select
        a.id, a.recipient, a.asset_id, a.units,
        (
          select coalesce(sum(c.units), 0)
          from payment_credits c
          join blockchain_transactions b on b.organization_id = c.organization_id and b.id = c.blockchain_transaction_id
          where c.reversed_at is null
            and b.incarnation_id = a.incarnation_id and b.hash = a.transaction_hash and b.ordinal = a.ordinal
        ) as credited,
        case when exists (
          select from unmatched_payments u
          join blockchain_transactions b on b.organization_id = u.organization_id and b.id = u.blockchain_transaction_id
          where u.status in ('OPEN', 'IGNORED', 'REFUNDED') and b.units = a.units
            and b.incarnation_id = a.incarnation_id and b.hash = a.transaction_hash and b.ordinal = a.ordinal
        ) then a.units else 0 end as waiting,
        case when a.claimed_as = 'REFUND' then a.units else 0 end as refunded
      from arrived a
    )
    select recipient, asset_id, sum(units) as arrived, sum(credited) as credited, sum(waiting) as waiting
    from placed
    group by recipient, asset_id
    having sum(units) <> sum(credited + waiting + refunded) or bool_or(units <> credited + waiting + refunded)`);
  expect(missing).toEqual([]);
}

/** No more goes back than came, each refund is its own transfer, and orders say what became of theirs. */
async function expectRefundsToAddUp({ sql }: Pick<Market, 'sql'>): Promise<void> {
  const untrue = await sql(`
    select r.id, r.status
    from payment_refunds r
    left join blockchain_transactions b
      on b.organization_id = r.organization_id and b.id = r.blockchain_transaction_id
    left join chain_transfers t
      on t.claimed_as = 'REFUND' and t.claimed_organization_id = r.organization_id and t.claimed_for_id = r.id
    where r.status in ('SENT', 'COMPLETED')
      and (t.id is null or t.judged_at is not null and (
        t.orphaned or b.block_hash <> t.block_hash or b.hash <> t.transaction_hash or b.status <> 'INCLUDED'
        or (coalesce(t.sent_units, t.units), t.asset_id, t.sender, t.recipient)
          <> (r.units, r.asset_id, r.pay_from, r.destination)
      ))
      or r.status not in ('SENT', 'COMPLETED') and t.id is not null`);
  expect(untrue).toEqual([]);
  const unrecorded = await sql(`
    select r.id
    from payment_refunds r
    left join provider_transactions p
      on p.organization_id = r.organization_id and p.payment_refund_id = r.id
      and p.blockchain_transaction_id = r.blockchain_transaction_id and p.kind = 'REFUND'
    where r.status in ('SENT', 'COMPLETED')
      and (p.id is null or (p.status = 'CONFIRMED') <> (r.status = 'COMPLETED') or p.units <> r.units)`);
  expect(unrecorded).toEqual([]);
  const unsaid = await sql(`
    select o.id, o.refund
    from payment_orders o
    where o.refund <> case
      when exists (
        select from payment_refunds r
        where r.organization_id = o.organization_id and r.payment_order_id = o.id
          and r.status in ('REQUESTED', 'PENDING', 'SENT')
      ) then 'PENDING'
      else (
        select case
          when coalesce(sum(r.units), 0) = 0 then 'NONE'
          when sum(r.units) >= o.credited_units then 'FULL'
          else 'PARTIAL'
        end
        from payment_refunds r
        where r.organization_id = o.organization_id and r.payment_order_id = o.id and r.status = 'COMPLETED'
      )
    end::payment_refund_state`);
  expect(unsaid).toEqual([]);
}

async function expectEventsToTellAll({ sql }: Pick<Market, 'sql'>): Promise<void> {
  const gaps = await sql(`
    select aggregate_type, aggregate_id, array_agg(aggregate_version order by aggregate_version) as versions
    from events
    group by organization_id, aggregate_type, aggregate_id
    having min(aggregate_version) <> 1 or max(aggregate_version) <> count(*)`);
  expect(gaps).toEqual([]);
  const untold = await sql(`
    select o.id, o.status, last.type, last.data
    from payment_orders o
    left join lateral (
      select e.type, e.data
      from events e
      where e.organization_id = o.organization_id and e.aggregate_type = 'payment-order' and e.aggregate_id = o.id
      order by e.aggregate_version desc
      limit 1
    ) last on true
    where o.status::text is distinct from coalesce(last.data ->> 'to', replace(last.type, 'payment-order.c', 'C'))
      and not (o.status = 'CREATED' and last.type = 'payment-order.created')`);
  expect(untold).toEqual([]);
}

/** Made anew from the log, every table is what it is. */
async function expectLogToMakeTables({ sql }: Pick<Market, 'sql'>): Promise<void> {
  const read = <Row>({ text, values }: { text: string; values: unknown[] }): Promise<Row[]> =>
    sql<Row>(text, ...values);
  for (const { id: organizationId } of await sql<{ id: string }>('select id from organizations')) {
    for (const projection of PAYMENT_PROJECTIONS) {
      const { differences } = await compareProjection({ read }, { projection, organizationId, most: 5 });
      expect([projection.table, differences]).toEqual([projection.table, []]);
    }
  }
}

/** Each row's entries begin with its birth, each goes on where the last one ended, and the last is the row. */
async function expectAuditToShowAll({ sql }: Pick<Market, 'sql'>): Promise<void> {
  for (const table of AUDITED) {
    const entries = await sql<Entry>(
      `select table_name, row_id, verb, role, request_id, before, after
       from audit_entries where table_name = $1 order by log_position`,
      table,
    );
    const rows = new Map<string, unknown>();
    for (const { row_id, verb, role, request_id, before, after } of entries) {
      const gone = verb === 'DELETE';
      expect([verb, before]).toEqual(rows.has(row_id) ? [gone ? verb : 'UPDATE', rows.get(row_id)] : ['INSERT', null]);
      // The tests' own hand is a superuser's, who has neither a role of ours nor a request.
      expect(role === 'none' || (role.startsWith('tollhouse_') && request_id)).toBeTruthy();
      if (gone) rows.delete(row_id);
      else rows.set(row_id, after);
    }
    const now = await sql<{ id: string; row: unknown }>(
      `select id, to_jsonb(t) - '${LEFT_OUT}' as row from ${table} t`,
    );
    expect(new Map(now.map(({ id, row }) => [id, row]))).toEqual(rows);
  }
}
