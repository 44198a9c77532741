import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkerContext } from '../../src/context.ts';
import { findFittingOrders } from '../../src/payments/commands/findFittingOrders.ts';
import { findOrderInAnotherAsset } from '../../src/payments/commands/findOrderInAnotherAsset.ts';
import { type Person, signIn } from '../support/person.ts';
import { inboxOf } from './inbox.ts';
import { type Market, makeLink, makeOrder, newPayer, openMarket } from './market.ts';

type UnjudgedTransfer = Parameters<typeof findFittingOrders>[1];

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(() => market.close());

/** Copies each order of an account so often, as orders of others: every other one is over. */
const copyOrders = (payTo: string, times: number): Promise<unknown> =>
  market.sql(
    `with copied as (
       select o.*, row_number() over () as place from payment_orders o, generate_series(1, $2::integer) where o.pay_to = $1
     )
     insert into payment_orders (
       organization_id, payment_link_id, incarnation_id, asset_id, matching, status, due_units, pay_to, payer, reference,
       required_confirmations, head_number, client_hash, expires_at, created_at
     )
     select
       c.organization_id, c.payment_link_id, c.incarnation_id, c.asset_id, 'WALLET',
       (case c.place % 2 when 0 then 'CREATED' else 'EXPIRED' end)::payment_order_status, c.due_units, c.pay_to,
       '0x' || substring(encode(sha256(c.place::text::bytea), 'hex') for 40),
       substring(sha256((c.id::text || c.place)::bytea) for 16), c.required_confirmations, c.head_number, c.client_hash,
       clock_timestamp() + (c.place % 2 * 2 - 1) * interval '-1 day', clock_timestamp() - interval '2 days'
     from copied c`,
    payTo,
    times,
  );

/** As many pages as a statement reads, with all that its functions read; asked once before, for what is read only once. */
async function pagesOf(statement: string, ...values: unknown[]): Promise<number> {
  const ask = () =>
    market.sql<{ 'QUERY PLAN': readonly { Plan: Record<string, number> }[] }>(
      `explain (analyze, buffers, timing off, format json) ${statement}`,
      ...values,
    );
  await ask();
  const [row] = await ask();
  const plan = row?.['QUERY PLAN'][0]?.Plan;
  return (plan?.['Shared Hit Blocks'] ?? 0) + (plan?.['Shared Read Blocks'] ?? 0);
}

const PAID = 'select organizations_paid_at(t) from chain_transfers t where t.transaction_hash = $1';
const REASON = `select unmatched_reason(o.organization_id, t)
  from chain_transfers t
  join lateral (select organization_id from payment_orders where pay_to = t.recipient limit 1) o on true
  where t.transaction_hash = $1`;

const RECIPIENT = 'select recipient from chain_transfers where transaction_hash = $1';
const ofPayee = (column: string): string =>
  `select ${column} from payment_link_accepts where pay_to in (${RECIPIENT})
   union select ${column} from payment_orders where pay_to in (${RECIPIENT})`;

/** The same in words that read all of them. */
const MEANT = `select a.organization_id
  from chain_transfers t
  join payment_link_accepts a on a.pay_to = t.recipient
  join payment_links l on l.organization_id = a.organization_id and l.id = a.payment_link_id
  where t.transaction_hash = $1
    and (l.deleted_at is null or is_payee_of(l.organization_id, t.recipient, t.incarnation_id))
  union
  select o.organization_id
  from chain_transfers t
  join payment_orders o on o.pay_to = t.recipient
  join payment_links l on l.organization_id = o.organization_id and l.id = o.payment_link_id
  where t.transaction_hash = $1
    and (
      l.deleted_at is null
      or o.payer = t.sender
      or t.block_time <= coalesce(o.late_until, o.expires_at)
      or is_payee_of(l.organization_id, t.recipient, t.incarnation_id)
    )`;

/** What a command asks the database about a transfer. */
async function saidOf(
  hash: string,
  ask: (context: WorkerContext, transfer: UnjudgedTransfer) => Promise<unknown>,
): Promise<{ readonly text: string; readonly values: readonly unknown[] }> {
  const [transfer] = await market.sql<UnjudgedTransfer>(
    `select incarnation_id as "incarnationId", asset_id as "assetId", sender, recipient, units::text,
       units::text as "sentUnits", input, block_number as "blockNumber", block_time as "blockTime"
     from chain_transfers where transaction_hash = $1`,
    hash,
  );
  if (!transfer) throw new Error('The transfer was not read.');
  let said = { text: '', values: [] as readonly unknown[] };
  const $queryRaw = async (texts: readonly string[], ...values: unknown[]): Promise<[]> => {
    said = { text: texts.reduce((text, next, place) => `${text}$${place}${next}`), values };
    return [];
  };
  await ask({ database: { as: () => ({ db: { $queryRaw } }) } } as never, transfer);
  return said;
}

interface Shop {
  readonly shop: Person;
  readonly payTo: string;
}

async function open(): Promise<Shop> {
  const shop = await signIn(market.house);
  const { slug, payTo } = await makeLink(market, { by: shop });
  await market.watch();
  await makeOrder(market, { slug, payer: (await newPayer(market)).address });
  return { shop, payTo };
}

describe('a transfer that nobody takes', () => {
  it('reads as few pages with many orders of its payee as with few', async () => {
    const { shop, payTo } = await open();
    const { hash } = await (await newPayer(market)).transfer(payTo, 7n);
    await market.watch();
    expect(await inboxOf(market, shop)).toMatchObject([{ reason: 'UNKNOWN_SENDER' }]);
    const asked = [
      { text: PAID, values: [hash] },
      { text: REASON, values: [hash] },
      await saidOf(hash, findFittingOrders),
      await saidOf(hash, findOrderInAnotherAsset),
    ];
    const pages = async (): Promise<number[]> => {
      const counted: number[] = [];
      for (const { text, values } of asked) counted.push(await pagesOf(text, ...values));
      return counted;
    };
    const few = await pages();
    await copyOrders(payTo, 5_000);
    await market.sql('analyze payment_orders');
    const many = await pages();
    // an index over so many is a page or two deeper, wherever it is asked
    many.forEach((read, place) => {
      expect(read).toBeLessThanOrEqual((few[place] ?? 0) + 24);
    });
    const whole = await pagesOf('select count(distinct payer) from payment_orders where pay_to = $1', payTo);
    expect(whole).toBeGreaterThan(5 * Math.max(...many));
  });

  it('is seen by whoever was ever paid there, and after a link is gone while its orders have time or by their payers', async () => {
    const { payTo } = await open();
    const { hash } = await (await newPayer(market)).transfer(payTo, 7n);
    await market.watch();
    const changes = [
      `update payment_links set deleted_at = clock_timestamp() where id in (${ofPayee('payment_link_id')})`,
      `update memberships set role = 'MEMBER' where organization_id in (${ofPayee('organization_id')})`,
      'update payment_orders o set payer = t.sender from chain_transfers t where t.transaction_hash = $1 and o.pay_to = t.recipient',
      `update payment_orders set expires_at = created_at + interval '1 millisecond', late_until = null where pay_to in (${RECIPIENT})`,
      `update payment_link_accepts set pay_to = '0x${'5'.repeat(40)}' where pay_to in (${RECIPIENT})`,
      `delete from payment_orders where pay_to in (${RECIPIENT})`,
    ];
    const seen = new Set<number>();
    for (let which = 0; which < 2 ** changes.length; which += 1) {
      await market.sql('begin');
      await market.sql('set local session_replication_role = replica');
      // long after all that has a time
      await market.sql(
        `update chain_transfers set block_time = block_time + interval '1 day' where transaction_hash = $1`,
        hash,
      );
      if ((which & 8) === 0) {
        await market.sql(
          `update payment_orders set expires_at = clock_timestamp() + interval '2 days', late_until = null where pay_to in (${RECIPIENT})`,
          hash,
        );
      }
      for (const [place, change] of changes.entries()) {
        if ((which & (1 << place)) !== 0) await market.sql(change, hash);
      }
      const [found, meant] = [await market.sql(PAID, hash), await market.sql(MEANT, hash)];
      expect([which, found.length]).toEqual([which, meant.length]);
      seen.add(found.length);
      await market.sql('rollback');
    }
    expect(seen).toEqual(new Set([0, 1]));
  });
});
