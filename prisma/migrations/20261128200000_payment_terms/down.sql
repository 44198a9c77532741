alter table payment_orders
  drop column surcharge_units,
  drop column tolerance_units,
  drop column under_policy,
  drop column over_policy,
  drop column late_policy,
  drop column late_until,
  drop column finality,
  drop column field_values,
  drop column line_items,
  drop column refund,
  drop constraint payment_orders_payer_named_check,
  alter column payer set not null;

alter table payment_link_accepts
  drop column min_units,
  drop column max_units,
  drop column max_total_units,
  drop column total_units,
  alter column units set not null;

alter table payment_links
  drop column pricing,
  drop column starts_at,
  drop column expires_at,
  drop column max_uses,
  drop column max_per_wallet,
  drop column uses,
  drop column tolerance_basis_points,
  drop column under_policy,
  drop column over_policy,
  drop column late_policy,
  drop column late_window_minutes,
  drop column finality,
  drop column finality_confirmations,
  drop column custom_fields,
  drop column allowed_payers,
  drop column success_url,
  drop column cancel_url,
  drop column inactive_message,
  drop column metadata;

create type payment_matching_before as enum ('WALLET');
alter table payment_orders
  alter column matching type payment_matching_before using matching::text::payment_matching_before;
drop type payment_matching;
alter type payment_matching_before rename to payment_matching;

drop type payment_refund_state;
drop type payment_finality;
drop type payment_late_policy;
drop type payment_over_policy;
drop type payment_under_policy;
drop type payment_pricing;
