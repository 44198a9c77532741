import type { Context } from '../../context.ts';
import { watch } from '../../graphql/streams.ts';
import { isOver, type OrderStatus } from '../model.ts';

/** What a payer may know of an order's state. */
interface Seen {
  readonly organizationId: string;
  readonly id: string;
  readonly status: OrderStatus;
  /** Whether something was ever credited to it, or may be: its late window, else its deadline, has not been read over. */
  readonly mayCome: boolean;
  /** Whether a refund of it was asked for and is not done. */
  readonly goesBack: boolean;
}

/**
 * Watches a payer's order by its token, without a session: says something at once, and again whenever it has changed; over
 * when there is no such order, and behind the state that nothing can follow, once no refund of it is open.
 * @throws TOO_MANY_STREAMS
 */
export async function watchCheckoutOrder(
  context: Context,
  { token }: { readonly token: string },
): Promise<AsyncIterableIterator<string>> {
  const first = await readSeen(context, token);
  return watch(context, {
    topics: first ? [`payment-order:${first.organizationId}:${first.id}`, `organization:${first.organizationId}`] : [],
    version: async () => JSON.stringify(await readSeen(context, token)),
    isLast: (version) => {
      const seen = JSON.parse(version) as Seen | null;
      return !seen || (isOver(seen.status, seen.mayCome) && !seen.goesBack);
    },
  });
}

async function readSeen(context: Context, token: string): Promise<Seen | null> {
  const [row] = await context.handleScope('payment-order', token).db.$queryRaw<Seen[]>`
    /* readCheckoutVersion */
    select
      o.organization_id as "organizationId",
      o.id,
      o.status::text as status,
      o.exceptions::text[] as exceptions,
      o.credited_units::text as credited,
      transfers.state as transfers,
      refunds.state as refunds,
      coalesce(refunds.are_open, false) as "goesBack",
      -- money deadlines are judged by block time: what came in time may not have been read yet
      transfers.state is not null
        or i.current
        and not coalesce(
          least(i.caught_up_at, i.read_until)
            > date_trunc('second', coalesce(o.late_until, o.expires_at) + interval '999 milliseconds'),
          false
        ) as "mayCome"
    from payment_orders o
    join chain_incarnations i on i.id = o.incarnation_id
    cross join lateral (
      select jsonb_agg(jsonb_build_array(c.id, c.reversed_at, t.status, t.block_number) order by c.id) as state
      from payment_credits c
      join blockchain_transactions t on t.organization_id = c.organization_id and t.id = c.blockchain_transaction_id
      where c.organization_id = o.organization_id and c.payment_order_id = o.id
    ) transfers
    cross join lateral (
      select
        jsonb_agg(jsonb_build_array(r.id, r.units::text, r.status, r.destination) order by r.id) as state,
        bool_or(r.status in ('REQUESTED', 'PENDING', 'SENT')) as are_open
      from payment_refunds r
      where r.organization_id = o.organization_id and r.payment_order_id = o.id
    ) refunds`;
  return row ?? null;
}
