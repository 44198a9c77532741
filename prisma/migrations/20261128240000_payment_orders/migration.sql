-- Orders that are known by their amount, or by a transaction that their payer claims; orders that are called off, or
-- settled with the part that came.

alter table payment_orders
  add constraint payment_orders_matching_check check ((matching = 'WALLET') = (payer is not null)),
  add constraint payment_orders_unique_amount_check check (
    (matching = 'UNIQUE_AMOUNT') = (surcharge_units > 0)
    and surcharge_units <= least(9999, trunc((due_units - surcharge_units) / 100))
  );
alter table payment_orders drop constraint payment_orders_payer_named_check;

-- a transfer is known by its amount, whoever is paid
create index payment_orders_amount_idx on payment_orders (pay_to, asset_id, due_units);
-- what one client asked of a link is counted before it gets more
create index payment_orders_client_idx on payment_orders (organization_id, payment_link_id, client_hash);

-- An amount that one order alone asks one payee for, across all organizations: several may be paid at one wallet. It
-- stays taken until nothing that comes can be the order's any more, and that is final.
create table unique_amounts (
  id uuid not null default uuid_v7(),
  asset_id uuid not null,
  pay_to text not null,
  units numeric(78, 0) not null,
  claimed_organization_id uuid not null,
  claimed_for_id uuid not null,
  -- the newest block that was read when the order was over and its late window had passed; null before
  past_block bigint,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint unique_amounts_pkey primary key (id),
  constraint unique_amounts_units_check check (units > 0),
  constraint unique_amounts_asset_id_fkey foreign key (asset_id)
    references assets (id) on update restrict on delete restrict
);
create unique index unique_amounts_asset_id_pay_to_units_key on unique_amounts (asset_id, pay_to, units);
create index unique_amounts_claimed_for_id_idx on unique_amounts (claimed_for_id);
create trigger unique_amounts_touch before update on unique_amounts
  for each row execute function touch_updated_at();

-- What to ask for instead of a price, so that nobody else asks this payee for just as much; null when every amount is
-- taken. Which one is chance: it would tell how many orders others have. Until the transaction ends, nobody else chooses.
create function free_unique_amount(asset uuid, payee text, price numeric) returns numeric
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_xact_lock(hashtextextended('unique amounts ' || asset || ' ' || payee, 0));
  select price + surcharge
  from generate_series(1, least(9999, trunc(price / 100))::integer) as surcharge
  where not exists (
      select from public.unique_amounts u
      where u.asset_id = asset and u.pay_to = payee and u.units = price + surcharge
    )
    and not exists (
      select from public.payment_orders o
      where o.pay_to = payee and o.asset_id = asset and o.due_units = price + surcharge
        and o.status in ('CREATED', 'DETECTED', 'CONFIRMING')
    )
  order by random()
  limit 1
$$;

create function hold_unique_amount() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.unique_amounts (asset_id, pay_to, units, claimed_organization_id, claimed_for_id)
  values (new.asset_id, new.pay_to, new.due_units, new.organization_id, new.id);
  return null;
end
$$;

-- who works on an order: its payer, by its token, or whoever may write payments
create function actor_on_order(payment_order uuid) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  if public.current_target_id() = payment_order then
    return 'payer';
  elsif public.has_permission('payments:write') then
    perform public.require_step_up(600);
    return coalesce('user:' || public.current_user_id(), 'key:' || public.current_key_id());
  end if;
  raise exception 'this asks for payments:write' using errcode = '42501';
end
$$;

-- tells of an order what it is now, as src/payments/events.ts says it
create function tell_of_payment_order(
  payment_order uuid, fact text, teller text, before payment_order_status, words jsonb, told jsonb
) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  insert into public.events (
    organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
  )
  select
    o.organization_id, fact, 'payment-order', o.id,
    (
      select coalesce(max(e.aggregate_version), 0) + 1
      from public.events e
      where e.organization_id = o.organization_id and e.aggregate_type = 'payment-order' and e.aggregate_id = o.id
    ),
    teller,
    array['payment-order:' || o.id, 'payment-link:' || o.payment_link_id]
      || array_remove(array[substring(teller from '^(?:user|key):.*')], null),
    jsonb_build_object(
      'from', before,
      'to', o.status,
      'exceptions', array_to_string(array(select unnest(o.exceptions)::text order by 1), ' '),
      'asset', a.caip19,
      'dueUnits', o.due_units::text,
      'creditedUnits', o.credited_units::text,
      'surplusUnits', greatest(o.credited_units - o.due_units, 0)::text,
      'payTo', o.pay_to,
      'payer', o.payer,
      'refund', o.refund
    ) || words,
    told
  from public.payment_orders o
  join public.assets a on a.id = o.asset_id
  where o.organization_id = public.current_organization_id() and o.id = payment_order
$$;

-- Calls off an order that nothing has arrived for. Answers 'DONE', or what the order is that cannot be called off, and
-- nothing when there is none.
create function cancel_payment_order(payment_order uuid, told jsonb) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  actor text := public.actor_on_order(payment_order);
  held record;
begin
  select o.status, o.credited_units into held
  from public.payment_orders o
  where o.organization_id = public.current_organization_id() and o.id = payment_order
  for update;
  if not found then
    return null;
  elsif held.status <> 'CREATED' or held.credited_units > 0 then
    return held.status;
  elsif exists (select from public.chain_transfers t where t.claimed_for_id = payment_order and not t.orphaned) then
    return 'DETECTED';
  end if;
  update public.payment_orders o
  set status = 'CANCELED'
  where o.organization_id = public.current_organization_id() and o.id = payment_order;
  perform public.tell_of_payment_order(
    payment_order, 'payment-order.canceled', actor, held.status, '{}'::jsonb, told
  );
  return 'DONE';
end
$$;

-- Lets the part that came for an order until its deadline be enough. Answers 'DONE', 'ACCEPTED' when it was so already,
-- what the order is that has no such part to decide about, and nothing when there is none.
create function accept_underpaid_order(payment_order uuid, told jsonb) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  actor text := public.actor_on_order(payment_order);
  held record;
begin
  select o.status, o.exceptions, o.credited_units, o.under_policy, o.refund into held
  from public.payment_orders o
  where o.organization_id = public.current_organization_id() and o.id = payment_order
  for update;
  if not found or actor = 'payer' then
    return null;
  elsif held.under_policy = 'ACCEPT' and 'UNDERPAID' = any (held.exceptions) then
    return 'ACCEPTED';
  elsif held.refund <> 'NONE' then
    return 'REFUND';
  elsif held.status <> 'EXPIRED' or held.credited_units = 0 then
    return held.status;
  end if;
  update public.payment_orders o
  set under_policy = 'ACCEPT', status = 'CONFIRMING'
  where o.organization_id = public.current_organization_id() and o.id = payment_order;
  perform public.tell_of_payment_order(
    payment_order, 'payment-order.underpayment-accepted', actor, held.status, '{}'::jsonb, told
  );
  return 'DONE';
end
$$;

-- The transfers of a transaction that an order of that payee and asset could be paid by, and what there is against each:
-- credited already, no newer than the order, or behind all time that the order had. Who may write payments decides
-- about what is late.
create function claimable_transfers(payment_order uuid, transaction text)
returns table (transfer_id uuid, sender text, verdict text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select
    t.id,
    t.sender,
    case
      when t.claimed_for_id = o.id then 'CLAIMED'
      when t.claimed_for_id is not null then 'TAKEN'
      when t.block_number <= o.head_number then 'OLD'
      when public.has_permission('payments:write') is not true and t.block_time > date_trunc(
        'second',
        case when o.late_policy = 'ACCEPT' then coalesce(o.late_until, o.expires_at) else o.expires_at end
          + interval '999 milliseconds'
      ) then 'LATE'
      else 'FREE'
    end
  from public.payment_orders o
  join public.chain_transfers t
    on t.incarnation_id = o.incarnation_id and t.transaction_hash = transaction
    and t.asset_id = o.asset_id and t.recipient = o.pay_to and t.units > 0 and not t.orphaned
  where o.organization_id = public.current_organization_id()
    and o.id = payment_order
    and (o.id = public.current_target_id() or public.has_permission('payments:write'))
  order by t.ordinal
$$;

-- Gives those transfers of a sender to the order, of all senders when none is named, which is for who may write payments,
-- where the payee is still somebody's there; they are judged next. Answers 'DONE', what the order is that takes none, and nothing when there is none.
create function claim_transfers(payment_order uuid, transaction text, from_sender text, told jsonb) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  actor text := public.actor_on_order(payment_order);
  held record;
begin
  if from_sender is null and actor = 'payer' then
    raise exception 'this asks for payments:write' using errcode = '42501';
  end if;
  -- as whoever judges a transfer holds it first, and then its order
  perform from public.chain_transfers t
  where t.id in (select c.transfer_id from public.claimable_transfers(payment_order, transaction) c)
  order by t.id
  for update;
  select o.status, o.refund, o.pay_to, a.chain_id into held
  from public.payment_orders o
  join public.assets a on a.id = o.asset_id
  where o.organization_id = public.current_organization_id() and o.id = payment_order
  for update of o;
  if not found then
    return null;
  elsif held.status not in ('CREATED', 'DETECTED', 'EXPIRED') then
    return held.status;
  elsif held.refund <> 'NONE' then
    return 'REFUND';
  elsif from_sender is null and not public.is_proved_payee(held.pay_to, held.chain_id) then
    return 'PAYEE';
  end if;
  update public.chain_transfers t
  set claimed_organization_id = public.current_organization_id(), claimed_for_id = payment_order, judged_at = null
  from public.claimable_transfers(payment_order, transaction) c
  where t.id = c.transfer_id and c.verdict = 'FREE' and (from_sender is null or t.sender = from_sender);
  if not found then
    return 'NOTHING';
  end if;
  perform public.tell_of_payment_order(
    payment_order, 'payment-order.claimed', actor, held.status,
    jsonb_build_object('transactionHash', transaction, 'sender', from_sender), told
  );
  return 'DONE';
end
$$;

revoke execute on function
  free_unique_amount(uuid, text, numeric), hold_unique_amount(), actor_on_order(uuid),
  tell_of_payment_order(uuid, text, text, payment_order_status, jsonb, jsonb), cancel_payment_order(uuid, jsonb),
  accept_underpaid_order(uuid, jsonb), claimable_transfers(uuid, text), claim_transfers(uuid, text, text, jsonb)
  from public;
create trigger payment_orders_hold_unique_amount after insert on payment_orders
  for each row when (new.matching = 'UNIQUE_AMOUNT') execute function hold_unique_amount();

-- the law ------------------------------------------------------------------------------------------------------------

-- what the functions of an order are made of; they run as whoever calls them, which is the doorkeeper alone
grant execute on function
  actor_on_order(uuid), tell_of_payment_order(uuid, text, text, payment_order_status, jsonb, jsonb)
  to tollhouse_doorkeeper;
grant execute on function free_unique_amount(uuid, text, numeric) to tollhouse_public;
grant execute on function cancel_payment_order(uuid, jsonb), claimable_transfers(uuid, text),
  claim_transfers(uuid, text, text, jsonb) to tollhouse_public, tollhouse_member;
grant execute on function accept_underpaid_order(uuid, jsonb) to tollhouse_member;

-- unique_amounts: taken with the order, and given back by the worker
alter table unique_amounts enable row level security;
alter table unique_amounts force row level security;
grant select (asset_id, pay_to, units, claimed_organization_id, claimed_for_id), insert
  on unique_amounts to tollhouse_doorkeeper;
create policy unique_amounts_doorkeeper_select on unique_amounts for select to tollhouse_doorkeeper using (true);
create policy unique_amounts_doorkeeper_insert on unique_amounts for insert to tollhouse_doorkeeper with check (true);
grant select, update (past_block), delete on unique_amounts to tollhouse_worker;
create policy unique_amounts_worker_select on unique_amounts for select to tollhouse_worker using (true);
create policy unique_amounts_worker_update on unique_amounts for update to tollhouse_worker
  using (true) with check (true);
create policy unique_amounts_worker_delete on unique_amounts for delete to tollhouse_worker using (true);

-- payment_orders: a payer chooses how it is known, and sees what has come; called off and settled by those functions,
-- inside the organization
grant insert (surcharge_units) on payment_orders to tollhouse_public;
grant select (matching, surcharge_units, credited_units, exceptions) on payment_orders to tollhouse_public;
grant update (status, under_policy) on payment_orders to tollhouse_doorkeeper;
create policy payment_orders_doorkeeper_update on payment_orders for update to tollhouse_doorkeeper
  using (organization_id = (select current_organization_id()))
  with check (organization_id = (select current_organization_id()));

-- assets, chain_transfers: named in what is told, and claimed for an order
grant select (caip19) on assets to tollhouse_doorkeeper;
grant select on chain_transfers to tollhouse_doorkeeper;
grant update (claimed_organization_id, claimed_for_id, judged_at) on chain_transfers to tollhouse_doorkeeper;
create policy chain_transfers_doorkeeper_select on chain_transfers for select to tollhouse_doorkeeper using (true);
create policy chain_transfers_doorkeeper_update on chain_transfers for update to tollhouse_doorkeeper
  using (true) with check (true);

-- events: those functions tell what they do
alter policy events_doorkeeper_insert on events
  with check (
    type in (
      'user.merged', 'user.deleted', 'organization.created', 'organization.deleted', 'organization.undeleted',
      'organization.purged', 'membership.added', 'membership.left', 'invitation.accepted', 'payment-order.canceled',
      'payment-order.claimed', 'payment-order.underpayment-accepted'
    )
  );

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function free_unique_amount(uuid, text, numeric) owner to tollhouse_doorkeeper;
alter function hold_unique_amount() owner to tollhouse_doorkeeper;
alter function cancel_payment_order(uuid, jsonb) owner to tollhouse_doorkeeper;
alter function accept_underpaid_order(uuid, jsonb) owner to tollhouse_doorkeeper;
alter function claimable_transfers(uuid, text) owner to tollhouse_doorkeeper;
alter function claim_transfers(uuid, text, text, jsonb) owner to tollhouse_doorkeeper;

-- How many orders of the link one client holds: those that are open, those that it called off within the hour, and those
-- that nothing came for and whose amounts nobody else can be asked for yet. The lock makes counting and adding one step.
set local role tollhouse_doorkeeper;
create or replace function count_open_orders(link uuid, client bytea) returns integer
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_xact_lock(hashtextextended(link::text || encode(client, 'hex'), 0));
  select count(*)::integer
  from public.payment_orders o
  where o.organization_id = public.current_organization_id()
    and o.payment_link_id = link
    and o.client_hash = client
    and (
      o.status in ('CREATED', 'DETECTED', 'CONFIRMING')
      or o.status = 'CANCELED' and o.created_at > clock_timestamp() - interval '1 hour'
      or o.credited_units = 0 and exists (
        select from public.unique_amounts u
        where u.claimed_organization_id = o.organization_id and u.claimed_for_id = o.id
      )
    )
$$;
reset role;
revoke create on schema public from tollhouse_doorkeeper;
