import { expect } from 'vitest';
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
];

/** What no audit entry shows: it tells who a payer is. */
const LEFT_OUT = 'client_hash';

/**
 * Holds the books against each other: credits against orders and transfers, events against states, audit entries
 * against rows. Whatever a test has done, these must hold.
 */
export async function expectBooksToBalance(market: Pick<Market, 'sql'>): Promise<void> {
  await expectCreditsToAddUp(market);
  await expectEventsToTellAll(market);
  await expectAuditToShowAll(market);
}

async function expectCreditsToAddUp({ sql }: Pick<Market, 'sql'>): Promise<void> {
  const unbalanced = await sql(`
    select o.id, o.credited_units, coalesce(sum(c.units) filter (where c.reversed_at is null), 0) as credits
    from payment_orders o
    left join payment_credits c on c.organization_id = o.organization_id and c.payment_order_id = o.id
    group by o.organization_id, o.id
    having o.credited_units <> coalesce(sum(c.units) filter (where c.reversed_at is null), 0)`);
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

/** Each row's entries begin with its birth, each goes on where the last one ended, and the last is the row. */
async function expectAuditToShowAll({ sql }: Pick<Market, 'sql'>): Promise<void> {
  for (const table of AUDITED) {
    const entries = await sql<Entry>(
      `select table_name, row_id, verb, role, request_id, before, after
       from audit_entries where table_name = $1 order by created_at, id`,
      table,
    );
    const rows = new Map<string, unknown>();
    for (const { row_id, verb, role, request_id, before, after } of entries) {
      expect([verb, before]).toEqual(rows.has(row_id) ? ['UPDATE', rows.get(row_id)] : ['INSERT', null]);
      // The tests' own hand is a superuser's, who has neither a role of ours nor a request.
      expect(role === 'none' || (role.startsWith('tollhouse_') && request_id)).toBeTruthy();
      rows.set(row_id, after);
    }
    const now = await sql<{ id: string; row: unknown }>(
      `select id, to_jsonb(t) - '${LEFT_OUT}' as row from ${table} t`,
    );
    expect(new Map(now.map(({ id, row }) => [id, row]))).toEqual(rows);
  }
}
