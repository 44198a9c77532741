-- Links whose payee is nobody's of the organization any more: whoever proved the wallet has left, was removed, may not
-- write payments any more, or has given the wallet up. They take no orders by that payee, and say so.

alter table payment_link_accepts add column unproved boolean not null default false;
alter table payment_links add column unproved boolean not null default false;

-- whether somebody stands for an account in an organization: a member who may write its payments has proved it
create function stands_for(organization uuid, account text, on_chain bigint) returns boolean
language sql stable
as $$
  select exists (
    select from public.identities i
    join public.memberships m
      on m.user_id = i.user_id and m.organization_id = organization and m.status = 'ACTIVE'
    where i.kind = 'WALLET' and i.address = account and (i.chain_id is null or i.chain_id = on_chain)
      and 'payments:write' = any (
        string_to_array(public.permissions_held(m.organization_id, m.role::text, m.role_id), ' ')
      )
  )
$$;

-- whether nobody stands for any of a link's payees
create function is_unproved(organization uuid, link uuid) returns boolean
language sql stable
as $$
  select coalesce(bool_and(a.unproved), false)
  from public.payment_link_accepts a
  where a.organization_id = organization and a.payment_link_id = link
$$;

-- Says anew of the links that are paid at these accounts whether somebody stands for them. Whoever adds a way to pay
-- shares the lock, so that nobody leaves between the look at them and the end of that transaction.
create function recheck_payees(organization uuid, accounts text[]) returns void
language plpgsql volatile
as $$
begin
  if cardinality(accounts) = 0 then
    return;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('payees of ' || organization, 0));
  -- a link is locked before its ways to pay, as whoever counts its uses does
  perform from public.payment_links l
  where l.organization_id = organization and l.id in (
    select a.payment_link_id
    from public.payment_link_accepts a
    join public.assets s on s.id = a.asset_id
    where a.organization_id = organization and a.pay_to = any (accounts)
      and a.unproved = public.stands_for(organization, a.pay_to, s.chain_id)
  )
  order by l.id
  for no key update;
  if not found then
    return;
  end if;
  update public.payment_link_accepts a
  set unproved = not a.unproved
  from public.assets s
  where s.id = a.asset_id and a.organization_id = organization and a.pay_to = any (accounts)
    and a.unproved = public.stands_for(organization, a.pay_to, s.chain_id);
  update public.payment_links l
  set unproved = not l.unproved
  where l.organization_id = organization
    and l.id in (
      select a.payment_link_id
      from public.payment_link_accepts a
      where a.organization_id = organization and a.pay_to = any (accounts)
    )
    and l.unproved <> public.is_unproved(organization, l.id);
end
$$;

-- what becomes of a member is said of the links that are paid at their wallets
create function recheck_member() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := coalesce(new.organization_id, old.organization_id);
begin
  perform public.recheck_payees(organization, array(
    select distinct i.address
    from public.identities i
    where i.user_id in (new.user_id, old.user_id) and i.kind = 'WALLET'
  ));
  return null;
end
$$;
create trigger memberships_recheck after insert or delete on memberships
  for each row execute function recheck_member();
create trigger memberships_recheck_again after update of user_id, role, role_id, status on memberships
  for each row
  when ((old.user_id, old.role, old.role_id, old.status) is distinct from (new.user_id, new.role, new.role_id, new.status))
  execute function recheck_member();

-- and of a wallet, wherever its user is a member
create function recheck_wallet() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  place uuid;
begin
  for place in
    select distinct m.organization_id
    from public.memberships m
    where m.user_id in (new.user_id, old.user_id)
    order by m.organization_id
  loop
    perform public.recheck_payees(place, array_remove(array[new.address, old.address], null));
  end loop;
  return null;
end
$$;
create trigger identities_recheck after insert on identities
  for each row when (new.kind = 'WALLET') execute function recheck_wallet();
create trigger identities_recheck_gone after delete on identities
  for each row when (old.kind = 'WALLET') execute function recheck_wallet();
create trigger identities_recheck_again after update of user_id on identities
  for each row when (old.kind = 'WALLET' and old.user_id <> new.user_id) execute function recheck_wallet();

-- and of a role, for all who have it
create function recheck_role() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform public.recheck_payees(new.organization_id, array(
    select distinct i.address
    from public.memberships m
    join public.identities i on i.user_id = m.user_id and i.kind = 'WALLET'
    where m.organization_id = new.organization_id and m.role_id = new.id
  ));
  return null;
end
$$;
create trigger roles_recheck after update of permissions on roles
  for each row when (old.permissions <> new.permissions) execute function recheck_role();

revoke execute on function
  stands_for(uuid, text, bigint), is_unproved(uuid, uuid), recheck_payees(uuid, text[]), recheck_member(),
  recheck_wallet(), recheck_role()
from public;

-- the law ------------------------------------------------------------------------------------------------------------

grant execute on function
  stands_for(uuid, text, bigint), is_unproved(uuid, uuid), recheck_payees(uuid, text[])
to tollhouse_doorkeeper;
grant select (unproved) on payment_links, payment_link_accepts to tollhouse_public;
grant update (unproved) on payment_links, payment_link_accepts to tollhouse_doorkeeper;

grant create on schema public to tollhouse_doorkeeper;
alter function recheck_member() owner to tollhouse_doorkeeper;
alter function recheck_wallet() owner to tollhouse_doorkeeper;
alter function recheck_role() owner to tollhouse_doorkeeper;

-- from here on as whoever owns what is replaced
set local role tollhouse_doorkeeper;

create or replace function is_proved_payee(account text, on_chain bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select public.stands_for(public.current_organization_id(), account, on_chain)
$$;

-- a way to pay agrees with its link, and counts with it; and whoever stood for its payee a moment ago may have left
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
  perform pg_advisory_xact_lock_shared(hashtextextended('payees of ' || new.organization_id, 0));
  update public.payment_link_accepts a
  set unproved = true
  from public.assets s
  where s.id = a.asset_id and a.organization_id = new.organization_id and a.id = new.id
    and not public.stands_for(a.organization_id, a.pay_to, s.chain_id);
  update public.payment_links l
  set unproved = not l.unproved
  where l.organization_id = new.organization_id and l.id = new.payment_link_id
    and l.unproved <> public.is_unproved(l.organization_id, l.id);
  return null;
end
$$;

-- A payer's order has the terms of its link, by whatever statement it is made: they are written here, and the payer has
-- no right to write them. Of any other link than the payer came for nothing is looked at: the policy refuses the row.
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
  end if;
  -- what the link says of it may be older than this statement; and of an account that is not its payee nothing is said
  if exists (
    select from public.payment_link_accepts a
    join public.assets s on s.id = a.asset_id
    where a.organization_id = link.organization_id and a.payment_link_id = link.id
      and a.asset_id = new.asset_id and a.pay_to = new.pay_to
      and not public.stands_for(a.organization_id, a.pay_to, s.chain_id)
  ) then
    if exists (
      select from public.payment_link_accepts a
      join public.assets s on s.id = a.asset_id
      where a.organization_id = link.organization_id and a.payment_link_id = link.id
        and public.stands_for(a.organization_id, a.pay_to, s.chain_id)
    ) then
      raise exception 'nobody stands for the payee' using errcode = 'TH479';
    end if;
    raise exception 'the link takes no payments: PAYEE_NOT_PROVED' using errcode = 'TH471';
  end if;
  if new.payer is null and (link.allowed_payers is not null or link.max_per_wallet is not null) then
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

-- the links that are there already
do $$
declare
  place record;
begin
  for place in
    select a.organization_id, array_agg(distinct a.pay_to) as accounts
    from public.payment_link_accepts a
    group by a.organization_id
    order by a.organization_id
  loop
    perform public.recheck_payees(place.organization_id, place.accounts);
  end loop;
end
$$;

reset role;
revoke create on schema public from tollhouse_doorkeeper;
