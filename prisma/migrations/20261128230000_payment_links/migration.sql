-- Payment links with all their terms: line items, limits that hold under any number of payers at one instant, orders that
-- copy what the link says whoever makes them, and a life from draft to archive.

-- what is bought, each with its price for one in each asset: texts of digits, since no number of JSON holds them
alter table payment_links
  add column line_items jsonb not null default '[]',
  add column exhausted boolean not null default false,
  add constraint payment_links_line_items_check check (
    jsonb_typeof(line_items) = 'array'
    and jsonb_array_length(line_items) <= 50
    and (jsonb_array_length(line_items) > 0) = (pricing = 'LINE_ITEMS')
  ),
  add constraint payment_links_slug_word_check check (slug ~ '^[A-Za-z0-9_-]+$'),
  add constraint payment_links_success_url_origin_check check (
    success_url ~ '^https?://[a-z0-9.-]+(:[0-9]{1,5})?/[^\\[:space:]]*$'
  ),
  add constraint payment_links_cancel_url_origin_check check (
    cancel_url ~ '^https?://[a-z0-9.-]+(:[0-9]{1,5})?/[^\\[:space:]]*$'
  ),
  add constraint payment_links_custom_fields_size_check check (octet_length(custom_fields::text) <= 400000),
  add constraint payment_links_metadata_size_check check (octet_length(metadata::text) <= 400000);

alter table payment_link_accepts add column exhausted boolean not null default false;

alter table payment_orders
  add constraint payment_orders_field_values_size_check check (octet_length(field_values::text) <= 100000);
-- how many orders of a link a wallet has
create index payment_orders_payer_idx on payment_orders (organization_id, payment_link_id, payer);

alter table organization_settings
  add column redirect_origins text[] not null default '{}',
  add constraint organization_settings_redirect_origins_check check (
    cardinality(redirect_origins) <= 50
    and (
      cardinality(redirect_origins) = 0
      or array_to_string(redirect_origins, ' ', '') ~ '^https?://[a-z0-9.-]+(:[0-9]{1,5})?( https?://[a-z0-9.-]+(:[0-9]{1,5})?)*$'
    )
  );

-- prices ------------------------------------------------------------------------------------------------------------

-- what the line items come to in an asset; null where one has no price in it
create function sum_of_line_items(items jsonb, asset uuid) returns numeric
language sql immutable
as $$
  select case when bool_and(item -> 'prices' ? asset::text) then
    sum((item ->> 'quantity')::numeric * (item -> 'prices' ->> asset::text)::numeric)
  end
  from jsonb_array_elements(items) as item
$$;

-- whether so much, without what is added to tell orders apart, is a price of a way to pay
create function is_price(units numeric, lowest numeric, highest numeric, price numeric) returns boolean
language sql immutable
as $$
  select case when units is null then price between lowest and highest else price = units end
$$;

-- a link has the sort of price that it says, in each of its assets, and its line items come to it
create function check_prices(organization uuid, link uuid) returns void
language plpgsql stable
as $$
begin
  if exists (
    select from public.payment_link_accepts a
    join public.payment_links l on l.organization_id = a.organization_id and l.id = a.payment_link_id
    where a.organization_id = organization and a.payment_link_id = link
      and case l.pricing
        when 'OPEN' then a.units is not null
        when 'LINE_ITEMS' then a.units is distinct from public.sum_of_line_items(l.line_items, a.asset_id)
        else a.units is null
      end
  ) then
    raise exception 'the prices of the link do not agree' using errcode = 'check_violation';
  end if;
end
$$;

-- limits ------------------------------------------------------------------------------------------------------------

-- Who counts shares this lock, and whoever begins to count, or ends a link, holds it alone: so no order is made, or given
-- up, between the count and the moment from which every order is counted.
create function share_uses(link uuid) returns void
language sql volatile
as $$
  select pg_advisory_xact_lock_shared(hashtextextended('uses of ' || link, 0))
$$;
create function hold_uses(link uuid) returns void
language sql volatile
as $$
  select pg_advisory_xact_lock(hashtextextended('uses of ' || link, 0))
$$;

-- what whoever changes a link asks first of all: it is there, and theirs to change, and nobody counts in it meanwhile
create function hold_payment_link(link uuid) returns void
language plpgsql volatile
as $$
begin
  if not public.has_permission('payments:write') then
    raise exception 'this asks for payments:write' using errcode = '42501';
  end if;
  perform public.hold_uses(link);
  perform from public.payment_links l
  where l.organization_id = public.current_organization_id() and l.id = link
  for no key update;
  if not found then
    raise exception 'there is no such link' using errcode = 'TH478';
  end if;
end
$$;

-- the place of the next fact about a link, for whoever may write payments and not read the log: a key
create function next_link_version(link uuid) returns integer
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(max(e.aggregate_version), 0) + 1
  from public.events e
  where e.organization_id = public.current_organization_id() and e.aggregate_type = 'payment-link'
    and e.aggregate_id = link and public.has_permission('payments:write')
$$;

-- whether a link is limited at all, so that its uses are counted
create function is_limited(organization uuid, link uuid) returns boolean
language sql stable
as $$
  select l.max_uses is not null or l.max_per_wallet is not null or exists (
    select from public.payment_link_accepts a
    where a.organization_id = l.organization_id and a.payment_link_id = l.id and a.max_total_units is not null
  )
  from public.payment_links l
  where l.organization_id = organization and l.id = link
$$;

-- whether nobody can pay a link any more until an order is given up: no use is left, or no way to pay it
create function is_exhausted(organization uuid, link uuid) returns boolean
language sql stable
as $$
  select coalesce(l.uses >= l.max_uses, false) or coalesce((
    select bool_and(a.exhausted)
    from public.payment_link_accepts a
    where a.organization_id = l.organization_id and a.payment_link_id = l.id
  ), false)
  from public.payment_links l
  where l.organization_id = organization and l.id = link
$$;

-- An order takes a use of its link while it is open or has taken money. Whoever is made over a limit is undone; money that
-- has arrived is never refused for one. The link's row is locked first, and only where there is a limit.
create function count_order_use() returns trigger
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
create trigger payment_orders_count_use after insert on payment_orders
  for each row
  when (new.status not in ('EXPIRED', 'CANCELED', 'FAILED') or new.credited_units > 0)
  execute function count_order_use();
create trigger payment_orders_count_use_again after update of status, credited_units on payment_orders
  for each row
  when (
    (old.status not in ('EXPIRED', 'CANCELED', 'FAILED') or old.credited_units > 0)
    <> (new.status not in ('EXPIRED', 'CANCELED', 'FAILED') or new.credited_units > 0)
  )
  execute function count_order_use();

-- counts anew what may not have been counted while nothing was limited
create function recount_uses(organization uuid, link uuid) returns void
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

-- a way to pay agrees with its link, and counts with it
create function keep_accepts() returns trigger
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
create trigger payment_link_accepts_keep after insert on payment_link_accepts
  for each row execute function keep_accepts();

create function keep_link() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform public.check_prices(new.organization_id, new.id);
  if (new.max_uses, new.max_per_wallet) is distinct from (old.max_uses, old.max_per_wallet) then
    perform public.recount_uses(new.organization_id, new.id);
  end if;
  return null;
end
$$;
create trigger payment_links_keep after update of pricing, line_items, max_uses, max_per_wallet on payment_links
  for each row execute function keep_link();

-- what an order copies ------------------------------------------------------------------------------------------------

-- A payer's order has the terms of its link, by whatever statement it is made: they are written here, and the payer has
-- no right to write them. Of any other link than the payer came for nothing is looked at: the policy refuses the row.
create function take_terms() returns trigger
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
create trigger payment_orders_terms before insert on payment_orders
  for each row when (current_user = 'tollhouse_public') execute function take_terms();

-- where the link leaves it to the chain, what the chain's rules say of an amount of this asset
create function take_chain_terms() returns trigger
language plpgsql stable
as $$
begin
  if new.finality is null then
    select
      coalesce(r.finality, c.finality)::text::public.payment_finality,
      case when r.finality is null then c.confirmations else r.confirmations end
    into new.finality, new.required_confirmations
    from public.assets a
    join public.chains c on c.chain_id = a.chain_id
    left join lateral (
      select rule.finality, rule.confirmations
      from public.chain_finality_rules rule
      where rule.asset_id = a.id and rule.from_units <= new.due_units
      order by rule.from_units desc
      limit 1
    ) r on true
    where a.id = new.asset_id;
  end if;
  -- what the chain itself says of a block needs the block, and no number
  new.finality := coalesce(new.finality, 'CONFIRMATIONS');
  new.required_confirmations := coalesce(new.required_confirmations, 1);
  return new;
end
$$;
create trigger payment_orders_terms_of_chain before insert on payment_orders
  for each row when (current_user = 'tollhouse_public') execute function take_chain_terms();

-- the life of a link ----------------------------------------------------------------------------------------------------

create function guard_link() returns trigger
language plpgsql stable
as $$
begin
  if new.status <> old.status and (old.status::text, new.status::text) not in (
    ('DRAFT', 'ACTIVE'), ('DRAFT', 'ARCHIVED'), ('ACTIVE', 'PAUSED'), ('ACTIVE', 'ARCHIVED'),
    ('PAUSED', 'ACTIVE'), ('PAUSED', 'ARCHIVED')
  ) then
    raise exception 'a link does not go from % to %', old.status, new.status using errcode = 'TH477';
  elsif old.status = 'ARCHIVED' then
    raise exception 'a link does not change that is ARCHIVED' using errcode = 'TH477';
  end if;
  return new;
end
$$;
create trigger payment_links_guard before update on payment_links
  for each row when (current_user = 'tollhouse_member') execute function guard_link();

-- whoever has paid, or given up, is sent on to the organization's own pages and to no others
create function check_redirects() returns trigger
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  refused text;
begin
  select origin into refused
  from unnest(array[new.success_url, new.cancel_url]) as asked (url)
  cross join lateral substring(url from '^https?://[^/]+') as origin
  where url is not null
    and not exists (
      select from public.organization_settings s
      where s.organization_id = new.organization_id and origin = any (s.redirect_origins)
    )
    and not exists (
      select from public.organization_domains d
      where d.organization_id = new.organization_id and d.verified_at is not null and origin = 'https://' || d.host
    )
  limit 1;
  if refused is not null then
    raise exception 'the organization sends nobody on to %', refused using errcode = 'TH475';
  end if;
  return new;
end
$$;
create trigger payment_links_redirects before insert on payment_links
  for each row
  when (current_user = 'tollhouse_member' and (new.success_url is not null or new.cancel_url is not null))
  execute function check_redirects();
create trigger payment_links_redirects_again before update on payment_links
  for each row
  when (
    current_user = 'tollhouse_member'
    and (new.success_url, new.cancel_url) is distinct from (old.success_url, old.cancel_url)
  )
  execute function check_redirects();

-- A contract may be a payee's on a chain where it is not there yet, and what is sent to it there may be lost. Raises which
-- payees are contracts, as <chain>:<address>, so that their chains are asked; of accounts of a key nothing is to be asked.
create function refuse_contract_payees(payees text[], chains bigint[]) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  contracts text;
begin
  select string_agg(distinct asked.chain_id || ':' || asked.pay_to, ',') into contracts
  from unnest(payees, chains) as asked (pay_to, chain_id)
  where exists (
    select from public.identities i
    join public.memberships m
      on m.user_id = i.user_id and m.organization_id = public.current_organization_id() and m.status = 'ACTIVE'
    where i.kind = 'WALLET' and i.address = asked.pay_to and i.chain_id = asked.chain_id
  );
  if contracts is not null then
    raise exception 'contracts are to be paid: %', contracts using errcode = 'TH476';
  end if;
end
$$;

-- the link's name stays taken: a payer who has it never comes to somebody else
create function delete_payment_link(link uuid) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not public.has_permission('payments:write') then
    raise exception 'this asks for payments:write' using errcode = '42501';
  end if;
  perform public.require_step_up(600);
  perform public.hold_uses(link);
  perform from public.payment_links l
  where l.organization_id = public.current_organization_id() and l.id = link and l.deleted_at is null
  for update;
  if not found then
    return 'GONE';
  elsif exists (
    select from public.payment_orders o
    where o.organization_id = public.current_organization_id() and o.payment_link_id = link
      and o.status in ('CREATED', 'DETECTED', 'CONFIRMING')
  ) then
    return 'OPEN_ORDERS';
  end if;
  update public.payment_links l
  set deleted_at = clock_timestamp()
  where l.organization_id = public.current_organization_id() and l.id = link;
  return null;
end
$$;

drop trigger payment_links_check_step_up on payment_links;
create trigger payment_links_check_step_up before insert or update on payment_links
  for each statement when (current_user = 'tollhouse_member') execute function check_step_up();
drop trigger payment_link_accepts_check_step_up on payment_link_accepts;
create trigger payment_link_accepts_check_step_up before insert or delete on payment_link_accepts
  for each statement when (current_user = 'tollhouse_member') execute function check_step_up();

-- the law -------------------------------------------------------------------------------------------------------------

grant execute on function hold_uses(uuid) to tollhouse_member, tollhouse_doorkeeper;
grant execute on function hold_payment_link(uuid) to tollhouse_member;
grant execute on function
  share_uses(uuid), is_limited(uuid, uuid), is_exhausted(uuid, uuid), recount_uses(uuid, uuid),
  check_prices(uuid, uuid), sum_of_line_items(jsonb, uuid), require_step_up(integer)
to tollhouse_doorkeeper;
grant execute on function is_price(numeric, numeric, numeric, numeric) to tollhouse_public;
grant execute on function
  refuse_contract_payees(text[], bigint[]), delete_payment_link(uuid), next_link_version(uuid)
to tollhouse_member;

-- payment_links: what a payer needs, and neither how often it was used nor who may pay it
revoke insert on payment_links from tollhouse_member;
grant insert (organization_id, id, slug, title, description, status, order_lifetime_minutes, pricing, line_items,
  starts_at, expires_at, max_uses, max_per_wallet, tolerance_basis_points, under_policy, over_policy, late_policy,
  late_window_minutes, finality, finality_confirmations, custom_fields, allowed_payers, success_url, cancel_url,
  inactive_message, metadata, created_by_id) on payment_links to tollhouse_member;
grant update (title, description, status, order_lifetime_minutes, pricing, line_items, starts_at, expires_at, max_uses,
  max_per_wallet, tolerance_basis_points, under_policy, over_policy, late_policy, late_window_minutes, finality,
  finality_confirmations, custom_fields, allowed_payers, success_url, cancel_url, inactive_message, metadata)
  on payment_links to tollhouse_member;
create policy payment_links_member_update on payment_links for update to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and deleted_at is null
    and (select has_permission('payments:write'))
  )
  with check (organization_id = (select current_organization_id()));
grant select (pricing, line_items, starts_at, expires_at, custom_fields, success_url, cancel_url, inactive_message,
  exhausted) on payment_links to tollhouse_public;
grant update (uses, exhausted, deleted_at) on payment_links to tollhouse_doorkeeper;

-- payment_link_accepts: a link gets others in place of those it had
revoke insert on payment_link_accepts from tollhouse_member;
grant insert (organization_id, id, payment_link_id, position, asset_id, units, min_units, max_units, max_total_units,
  pay_to), delete on payment_link_accepts to tollhouse_member;
create policy payment_link_accepts_member_delete on payment_link_accepts for delete to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('payments:write')));
revoke select on payment_link_accepts from tollhouse_public;
grant select (organization_id, id, payment_link_id, position, asset_id, units, min_units, max_units, exhausted, pay_to)
  on payment_link_accepts to tollhouse_public;
grant update (total_units, exhausted) on payment_link_accepts to tollhouse_doorkeeper;
create policy payment_link_accepts_doorkeeper_update on payment_link_accepts for update to tollhouse_doorkeeper
  using (true) with check (true);

-- payment_orders: a payer chooses the amount where the link lets it, and what it asks for; the rest is the link's
revoke insert (required_confirmations, expires_at) on payment_orders from tollhouse_public;
grant insert (field_values) on payment_orders to tollhouse_public;
grant select (field_values, line_items) on payment_orders to tollhouse_public;
alter policy payment_orders_public_insert on payment_orders
  with check (
    organization_id = (select current_organization_id())
    and payment_link_id = (select current_target_id())
    and status = 'CREATED'
    and credited_units = 0
    and exists (
      select from payment_link_accepts a
      where a.organization_id = payment_orders.organization_id
        and a.payment_link_id = payment_orders.payment_link_id
        and a.asset_id = payment_orders.asset_id
        and is_price(a.units, a.min_units, a.max_units, payment_orders.due_units - payment_orders.surcharge_units)
        and a.pay_to = payment_orders.pay_to
    )
  );

-- organization_settings: where payers may be sent on to
grant update (redirect_origins) on organization_settings to tollhouse_member;

-- events: what becomes of a link
alter policy events_member_insert on events
  with check (
    actor = (select current_actor())
    and (
      organization_id = (select current_organization_id())
      and case type
        when 'payment-link.created' then (select has_permission('payments:write'))
        when 'payment-link.updated' then (select has_permission('payments:write'))
        when 'payment-link.activated' then (select has_permission('payments:write'))
        when 'payment-link.paused' then (select has_permission('payments:write'))
        when 'payment-link.archived' then (select has_permission('payments:write'))
        when 'payment-link.deleted' then (select has_permission('payments:write'))
        when 'membership.updated' then (select has_permission('members:write'))
        when 'membership.removed' then (select has_permission('members:write'))
        when 'invitation.created' then (select has_permission('members:write'))
        when 'invitation.revoked' then (select has_permission('members:write'))
        when 'role.created' then (select has_permission('members:write'))
        when 'role.updated' then (select has_permission('members:write'))
        when 'role.deleted' then (select has_permission('members:write'))
        when 'api-key.created' then (select has_permission('keys:write'))
        when 'api-key.updated' then (select has_permission('keys:write'))
        when 'api-key.confirmed' then (select has_permission('keys:write'))
        when 'api-key.revoked' then (select has_permission('keys:write'))
      end
      or type in ('wallet.linked', 'wallet.unlinked', 'wallet.primary-changed', 'identity.linked', 'identity.unlinked')
      and organization_id in (select id from organizations)
      and (select current_user_id()) is not null
      or type in (
        'organization.updated', 'organization-settings.updated', 'store-configuration.updated',
        'domain.added', 'domain.verified', 'domain.primary-changed', 'domain.removed'
      )
      and organization_id = (select current_organization_id())
      and (select has_permission('organization:write'))
    )
  );

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function count_order_use() owner to tollhouse_doorkeeper;
alter function keep_accepts() owner to tollhouse_doorkeeper;
alter function keep_link() owner to tollhouse_doorkeeper;
alter function take_terms() owner to tollhouse_doorkeeper;
alter function check_redirects() owner to tollhouse_doorkeeper;
alter function refuse_contract_payees(text[], bigint[]) owner to tollhouse_doorkeeper;
alter function next_link_version(uuid) owner to tollhouse_doorkeeper;
alter function delete_payment_link(uuid) owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
