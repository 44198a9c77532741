drop trigger chain_incarnations_keep_watched on chain_incarnations;

grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
drop function waiting_on_chain(bigint), keep_watched(), recheck_watched();

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
reset role;
revoke create on schema public from tollhouse_doorkeeper;

drop function is_link_unwatched(uuid, uuid), is_unwatched(bigint);
drop index payment_link_accepts_unwatched_idx;
alter table payment_links drop column unwatched;
alter table payment_link_accepts drop column unwatched;
alter table chain_incarnations drop column unwatched_since;
