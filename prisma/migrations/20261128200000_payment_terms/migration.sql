-- The terms of payment links, and what an order copies of them. Who may write and read which is the law of the steps that
-- follow; here a row has a place for them, and what every such row must hold.

create type payment_pricing as enum ('FIXED', 'OPEN', 'LINE_ITEMS');
create type payment_under_policy as enum ('HOLD', 'ACCEPT', 'REFUND');
create type payment_over_policy as enum ('KEEP', 'REFUND');
create type payment_late_policy as enum ('HOLD', 'ACCEPT', 'REFUND');
create type payment_finality as enum ('CONFIRMATIONS', 'SAFE', 'FINALIZED');
create type payment_refund_state as enum ('NONE', 'PENDING', 'PARTIAL', 'FULL');
alter type payment_matching add value 'UNIQUE_AMOUNT';
alter type payment_matching add value 'CLAIM';

alter table payment_links
  add column pricing payment_pricing not null default 'FIXED',
  add column starts_at timestamptz(3),
  add column expires_at timestamptz(3),
  add column max_uses integer,
  add column max_per_wallet integer,
  add column uses integer not null default 0,
  add column tolerance_basis_points integer not null default 0,
  add column under_policy payment_under_policy not null default 'HOLD',
  add column over_policy payment_over_policy not null default 'KEEP',
  add column late_policy payment_late_policy not null default 'HOLD',
  add column late_window_minutes integer not null default 60,
  add column finality payment_finality,
  add column finality_confirmations integer,
  add column custom_fields jsonb not null default '[]',
  add column allowed_payers text[],
  add column success_url text,
  add column cancel_url text,
  add column inactive_message text,
  add column metadata jsonb not null default '{}',
  add constraint payment_links_window_check check (expires_at > starts_at),
  add constraint payment_links_max_uses_check check (max_uses between 1 and 1000000),
  add constraint payment_links_max_per_wallet_check check (max_per_wallet between 1 and 1000000),
  add constraint payment_links_uses_check check (uses >= 0),
  add constraint payment_links_tolerance_basis_points_check check (tolerance_basis_points between 0 and 1000),
  add constraint payment_links_late_window_minutes_check check (late_window_minutes between 0 and 43200),
  add constraint payment_links_finality_check check (
    finality_confirmations between 1 and 10000
    and finality is not distinct from 'CONFIRMATIONS'
    or finality_confirmations is null
    and finality is distinct from 'CONFIRMATIONS'
  ),
  add constraint payment_links_custom_fields_check check (
    jsonb_typeof(custom_fields) = 'array' and jsonb_array_length(custom_fields) <= 20
  ),
  add constraint payment_links_allowed_payers_check check (
    cardinality(allowed_payers) between 1 and 1000
    and array_to_string(allowed_payers, ' ', '') ~ '^0x[0-9a-f]{40}( 0x[0-9a-f]{40})*$'
  ),
  add constraint payment_links_success_url_check check (success_url ~ '^https?://' and char_length(success_url) <= 2000),
  add constraint payment_links_cancel_url_check check (cancel_url ~ '^https?://' and char_length(cancel_url) <= 2000),
  add constraint payment_links_inactive_message_check check (char_length(inactive_message) between 1 and 500),
  add constraint payment_links_metadata_check check (jsonb_typeof(metadata) = 'object');

-- an amount of its own for each asset, or a range; nothing is converted
alter table payment_link_accepts
  alter column units drop not null,
  add column min_units numeric(78, 0),
  add column max_units numeric(78, 0),
  add column max_total_units numeric(78, 0),
  add column total_units numeric(78, 0) not null default 0,
  add constraint payment_link_accepts_price_check check (
    units is not null and min_units is null and max_units is null
    or units is null and min_units > 0 and max_units >= min_units and max_units < 2::numeric ^ 256
  ),
  add constraint payment_link_accepts_max_total_units_check check (max_total_units > 0),
  add constraint payment_link_accepts_total_units_check check (total_units >= 0);

alter table payment_orders
  alter column payer drop not null,
  add column surcharge_units numeric(78, 0) not null default 0,
  add column tolerance_units numeric(78, 0) not null default 0,
  add column under_policy payment_under_policy not null default 'HOLD',
  add column over_policy payment_over_policy not null default 'KEEP',
  add column late_policy payment_late_policy not null default 'HOLD',
  add column late_until timestamptz(3),
  add column finality payment_finality not null default 'CONFIRMATIONS',
  add column field_values jsonb not null default '{}',
  add column line_items jsonb not null default '[]',
  add column refund payment_refund_state not null default 'NONE',
  add constraint payment_orders_payer_named_check check (matching::text <> 'WALLET' or payer is not null),
  add constraint payment_orders_surcharge_units_check check (surcharge_units >= 0 and surcharge_units < due_units),
  add constraint payment_orders_tolerance_units_check check (tolerance_units >= 0 and tolerance_units < due_units),
  add constraint payment_orders_late_until_check check (late_until >= expires_at),
  add constraint payment_orders_field_values_check check (jsonb_typeof(field_values) = 'object'),
  add constraint payment_orders_line_items_check check (jsonb_typeof(line_items) = 'array');
