import type { Projection } from '../../events/model.ts';

const ORDERS: Projection = {
  table: 'payment_orders',
  aggregate: 'payment-order',
  columns: {
    status: { shown: 'r.status::text', fact: 'to', first: 'CREATED' },
    exceptions: {
      shown: `array_to_string(array(select unnest(r.exceptions)::text collate "C" order by 1), ' ')`,
      fact: 'exceptions',
      first: '',
    },
    creditedUnits: { shown: 'r.credited_units::text', fact: 'creditedUnits', first: '0' },
  },
};

const REFUNDS: Projection = {
  table: 'payment_refunds',
  aggregate: 'payment-refund',
  columns: {
    status: { shown: 'r.status::text', fact: 'to', first: 'REQUESTED' },
    units: { shown: 'r.units::text', fact: 'units', first: '' },
  },
};

const LINKS: Projection = {
  table: 'payment_links',
  aggregate: 'payment-link',
  columns: {
    status: {
      shown: `case when r.deleted_at is null then r.status::text else 'DELETED' end`,
      fact: 'status',
      first: 'ACTIVE',
    },
  },
};

const UNMATCHED: Projection = {
  table: 'unmatched_payments',
  aggregate: 'unmatched-payment',
  columns: { status: { shown: 'r.status::text', fact: 'to', first: 'OPEN' } },
};

/** The read tables of payments, as far as the log tells what they say. */
export const PAYMENT_PROJECTIONS: readonly Projection[] = [LINKS, ORDERS, REFUNDS, UNMATCHED];

/** Those that money hangs on, and that the worker may read: it compares them as facts come. */
export const WATCHED_PROJECTIONS: readonly Projection[] = [ORDERS, REFUNDS];
