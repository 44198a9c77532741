alter policy events_doorkeeper_insert on events
  with check (
    type in (
      'user.merged', 'user.deleted', 'organization.created', 'organization.deleted', 'organization.undeleted',
      'organization.purged', 'membership.added', 'membership.left', 'invitation.accepted'
    )
  );

drop policy chain_transfers_doorkeeper_update on chain_transfers;
drop policy chain_transfers_doorkeeper_select on chain_transfers;
revoke update (claimed_organization_id, claimed_for_id, judged_at) on chain_transfers from tollhouse_doorkeeper;
revoke select on chain_transfers from tollhouse_doorkeeper;
revoke select (caip19) on assets from tollhouse_doorkeeper;
drop policy payment_orders_doorkeeper_update on payment_orders;
revoke update (status, under_policy) on payment_orders from tollhouse_doorkeeper;
revoke select (matching, surcharge_units, credited_units, exceptions) on payment_orders from tollhouse_public;
revoke insert (surcharge_units) on payment_orders from tollhouse_public;

drop trigger payment_orders_hold_unique_amount on payment_orders;
grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
create or replace function count_open_orders(link uuid, client bytea) returns integer
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_xact_lock(hashtextextended(link::text || encode(client, 'hex'), 0));
  select count(*)::integer
  from public.payment_orders o
  where o.organization_id = public.current_organization_id()
    and o.payment_link_id = link
    and o.client_hash = client
    and o.status in ('CREATED', 'DETECTED', 'CONFIRMING')
$$;
drop function claim_transfers(uuid, text, text, jsonb);
drop function claimable_transfers(uuid, text);
drop function accept_underpaid_order(uuid, jsonb);
drop function cancel_payment_order(uuid, jsonb);
drop function hold_unique_amount();
drop function free_unique_amount(uuid, text, numeric);
reset role;
revoke create on schema public from tollhouse_doorkeeper;
drop function tell_of_payment_order(uuid, text, text, payment_order_status, jsonb, jsonb);
drop function actor_on_order(uuid);

drop table unique_amounts;
drop index payment_orders_client_idx;
drop index payment_orders_amount_idx;
alter table payment_orders
  add constraint payment_orders_payer_named_check check (matching::text <> 'WALLET' or payer is not null),
  drop constraint payment_orders_unique_amount_check,
  drop constraint payment_orders_matching_check;
