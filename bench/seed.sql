-- The world that is measured in. Sizes come from settings: bench.organizations, users, links (each of an organization)
-- and orders (each of a link). Written past the law, as a superuser: no triggers, no policies.

set session_replication_role = replica;

-- the chain that orders are paid on, read up to the present for as long as the bench may run
insert into chains (chain_id, name, testnet, public_rpc_url, confirmations)
values (31337, 'Local chain', true, 'http://127.0.0.1:1', 2);
insert into chain_incarnations (chain_id, genesis_hash, head_number, finalized_number, caught_up_at)
values (31337, '0x' || repeat('0', 64), 1000000, 999936, now() + interval '1 day');
insert into assets (chain_id, caip19, symbol, name, decimals)
values (31337, 'eip155:31337/slip44:60', 'ETH', 'Ether', 18);

-- organizations and their people; place 0 owns, place 1 administers, the rest are members
create temporary table seeded_organizations as
select o as number, uuid_v7() as id
from generate_series(0, current_setting('bench.organizations')::int - 1) as o;
create temporary table seeded_people as
select
  o.number as organization,
  place,
  uuid_v7() as user_id,
  uuid_v7() as identity_id,
  '0x' || left(encode(sha256(convert_to(format('wallet %s %s', o.number, place), 'UTF8')), 'hex'), 40) as address
from seeded_organizations o, generate_series(0, current_setting('bench.users')::int - 1) as place;

insert into organizations (id, name, slug, created_at)
select id, format('Organization %s', number), format('organization-%s', number), now() - interval '1 year'
from seeded_organizations;
insert into users (id, display_name)
select user_id, format('User %s of %s', place, organization)
from seeded_people;
insert into identities (id, user_id, kind, issuer, subject, address, wallet_kind, wallet_source)
select identity_id, user_id, 'WALLET', 'eip155', address, address, 'EOA', 'EXTERNAL'
from seeded_people;
insert into memberships (organization_id, user_id, role)
select o.id, p.user_id, (case p.place when 0 then 'OWNER' when 1 then 'ADMIN' else 'MEMBER' end)::membership_role
from seeded_people p
join seeded_organizations o on o.number = p.organization;
-- each owner is a member of the next organization too
insert into memberships (organization_id, user_id, role)
select o.id, p.user_id, 'MEMBER'
from seeded_people p
join seeded_organizations o on o.number = (p.organization + 1) % current_setting('bench.organizations')::int
where p.place = 0;
insert into sessions (user_id, identity_id, organization_id, refresh_hash, expires_at)
select p.user_id, p.identity_id, o.id, sha256(convert_to(p.address, 'UTF8')), now() + interval '1 day'
from seeded_people p
join seeded_organizations o on o.number = p.organization
where p.place = 0;
insert into watched_accounts (chain_id, address)
select 31337, address
from seeded_people
where place = 0;

-- links, one after another in time and so mixed among the organizations on disk
create temporary table seeded_links as
select
  uuid_v7() as id,
  o.id as organization_id,
  p.user_id,
  p.address,
  format('link-%s-%s', o.number, link) as slug,
  format('Link %s of organization %s', link, o.number) as title,
  -- so few digits that a double holds them too: the common extension reads amounts as such
  (1 + link % 40) * 250000000000000000::numeric as units,
  date_trunc('milliseconds', now()) - interval '90 days' + make_interval(mins => link * 1000 + o.number) as created_at
from generate_series(0, current_setting('bench.links')::int - 1) as link, seeded_organizations o
join seeded_people p on p.organization = o.number and p.place = 0;
insert into payment_links (organization_id, id, slug, title, created_by_id, created_at)
select organization_id, id, slug, title, user_id, created_at
from seeded_links
order by created_at;
insert into payment_link_accepts (organization_id, payment_link_id, position, asset_id, units, pay_to, created_at)
select organization_id, l.id, 0, a.id, units, l.address, l.created_at
from seeded_links l, assets a
order by l.created_at;

-- orders, three of five paid by one transfer each
create temporary table seeded_orders as
select
  uuid_v7() as id,
  l.organization_id,
  l.id as link_id,
  l.address,
  l.units,
  number,
  number % 5 < 3 as paid,
  '0x' || left(encode(sha256(convert_to(format('payer %s %s', l.slug, number), 'UTF8')), 'hex'), 40) as payer,
  sha256(convert_to(format('order %s %s', l.slug, number), 'UTF8')) as hash,
  uuid_v7() as transaction_id,
  l.created_at + make_interval(hours => number * 3, secs => number * 7) as created_at
from seeded_links l, generate_series(0, current_setting('bench.orders')::int - 1) as number;
insert into payment_orders (
  organization_id, id, payment_link_id, incarnation_id, asset_id, status, matching, due_units, credited_units, pay_to,
  payer, reference, required_confirmations, head_number, client_hash, expires_at, paid_at, created_at
)
select
  o.organization_id, o.id, o.link_id, i.id, a.id, (case when paid then 'FINAL' else 'EXPIRED' end)::payment_order_status,
  'WALLET', o.units, case when paid then o.units else 0 end, o.address, o.payer, substring(o.hash for 16), 2, 1000,
  o.hash, o.created_at + interval '1 hour', case when paid then o.created_at + interval '1 minute' end, o.created_at
from seeded_orders o, chain_incarnations i, assets a
order by o.created_at;
insert into blockchain_transactions (
  organization_id, id, incarnation_id, asset_id, hash, ordinal, sender, recipient, units, block_number, block_hash,
  block_time, created_at
)
select
  o.organization_id, o.transaction_id, i.id, a.id, '0x' || encode(o.hash, 'hex'), -1, o.payer, o.address, o.units,
  1000 + o.number, '0x' || repeat('1', 64), o.created_at, o.created_at
from seeded_orders o, chain_incarnations i, assets a
where o.paid
order by o.created_at;
insert into payment_credits (organization_id, payment_order_id, blockchain_transaction_id, units, created_at)
select organization_id, id, transaction_id, units, created_at
from seeded_orders
where paid
order by created_at;

-- what the commands write beside
insert into handles (kind, value_hash, organization_id, target_id)
select 'payment-link', sha256(convert_to(slug, 'UTF8')), organization_id, id
from seeded_links
union all
select 'payment-order', hash, organization_id, id
from seeded_orders;
insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata)
select
  organization_id, 'payment-link.created', 'payment-link', id, 1, 'user:' || user_id,
  array['payment-link:' || id, 'user:' || user_id], jsonb_build_object('title', title), '{}'::jsonb
from seeded_links
union all
select
  organization_id, 'payment-order.created', 'payment-order', id, 1, 'payer',
  array['payment-order:' || id, 'payment-link:' || link_id], jsonb_build_object('units', units::text), '{}'::jsonb
from seeded_orders;

set session_replication_role = origin;

-- What PostGraphile calls to make a link: the deed of src/payments/commands/createPaymentLink.ts as one function, with
-- the rights of whoever calls it.
create schema bench;
grant usage on schema bench to tollhouse_member;
create function bench.create_payment_link(title text, asset text, amount numeric, pay_to text)
returns public.payment_links
language plpgsql volatile security invoker set search_path = public, pg_temp
as $$
declare
  found assets;
  made payment_links;
begin
  if not has_permission('payments:write') then
    raise exception 'not permitted';
  end if;
  select a.* into found from assets a where a.caip19 = asset;
  if found.id is null or not is_proved_payee(pay_to, found.chain_id) then
    raise exception 'unknown asset, or payee not proved';
  end if;
  insert into payment_links (organization_id, slug, title, created_by_id)
  values (
    current_organization_id(),
    translate(encode(uuid_send(gen_random_uuid()), 'base64'), '+/=', '-_'),
    title,
    current_user_id()
  )
  returning * into made;
  insert into payment_link_accepts (organization_id, payment_link_id, position, asset_id, units, pay_to)
  values (made.organization_id, made.id, 0, found.id, amount * 10::numeric ^ found.decimals, pay_to);
  insert into handles (kind, value_hash, organization_id, target_id)
  values ('payment-link', sha256(convert_to(made.slug, 'UTF8')), made.organization_id, made.id);
  insert into watched_accounts (chain_id, address)
  values (found.chain_id, pay_to)
  on conflict do nothing;
  insert into events (
    organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
  )
  values (
    made.organization_id, 'payment-link.created', 'payment-link', made.id, 1, 'user:' || current_user_id(),
    array['payment-link:' || made.id, 'user:' || current_user_id()], jsonb_build_object('title', title),
    jsonb_build_object('requestId', current_setting('app.request_id', true))
  );
  return made;
end
$$;
revoke execute on function bench.create_payment_link(text, text, numeric, text) from public;
grant execute on function bench.create_payment_link(text, text, numeric, text) to tollhouse_member;
-- PostGraphile knows what is unique by constraints, not by indexes, and cannot follow the links' creators else
alter table memberships
  add constraint memberships_organization_id_user_id_key unique using index memberships_organization_id_user_id_key;
-- a column called row_id and the row's own id would have one name there
comment on column audit_entries.row_id is '@name subjectId';
