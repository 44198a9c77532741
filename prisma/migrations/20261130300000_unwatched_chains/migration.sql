-- Chains that the settings name no more. Nobody reads them, so what waits there waits until they are named again: it is
-- known since when, links that can be paid on no other chain say so, and whoever starts a worker can be told what waits.

-- since when nobody watches it; null while somebody does
alter table chain_incarnations add column unwatched_since timestamptz(3);
alter table payment_link_accepts add column unwatched boolean not null default false;
alter table payment_links add column unwatched boolean not null default false;
create index payment_link_accepts_unwatched_idx on payment_link_accepts (organization_id, payment_link_id) where unwatched;

-- whether nobody watches a chain
create function is_unwatched(chain bigint) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.chain_incarnations i where i.chain_id = chain and i.current and i.unwatched_since is not null
  )
$$;

-- whether a link can be paid on no chain that somebody watches
create function is_link_unwatched(organization uuid, link uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(bool_and(a.unwatched), false)
  from public.payment_link_accepts a
  where a.organization_id = organization and a.payment_link_id = link
$$;

-- Says anew of all links, whosever they are, whether their chains are watched. A way to pay that is added while that changes
-- may be told of by the next one who asks.
create function recheck_watched() returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  told uuid[] := array(
    select a.id
    from public.payment_link_accepts a
    join public.assets s on s.id = a.asset_id
    where a.unwatched and not public.is_unwatched(s.chain_id)
    union all
    select a.id
    from public.chain_incarnations i
    join public.assets s on s.chain_id = i.chain_id
    join public.payment_link_accepts a on a.asset_id = s.id
    where i.current and i.unwatched_since is not null and not a.unwatched
  );
begin
  if cardinality(told) = 0 then
    return;
  end if;
  -- a link is locked before its ways to pay, as whoever counts its uses does
  perform from public.payment_links l
  where (l.organization_id, l.id) in (
    select a.organization_id, a.payment_link_id from public.payment_link_accepts a where a.id = any (told)
  )
  order by l.id
  for no key update;
  update public.payment_link_accepts a
  set unwatched = public.is_unwatched(s.chain_id)
  from public.assets s
  where s.id = a.asset_id and a.id = any (told);
  update public.payment_links l
  set unwatched = not l.unwatched
  where (l.organization_id, l.id) in (
      select a.organization_id, a.payment_link_id from public.payment_link_accepts a where a.id = any (told)
    )
    and l.unwatched <> public.is_link_unwatched(l.organization_id, l.id);
end
$$;

create function keep_watched() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform public.recheck_watched();
  return null;
end
$$;
create trigger chain_incarnations_keep_watched after update of unwatched_since on chain_incarnations
  for each row
  when ((old.unwatched_since is null) <> (new.unwatched_since is null))
  execute function keep_watched();

-- What waits on a chain, of all organizations together: orders that blocks may still change, refunds that are not done, and
-- money of inboxes that nobody has decided about.
create function waiting_on_chain(chain bigint) returns table (orders integer, refunds integer, unmatched integer)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select
    (
      select count(*)::integer from public.payment_orders o
      join public.chain_incarnations i on i.id = o.incarnation_id
      where i.chain_id = chain and i.current and o.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'PAID')
    ),
    (
      select count(*)::integer from public.payment_refunds r
      join public.chain_incarnations i on i.id = r.incarnation_id
      where i.chain_id = chain and i.current and r.status in ('REQUESTED', 'PENDING', 'SENT')
    ),
    (
      select count(*)::integer from public.unmatched_payments u
      join public.blockchain_transactions b
        on b.organization_id = u.organization_id and b.id = u.blockchain_transaction_id
      join public.chain_incarnations i on i.id = b.incarnation_id
      where i.chain_id = chain and i.current and u.status = 'OPEN'
    )
$$;

revoke execute on function
  is_unwatched(bigint), is_link_unwatched(uuid, uuid), recheck_watched(), keep_watched(), waiting_on_chain(bigint)
from public;

-- the law ------------------------------------------------------------------------------------------------------------

grant execute on function is_unwatched(bigint), is_link_unwatched(uuid, uuid) to tollhouse_doorkeeper;
grant execute on function recheck_watched(), waiting_on_chain(bigint) to tollhouse_worker;
grant select (unwatched_since) on chain_incarnations to tollhouse_doorkeeper;
grant select (unwatched) on payment_links, payment_link_accepts to tollhouse_public;
grant update (unwatched) on payment_links, payment_link_accepts to tollhouse_doorkeeper;

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function recheck_watched() owner to tollhouse_doorkeeper;
alter function keep_watched() owner to tollhouse_doorkeeper;
alter function waiting_on_chain(bigint) owner to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;

-- a way to pay agrees with its link, and counts with it; whoever stood for its payee a moment ago may have left, and its
-- chain may be watched by nobody
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
  update public.payment_link_accepts a
  set unwatched = true
  from public.assets s
  where s.id = a.asset_id and a.organization_id = new.organization_id and a.id = new.id
    and public.is_unwatched(s.chain_id);
  update public.payment_links l
  set unwatched = not l.unwatched
  where l.organization_id = new.organization_id and l.id = new.payment_link_id
    and l.unwatched <> public.is_link_unwatched(l.organization_id, l.id);
  return null;
end
$$;
reset role;
revoke create on schema public from tollhouse_doorkeeper;
