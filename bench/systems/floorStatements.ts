import type { Operation } from '../faces/face.ts';

/** One hand-written statement: what it is, and the values that it takes from the request's variables. */
export interface FloorStatement {
  readonly text: string;
  values(variables: Readonly<Record<string, string>>): readonly string[];
}

const Q1 = `/* floorLinks */
with page as (
  select l.id, l.title, l.status, l.created_at, l.created_by_id
  from payment_links l
  order by l.created_at desc, l.id desc
  limit 21
)
select json_build_object(
  'hasNextPage', (select count(*) > 20 from page),
  'links', (
    select coalesce(json_agg(json_build_object(
      'id', l.id,
      'title', l.title,
      'status', l.status,
      'createdAt', l.created_at,
      'createdBy', u.display_name,
      'orders', o.orders
    ) order by l.created_at desc, l.id desc), '[]')
    from (select * from page order by created_at desc, id desc limit 20) l
    join users u on u.id = l.created_by_id
    cross join lateral (
      select coalesce(json_agg(json_build_object(
        'id', o.id,
        'status', o.status,
        'dueUnits', o.due_units::text,
        'creditedUnits', o.credited_units::text,
        'createdAt', o.created_at,
        'transactions', t.transactions
      ) order by o.created_at desc, o.id desc), '[]') as orders
      from (
        select o.id, o.status, o.due_units, o.credited_units, o.created_at
        from payment_orders o
        where o.organization_id = current_organization_id() and o.payment_link_id = l.id
        order by o.created_at desc, o.id desc
        limit 5
      ) o
      cross join lateral (
        select coalesce(
          json_agg(json_build_object('hash', b.hash, 'status', b.status, 'units', b.units::text) order by c.created_at),
          '[]'
        ) as transactions
        from payment_credits c
        join blockchain_transactions b
          on b.organization_id = c.organization_id and b.id = c.blockchain_transaction_id
        where c.organization_id = current_organization_id() and c.payment_order_id = o.id
      ) t
    ) o
  )
)`;

const Q2 = `/* floorLink */
select json_build_object(
  'id', l.id,
  'slug', l.slug,
  'title', l.title,
  'status', l.status,
  'createdAt', l.created_at,
  'createdBy', u.display_name,
  'accepts', (
    select json_agg(
      json_build_object('units', a.units::text, 'payTo', a.pay_to, 'symbol', s.symbol) order by a.position
    )
    from payment_link_accepts a
    join assets s on s.id = a.asset_id
    where a.organization_id = l.organization_id and a.payment_link_id = l.id
  )
)
from payment_links l
join users u on u.id = l.created_by_id
where l.organization_id = current_organization_id() and l.id = $1`;

const Q3 = `/* floorSelf */
select json_build_object(
  'userId', u.id,
  'displayName', u.display_name,
  'wallets', (
    select json_agg(json_build_object('address', i.address, 'kind', i.wallet_kind) order by i.created_at)
    from identities i
    where i.user_id = u.id and i.kind = 'WALLET'
  ),
  'organization', json_build_object('id', o.id, 'name', o.name, 'slug', o.slug),
  'role', m.role,
  'memberships', (
    select json_agg(json_build_object(
      'role', every.role,
      'organization', json_build_object('id', o.id, 'name', o.name, 'slug', o.slug)
    ))
    from memberships every
    join organizations o on o.id = every.organization_id
    where every.user_id = u.id
  )
)
from memberships m
join users u on u.id = m.user_id
join organizations o on o.id = m.organization_id
where m.organization_id = current_organization_id() and m.user_id = current_user_id()`;

const M1 = `/* floorMakeLink */
with asked as (
  select
    uuid_v7() as id,
    translate(encode(uuid_send(gen_random_uuid()), 'base64'), '+/=', '-_') as slug,
    a.id as asset_id,
    a.chain_id,
    a.symbol,
    $3::numeric * 10::numeric ^ a.decimals as units
  from assets a
  where a.caip19 = $2 and is_proved_payee($4, a.chain_id)
),
link as (
  insert into payment_links (organization_id, id, slug, title, created_by_id)
  select current_organization_id(), id, slug, $1, current_user_id()
  from asked
  returning id, slug, title, created_by_id
),
accept as (
  insert into payment_link_accepts (organization_id, payment_link_id, position, asset_id, units, pay_to)
  select current_organization_id(), id, 0, asset_id, units, $4
  from asked
  returning units, pay_to
),
handle as (
  insert into handles (kind, value_hash, organization_id, target_id)
  select 'payment-link', sha256(convert_to(slug, 'UTF8')), current_organization_id(), id
  from asked
),
watched as (
  insert into watched_accounts (chain_id, address)
  select chain_id, $4
  from asked
  on conflict do nothing
),
event as (
  insert into events (
    organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
  )
  select
    current_organization_id(), 'payment-link.created', 'payment-link', id, 1, 'user:' || current_user_id(),
    array['payment-link:' || id, 'user:' || current_user_id()], jsonb_build_object('title', $1),
    jsonb_build_object('requestId', current_setting('app.request_id', true))
  from asked
)
select json_build_object(
  'id', link.id,
  'slug', link.slug,
  'title', link.title,
  'accepts', json_build_array(
    json_build_object('units', accept.units::text, 'payTo', accept.pay_to, 'symbol', asked.symbol)
  ),
  'createdBy', u.display_name
)
from link
cross join accept
cross join asked
join users u on u.id = link.created_by_id`;

/** What the floor runs; Row-Level Security narrows each to the tenant, as it does for everybody. */
export const FLOOR_STATEMENTS: Readonly<Record<Operation, FloorStatement>> = {
  Q1: { text: Q1, values: () => [] },
  Q2: { text: Q2, values: ({ id = '' }) => [id] },
  Q3: { text: Q3, values: () => [] },
  M1: {
    text: M1,
    values: ({ title = '', asset = '', amount = '', payTo = '' }) => [title, asset, amount, payTo],
  },
};
