drop trigger payment_link_accepts_keep_unwatched on payment_link_accepts;

grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
drop function waiting_on_chain(bigint), keep_unwatched(), recheck_watched(integer);

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

drop function checkout_facts();

-- What a payer asks about the scene's order besides its row: which link it is of and where that sends payers on to, whether
-- the database's clock still lets it be paid, and how many confirmations all that has come has; null where nothing has.
create function checkout_facts() returns table (
  slug text, success_url text, cancel_url text, takes_payments boolean, confirmations integer
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select
    l.slug,
    l.success_url,
    l.cancel_url,
    clock_timestamp() <= date_trunc(
      'second',
      case when o.late_policy = 'ACCEPT' then coalesce(o.late_until, o.expires_at) else o.expires_at end
        + interval '999 milliseconds'
    ),
    (
      select min(greatest(i.head_number - t.block_number + 1, 0))::integer
      from public.chain_transfers t
      where t.claimed_for_id = o.id and t.claimed_as = 'ORDER' and not t.orphaned
    )
  from public.payment_orders o
  join public.payment_links l on l.organization_id = o.organization_id and l.id = o.payment_link_id
  join public.chain_incarnations i on i.id = o.incarnation_id
  where o.organization_id = public.current_organization_id() and o.id = public.current_target_id()
$$;

revoke execute on function checkout_facts() from public;
grant execute on function checkout_facts() to tollhouse_public;
reset role;
revoke create on schema public from tollhouse_doorkeeper;

drop function is_link_unwatched(uuid, uuid), is_unwatched(bigint);
drop index unmatched_payments_open_idx;
drop index payment_link_accepts_asset_id_unwatched_idx;
alter table payment_links drop column unwatched;
alter table payment_link_accepts drop column unwatched;
alter table chain_incarnations drop column unwatched_since;
