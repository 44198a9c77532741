grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
create or replace function count_order_use() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  change integer := 1;
  price numeric := new.due_units - new.surcharge_units;
  link record;
  way record;
begin
  if tg_op = 'UPDATE' and new.status in ('EXPIRED', 'CANCELED', 'FAILED') and new.credited_units = 0 then
    change := -1;
  end if;
  perform public.share_uses(new.payment_link_id);
  if not public.is_limited(new.organization_id, new.payment_link_id) then
    return null;
  end if;
  update public.payment_links l
  set uses = greatest(l.uses + change, 0)
  where l.organization_id = new.organization_id and l.id = new.payment_link_id
  returning l.uses, l.max_uses, l.max_per_wallet into link;
  update public.payment_link_accepts a
  set total_units = greatest(a.total_units + change * price, 0),
      exhausted = a.total_units + change * price + coalesce(a.units, a.min_units) > a.max_total_units
  where a.organization_id = new.organization_id and a.payment_link_id = new.payment_link_id
    and a.asset_id = new.asset_id and a.max_total_units is not null
  returning a.total_units, a.max_total_units into way;
  if tg_op = 'INSERT' and (link.uses > link.max_uses or way.total_units > way.max_total_units) then
    raise exception 'the link has been used up' using errcode = 'TH472';
  elsif tg_op = 'INSERT' and link.max_per_wallet < (
    select count(*)
    from public.payment_orders o
    where o.organization_id = new.organization_id and o.payment_link_id = new.payment_link_id
      and o.payer = new.payer
      and (o.status not in ('EXPIRED', 'CANCELED', 'FAILED') or o.credited_units > 0)
  ) then
    raise exception 'the wallet has used the link up' using errcode = 'TH473';
  end if;
  update public.payment_links l
  set exhausted = not l.exhausted
  where l.organization_id = new.organization_id and l.id = new.payment_link_id
    and l.exhausted <> public.is_exhausted(new.organization_id, new.payment_link_id);
  return null;
end
$$;

-- whoever makes a trigger needs it, for a moment
grant execute on function count_order_use() to tollhouse_owner;
reset role;
create or replace function recount_uses(organization uuid, link uuid) returns void
language plpgsql volatile
as $$
begin
  perform public.hold_uses(link);
  update public.payment_links l
  set uses = (
    select count(*)
    from public.payment_orders o
    where o.organization_id = organization and o.payment_link_id = link
      and (o.status not in ('EXPIRED', 'CANCELED', 'FAILED') or o.credited_units > 0)
  )
  where l.organization_id = organization and l.id = link;
  update public.payment_link_accepts a
  set total_units = counted.units,
      exhausted = coalesce(counted.units + coalesce(a.units, a.min_units) > a.max_total_units, false)
  from (
    select ways.id, coalesce(sum(o.due_units - o.surcharge_units), 0) as units
    from public.payment_link_accepts ways
    left join public.payment_orders o
      on o.organization_id = ways.organization_id and o.payment_link_id = ways.payment_link_id
      and o.asset_id = ways.asset_id
      and (o.status not in ('EXPIRED', 'CANCELED', 'FAILED') or o.credited_units > 0)
    where ways.organization_id = organization and ways.payment_link_id = link
    group by ways.id
  ) counted
  where a.organization_id = organization and a.id = counted.id and a.payment_link_id = link;
  update public.payment_links l
  set exhausted = not l.exhausted
  where l.organization_id = organization and l.id = link and l.exhausted <> public.is_exhausted(organization, link);
end
$$;

drop trigger payment_orders_count_use_again on payment_orders;
create trigger payment_orders_count_use_again after update of status, credited_units on payment_orders
  for each row
  when (
    (old.status not in ('EXPIRED', 'CANCELED', 'FAILED') or old.credited_units > 0)
    <> (new.status not in ('EXPIRED', 'CANCELED', 'FAILED') or new.credited_units > 0)
  )
  execute function count_order_use();
set local role tollhouse_doorkeeper;
revoke execute on function count_order_use() from tollhouse_owner;
reset role;

drop function most_open_orders(uuid, integer);
revoke create on schema public from tollhouse_doorkeeper;
