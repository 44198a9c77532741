-- A payer's order tells which link it is of, so that no page shows it as another merchant's.
grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
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
