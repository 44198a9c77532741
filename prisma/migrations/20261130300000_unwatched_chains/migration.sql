-- Chains that the settings name no more. Nobody reads them, so what waits there waits until they are named again: it is
-- known since when, links that can be paid on no other chain say so, and whoever starts a worker can be told what waits.

-- since when nobody watches it; null while somebody does
alter table chain_incarnations add column unwatched_since timestamptz(3);
alter table payment_link_accepts add column unwatched boolean not null default false;
alter table payment_links add column unwatched boolean not null default false;
-- which ways to pay say of a chain something else than it does
create index payment_link_accepts_asset_id_unwatched_idx on payment_link_accepts (asset_id, unwatched);
-- what waits in inboxes
create index unmatched_payments_open_idx on unmatched_payments (organization_id, blockchain_transaction_id)
  where status = 'OPEN';

-- whether nobody watches a chain
create function is_unwatched(chain bigint) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.chain_incarnations i where i.chain_id = chain and i.current and i.unwatched_since is not null
  )
$$;

-- whether a link could be paid, and not on any chain that somebody watches
create function is_link_unwatched(organization uuid, link uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(bool_and(a.unwatched or a.unproved or a.exhausted) and bool_or(a.unwatched), false)
  from public.payment_link_accepts a
  where a.organization_id = organization and a.payment_link_id = link
$$;

-- Says anew of so many links at most, whosever they are, whether their chains are watched; answers of how many, and of none
-- once all say so. A way to pay that is added while that changes may be told of by the next one who asks.
create function recheck_watched(most integer) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
-- mostly there is none, and looking for the first of many that are expected would read them all
set enable_seqscan = off
as $$
declare
  organizations uuid[];
  links uuid[];
begin
  select coalesce(array_agg(wrong.organization_id), '{}'), coalesce(array_agg(wrong.payment_link_id), '{}')
    into organizations, links
    from (
      select distinct found.organization_id, found.payment_link_id
      from (
        select ways.organization_id, ways.payment_link_id
        from public.chain_incarnations i
        join public.assets s on s.chain_id = i.chain_id
        cross join lateral (
          select a.organization_id, a.payment_link_id
          from public.payment_link_accepts a
          where a.asset_id = s.id and a.unwatched = (i.unwatched_since is null)
          limit most
        ) ways
        where i.current
        limit most
      ) found
    ) wrong;
  if cardinality(links) = 0 then
    return 0;
  end if;
  -- a link is locked before its ways to pay, as whoever counts its uses does
  perform from public.payment_links l
  join unnest(organizations, links) as told (organization_id, id)
    on l.organization_id = told.organization_id and l.id = told.id
  order by l.id
  for no key update of l;
  update public.payment_link_accepts a
  set unwatched = not a.unwatched
  from unnest(organizations, links) as told (organization_id, id), public.assets s
  where a.organization_id = told.organization_id
    and a.payment_link_id = told.id
    and s.id = a.asset_id
    and a.unwatched <> public.is_unwatched(s.chain_id);
  return cardinality(links);
end
$$;

-- Says of a link what its ways to pay make of it, whatever has changed of them; whoever changes them holds the link.
create function keep_unwatched() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update public.payment_links l
  set unwatched = not l.unwatched
  where l.organization_id = new.organization_id and l.id = new.payment_link_id
    and l.unwatched <> public.is_link_unwatched(l.organization_id, l.id);
  return null;
end
$$;
create trigger payment_link_accepts_keep_unwatched after update of unwatched, unproved, exhausted on payment_link_accepts
  for each row
  when ((old.unwatched, old.unproved, old.exhausted) is distinct from (new.unwatched, new.unproved, new.exhausted))
  execute function keep_unwatched();

-- What waits on a chain, of all organizations together: orders that blocks may still change, refunds that are not done, money
-- of inboxes that nobody has decided about, and words that were taken back and count still.
create function waiting_on_chain(chain bigint)
returns table (orders integer, refunds integer, unmatched integer, voided integer)
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
    ),
    (
      select count(*)::integer from public.provider_transactions p
      join public.payment_orders o on o.organization_id = p.organization_id and o.id = p.payment_order_id
      join public.chain_incarnations i on i.id = o.incarnation_id
      where i.chain_id = chain and i.current and p.voided_at is not null and p.status = 'CONFIRMED'
    )
$$;

revoke execute on function
  is_unwatched(bigint), is_link_unwatched(uuid, uuid), recheck_watched(integer), keep_unwatched(), waiting_on_chain(bigint)
from public;

-- the law ------------------------------------------------------------------------------------------------------------

grant execute on function is_unwatched(bigint), is_link_unwatched(uuid, uuid) to tollhouse_doorkeeper;
grant execute on function recheck_watched(integer), waiting_on_chain(bigint) to tollhouse_worker;
grant select (unwatched_since) on chain_incarnations to tollhouse_doorkeeper;
grant select (unwatched) on payment_links, payment_link_accepts to tollhouse_public;
grant update (unwatched) on payment_links, payment_link_accepts to tollhouse_doorkeeper;

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function recheck_watched(integer) owner to tollhouse_doorkeeper;
alter function keep_unwatched() owner to tollhouse_doorkeeper;
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

drop function checkout_facts();

-- What a payer asks about the scene's order besides its row: which link it is of and where that sends payers on to, whether
-- somebody watches its chain and the database's clock still lets it be paid, and how many confirmations all that has come
-- has; null where nothing has.
create function checkout_facts() returns table (
  slug text, success_url text, cancel_url text, chain_watched boolean, takes_payments boolean, confirmations integer
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select
    l.slug,
    l.success_url,
    l.cancel_url,
    i.unwatched_since is null,
    i.unwatched_since is null and clock_timestamp() <= date_trunc(
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
