import type { Projection } from '../../events/model.ts';

/** What is counted from orders and their refunds, and never told: what `$2` stands for is made the orders' ids. */
const recountOrders = (ids: string): readonly string[] => [
  `/* settleOrderRefunds */
  update payment_orders o
  set refund = refund_state_of(o.organization_id, o.id, o.credited_units)
  where o.organization_id = $1::uuid
    and o.id in (${ids})
    and o.refund <> refund_state_of(o.organization_id, o.id, o.credited_units)`,
  `/* settleLinkUses */
  select recount_uses(l.organization_id, l.id)
  from payment_links l
  where l.organization_id = $1::uuid
    and l.id in (select o.payment_link_id from payment_orders o where o.organization_id = $1::uuid and o.id in (${ids}))
    and is_limited(l.organization_id, l.id)`,
];

const ORDERS: Projection = {
  table: 'payment_orders',
  aggregate: 'payment-order',
  columns: {
    status: {
      shown: 'r.status::text',
      fact: 'to',
      first: 'CREATED',
      // that it is final dates nothing anew
      dated: (told) => `${told} in ('PAID', 'FINAL')`,
      write: (told, at) => ({
        status: `${told}::payment_order_status`,
        paid_at: `case when ${told} in ('PAID', 'FINAL') then coalesce(r.paid_at, ${at}) end`,
      }),
    },
    exceptions: {
      shown: `array_to_string(array(select unnest(r.exceptions)::text collate "C" order by 1), ' ')`,
      fact: 'exceptions',
      first: '',
      write: (told) => ({ exceptions: `string_to_array(${told}, ' ')::payment_order_exception[]` }),
    },
    creditedUnits: {
      shown: 'r.credited_units::text',
      fact: 'creditedUnits',
      first: '0',
      write: (told) => ({ credited_units: `${told}::numeric` }),
    },
  },
  silent: [],
  settle: recountOrders('select unnest($2::uuid[])'),
};

const REFUNDS: Projection = {
  table: 'payment_refunds',
  aggregate: 'payment-refund',
  columns: {
    status: {
      shown: 'r.status::text',
      fact: 'to',
      first: 'REQUESTED',
      write: (told, at) => ({
        status: `${told}::payment_refund_status`,
        completed_at: `case when ${told} = 'COMPLETED' then coalesce(r.completed_at, ${at}) end`,
      }),
    },
    units: {
      shown: 'r.units::text',
      fact: 'units',
      first: '',
      write: (told) => ({ units: `${told}::numeric` }),
    },
  },
  // what the order says of its refunds is settled, and not told once more
  silent: ['payment_refunds_tell', 'payment_refunds_tell_order'],
  settle: recountOrders(
    'select f.payment_order_id from payment_refunds f where f.organization_id = $1::uuid and f.id = any ($2::uuid[])',
  ),
};

const LINKS: Projection = {
  table: 'payment_links',
  aggregate: 'payment-link',
  columns: {
    status: {
      shown: `case when r.deleted_at is null then r.status::text else 'DELETED' end`,
      fact: 'status',
      first: 'ACTIVE',
      write: (told, at) => ({
        status: `case when ${told} = 'DELETED' then r.status else ${told}::payment_link_status end`,
        deleted_at: `case when ${told} = 'DELETED' then coalesce(r.deleted_at, ${at}) end`,
      }),
    },
  },
  // what an organization had been let do is not judged anew
  silent: ['payment_links_limit_again'],
  settle: [],
};

const UNMATCHED: Projection = {
  table: 'unmatched_payments',
  aggregate: 'unmatched-payment',
  columns: {
    status: {
      shown: 'r.status::text',
      fact: 'to',
      first: 'OPEN',
      write: (told) => ({ status: `${told}::unmatched_payment_status` }),
    },
  },
  silent: ['unmatched_payments_tell'],
  settle: [],
};

/** The read tables of payments, as far as the log tells what they say. */
export const PAYMENT_PROJECTIONS: readonly Projection[] = [LINKS, ORDERS, REFUNDS, UNMATCHED];

/** Those that money hangs on, and that the worker may read: it compares them as facts come. */
export const WATCHED_PROJECTIONS: readonly Projection[] = [ORDERS, REFUNDS];
