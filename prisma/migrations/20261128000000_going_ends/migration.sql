-- Whose going ends an organization is asked about all of its money, wherever the session works; and who is gone already
-- is nobody's member any more, whatever waited for that.

alter policy payment_orders_doorkeeper_select on payment_orders using (true);

-- whether an order could still be credited or taken back, or holds money that never sufficed
create or replace function has_open_money(organization uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.payment_orders p
    where p.organization_id = organization
      and (
        p.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'PAID')
        -- what came in and never sufficed, or came back after all
        or p.status in ('EXPIRED', 'CANCELED', 'FAILED') and p.credited_units > 0
      )
  )
$$;

-- the reference to the user has waited for whoever deletes or merges when this runs
set local role tollhouse_doorkeeper;
grant execute on function refuse_gone_profiles() to session_user;
reset role;
create trigger memberships_refuse_gone after insert or update of status on memberships
  for each row when (new.status = 'ACTIVE') execute function refuse_gone_profiles();
set local role tollhouse_doorkeeper;
revoke execute on function refuse_gone_profiles() from session_user;
reset role;
