drop trigger memberships_refuse_gone on memberships;

create or replace function has_open_money(organization uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.payment_orders p
    where p.organization_id = organization
      and (
        p.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'PAID')
        -- what came in and never sufficed, or came back after all
        or p.status = 'EXPIRED' and p.credited_units > 0
      )
  )
$$;

alter policy payment_orders_doorkeeper_select on payment_orders
  using (organization_id = (select current_organization_id()));
