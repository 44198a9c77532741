drop trigger roles_recheck on roles;
drop trigger identities_recheck_again on identities;
drop trigger identities_recheck_gone on identities;
drop trigger identities_recheck on identities;
drop trigger memberships_recheck_again on memberships;
drop trigger memberships_recheck on memberships;

grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
drop function recheck_role(), recheck_wallet(), recheck_member();
create or replace function is_proved_payee(account text, on_chain bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.identities i
    join public.memberships m
      on m.user_id = i.user_id and m.organization_id = public.current_organization_id() and m.status = 'ACTIVE'
    where i.kind = 'WALLET' and i.address = account and (i.chain_id is null or i.chain_id = on_chain)
      and 'payments:write' = any (
        string_to_array(public.permissions_held(m.organization_id, m.role::text, m.role_id), ' ')
      )
  )
$$;
create or replace function keep_accepts() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform public.check_prices(new.organization_id, new.payment_link_id);
  if new.max_total_units is not null or exists (
    select from public.payment_links l
    where l.organization_id = new.organization_id and l.id = new.payment_link_id and l.exhausted
  ) then
    perform public.recount_uses(new.organization_id, new.payment_link_id);
  end if;
  return null;
end
$$;
create or replace function take_terms() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  link public.payment_links;
  price numeric := new.due_units - new.surcharge_units;
  moment timestamptz := clock_timestamp();
begin
  if new.organization_id is distinct from public.current_organization_id()
    or new.payment_link_id is distinct from public.current_target_id()
  then
    return new;
  end if;
  perform public.share_uses(new.payment_link_id);
  select * into link
  from public.payment_links l
  where l.organization_id = new.organization_id and l.id = new.payment_link_id;
  if link.id is null or link.deleted_at is not null then
    raise exception 'row-level security hides the link' using errcode = '42501';
  elsif link.status <> 'ACTIVE' then
    raise exception 'the link takes no payments: %', link.status using errcode = 'TH471';
  elsif link.starts_at > moment then
    raise exception 'the link takes no payments: SCHEDULED' using errcode = 'TH471';
  elsif link.expires_at <= moment then
    raise exception 'the link takes no payments: EXPIRED' using errcode = 'TH471';
  elsif new.payer is null and (link.allowed_payers is not null or link.max_per_wallet is not null) then
    raise exception 'the link asks for the wallet' using errcode = 'TH470';
  elsif not new.payer = any (link.allowed_payers) then
    raise exception 'the link is for other wallets' using errcode = 'TH474';
  end if;
  new.expires_at := transaction_timestamp() + make_interval(mins => link.order_lifetime_minutes);
  new.tolerance_units := floor(price * link.tolerance_basis_points / 10000);
  new.under_policy := link.under_policy;
  new.over_policy := link.over_policy;
  new.late_policy := link.late_policy;
  new.late_until := case
    when link.late_window_minutes > 0 then new.expires_at + make_interval(mins => link.late_window_minutes)
  end;
  new.finality := link.finality;
  new.required_confirmations := link.finality_confirmations;
  new.line_items := coalesce((
    select jsonb_agg(
      item - 'prices' || jsonb_build_object('units', item -> 'prices' ->> new.asset_id::text) order by place
    )
    from jsonb_array_elements(link.line_items) with ordinality as items (item, place)
  ), '[]');
  return new;
end
$$;
reset role;
revoke create on schema public from tollhouse_doorkeeper;

drop function recheck_payees(uuid, text[]), is_unproved(uuid, uuid), stands_for(uuid, text, bigint);
alter table payment_links drop unproved;
alter table payment_link_accepts drop unproved;
