-- What an order asks for is nobody else's, whoever is paid is found by an index however many orders there are, what comes
-- in another asset names its order, and what providers say is written and confirmed. Refusals say the facts.

-- amounts --------------------------------------------------------------------------------------------------------------

-- an order of another kind may ask for a little more than its price too, where the price itself tells another one
alter table payment_orders drop constraint payment_orders_unique_amount_check;
alter table payment_orders add constraint payment_orders_unique_amount_check check (
  (matching = 'UNIQUE_AMOUNT') <= (surcharge_units > 0)
  and surcharge_units <= least(9999, trunc((due_units - surcharge_units) / 100))
);

-- What an order asks for that is not known by its amount: the price, or where that tells another order, a little more;
-- null when every amount is taken. Until the transaction ends nobody chooses an amount that is to tell an order.
create function distinct_amount(asset uuid, payee text, price numeric) returns numeric
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_xact_lock_shared(hashtextextended('unique amounts ' || asset || ' ' || payee, 0));
  select price + surcharge
  from (
    select 0 as surcharge
    union all
    select generate_series(1, least(9999, trunc(price / 100))::integer)
    where exists (
      select from public.unique_amounts u where u.asset_id = asset and u.pay_to = payee and u.units = price
    )
  ) choices
  where not exists (
    select from public.unique_amounts u
    where u.asset_id = asset and u.pay_to = payee and u.units = price + surcharge
  )
  order by surcharge > 0, random()
  limit 1
$$;

-- whoever is paid --------------------------------------------------------------------------------------------------------

-- who is paid at an account, by which links, and until when their orders have time
create index payment_orders_payee_idx
  on payment_orders (pay_to, organization_id, payment_link_id, (coalesce(late_until, expires_at)));
-- and whether somebody waits there
create index payment_orders_open_at_idx on payment_orders (pay_to, organization_id, asset_id)
  where status in ('CREATED', 'DETECTED', 'CONFIRMING');
drop index payment_orders_pay_to_idx;
create index payment_orders_pay_to_idx on payment_orders (pay_to, payer, organization_id);
drop index payment_link_accepts_pay_to_idx;
create index payment_link_accepts_pay_to_idx on payment_link_accepts (pay_to, organization_id);
-- orders that any wallet may be about to pay
create index payment_orders_awaiting_idx on payment_orders (pay_to, asset_id, (greatest(late_until, expires_at)))
  where matching <> 'WALLET' and status in ('CREATED', 'DETECTED', 'EXPIRED');
-- and the one that a transfer in another asset names
create index payment_orders_reference_idx on payment_orders (reference) where status in ('CREATED', 'DETECTED');

-- and what members look for: refunds of a status, and transfers of a sender
create index payment_refunds_organization_id_status_created_at_id_idx
  on payment_refunds (organization_id, status, created_at desc, id desc);
create index blockchain_transactions_organization_id_sender_idx on blockchain_transactions (organization_id, sender);

-- the reference that a payment request puts at the end of calldata, or what else stands there
create function ending_reference(input bytea) returns bytea
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select substring(input from octet_length(input) - 15)
$$;

-- Whether an organization that is paid at a transfer's recipient, or was, is to see it. Of whoever has left, by a link that
-- was deleted, nothing is the organization's but what comes while its orders have time, or from their payers.
create function is_paid_at(organization uuid, t public.chain_transfers) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select
    exists (
      select from public.payment_link_accepts a
      join public.payment_links l on l.organization_id = a.organization_id and l.id = a.payment_link_id
      where a.organization_id = organization and a.pay_to = t.recipient and l.deleted_at is null
    )
    or exists (
      select from public.payment_orders o
      where o.organization_id = organization and o.pay_to = t.recipient and o.payer = t.sender
    )
    or exists (
      select from public.payment_links l
      cross join lateral (
        select coalesce(o.late_until, o.expires_at) as until
        from public.payment_orders o
        where o.pay_to = t.recipient and o.organization_id = l.organization_id and o.payment_link_id = l.id
        order by coalesce(o.late_until, o.expires_at) desc
        limit 1
      ) latest
      where l.organization_id = organization and (l.deleted_at is null or latest.until >= t.block_time)
    )
    or public.is_payee_of(organization, t.recipient, t.incarnation_id)
$$;

-- The organizations whose inbox a transfer stands in that nobody took, in one order: from one to the next, so that it does
-- not matter how many orders and links each of them has.
create function organizations_paid_at(t public.chain_transfers) returns setof uuid
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := '00000000-0000-0000-0000-000000000000';
begin
  loop
    select least(
      (
        select a.organization_id from public.payment_link_accepts a
        where a.pay_to = t.recipient and a.organization_id > organization
        order by a.organization_id
        limit 1
      ),
      (
        select o.organization_id from public.payment_orders o
        where o.pay_to = t.recipient and o.organization_id > organization
        order by o.organization_id
        limit 1
      )
    ) into organization;
    exit when organization is null;
    if public.is_paid_at(organization, t) then
      return next organization;
    end if;
  end loop;
end
$$;

-- The orders that the transfer of an entry of the scene's inbox names: by the reference that ends its calldata, or, where
-- its sender was to pay, by one that stands anywhere in it.
create function orders_named_by(payment uuid) returns setof uuid
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  with sent as materialized (
    select u.organization_id, t.recipient, t.sender, t.input
    from public.unmatched_payments u
    join public.blockchain_transactions b on b.organization_id = u.organization_id and b.id = u.blockchain_transaction_id
    join public.chain_transfers t
      on t.incarnation_id = b.incarnation_id and t.transaction_hash = b.hash and t.ordinal = b.ordinal
    where u.organization_id = public.current_organization_id() and u.id = payment
      and public.has_permission('payments:read')
  )
  select o.id
  from sent s
  join public.payment_orders o
    on o.organization_id = s.organization_id and o.pay_to = s.recipient
    and o.reference = public.ending_reference(s.input)
  union
  select o.id
  from sent s
  join public.payment_orders o
    on o.organization_id = s.organization_id and o.pay_to = s.recipient and o.payer = s.sender
  where position(o.reference in s.input) > 0
  limit 5
$$;

-- why no order of the organization took the transfer, as far as its orders tell; each question finds its rows by an index
create or replace function unmatched_reason(organization uuid, t public.chain_transfers) returns public.unmatched_payment_reason
language sql stable set search_path = pg_catalog, pg_temp
as $$
  with likely as (
    select o.* from public.payment_orders o where o.pay_to = t.recipient and o.payer = t.sender
    union all
    select o.* from public.payment_orders o
    where o.pay_to = t.recipient and o.asset_id = t.asset_id and o.due_units = t.units and o.matching = 'UNIQUE_AMOUNT'
  ),
  fitting as (
    select
      o.status,
      position(o.reference in t.input) > 0 as is_named,
      t.block_number > o.head_number as is_after,
      t.block_time > date_trunc('second', o.expires_at + interval '999 milliseconds') as is_late
    from likely o
    where o.organization_id = organization and o.incarnation_id = t.incarnation_id and o.asset_id = t.asset_id
  )
  select case
    when exists (select from fitting where is_named and status in ('CONFIRMING', 'PAID', 'FINAL')) then 'DUPLICATE'
    when exists (select from fitting where is_named) then 'LATE'
    when exists (select from fitting where is_after and not is_late and status in ('CREATED', 'DETECTED'))
      then 'AMBIGUOUS'
    when exists (select from fitting where is_after and status in ('CONFIRMING', 'PAID', 'FINAL')) then 'DUPLICATE'
    when exists (select from fitting where is_after) then 'LATE'
    when exists (
      select from public.payment_orders o
      where o.organization_id = organization and o.pay_to = t.recipient and o.payer = t.sender
        and o.incarnation_id = t.incarnation_id and o.asset_id <> t.asset_id
        and o.status in ('CREATED', 'DETECTED', 'CONFIRMING')
    )
    or exists (
      select from public.payment_orders o
      where o.organization_id = organization and o.reference = public.ending_reference(t.input)
        and o.pay_to = t.recipient and o.incarnation_id = t.incarnation_id and o.asset_id <> t.asset_id
        and o.status in ('CREATED', 'DETECTED', 'CONFIRMING')
    ) then 'WRONG_ASSET'
    when exists (
      select from public.payment_orders o
      where o.organization_id = organization and o.pay_to = t.recipient and o.payer = t.sender
        and o.incarnation_id <> t.incarnation_id
        and o.status in ('CREATED', 'DETECTED', 'CONFIRMING')
    ) then 'WRONG_CHAIN'
    when not exists (
      select from public.payment_link_accepts l
      join public.assets a on a.id = l.asset_id
      join public.chain_incarnations i on i.chain_id = a.chain_id
      where l.organization_id = organization and l.pay_to = t.recipient and i.id = t.incarnation_id
    ) then 'WRONG_CHAIN'
    when not exists (
      select from public.payment_link_accepts l
      where l.organization_id = organization and l.pay_to = t.recipient and l.asset_id = t.asset_id
    ) then 'WRONG_ASSET'
    when exists (
      select from public.payment_orders o
      where o.organization_id = organization and o.pay_to = t.recipient and o.asset_id = t.asset_id
        and o.incarnation_id = t.incarnation_id and o.status in ('CREATED', 'DETECTED', 'CONFIRMING')
    ) then 'UNKNOWN_SENDER'
    else 'NO_ORDER'
  end::public.unmatched_payment_reason
$$;

-- reserves a part of what the order was credited; all that is left of it when nothing is asked; answers why not, and how
-- much could be asked for
create or replace function reserve_refund(
  refund uuid, organization uuid, refunded uuid, asked numeric, why public.payment_refund_cause, words text
) returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  o public.payment_orders;
  refundable numeric;
begin
  perform from public.payment_orders p where p.organization_id = organization and p.id = refunded for update;
  select * into o from public.payment_orders p where p.organization_id = organization and p.id = refunded;
  if not found then
    return 'ORDER_NOT_FOUND';
  end if;
  refundable := public.hold_refundable(organization, o);
  if refundable <= 0 or why = 'MEMBER' and asked > refundable then
    return 'REFUND_EXCEEDS ' || greatest(refundable, 0);
  end if;
  insert into public.payment_refunds (
    organization_id, id, payment_order_id, incarnation_id, asset_id, units, pay_from, cause, reason, requested_by_id,
    finality, required_confirmations
  )
  values (
    organization, refund, refunded, o.incarnation_id, o.asset_id, least(asked, refundable), o.pay_to, why, words,
    coalesce(public.current_user_id(), public.current_responsible_id()), o.finality, coalesce(o.required_confirmations, 1)
  );
  return null;
end
$$;

-- Says where a refund goes, from the next block on. The chain's head stands still meanwhile, as when an order is made, so
-- that no block is missed in between. Of what arrives there only what its payee sends is anybody's business.
create or replace function address_refund(
  r public.payment_refunds, sent_to text, source public.payment_refund_destination_source, words text
) returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  token text;
  chain bigint;
begin
  if r.id is null then
    return 'REFUND_NOT_FOUND';
  elsif r.status <> 'REQUESTED' then
    return 'REFUND_CLOSED ' || r.status;
  end if;
  select a.address, a.chain_id into token, chain from public.assets a where a.id = r.asset_id;
  if sent_to in ('0x0000000000000000000000000000000000000000', r.pay_from) or sent_to is not distinct from token then
    return 'DESTINATION_REFUSED';
  end if;
  perform pg_advisory_xact_lock_shared(hashtextextended('chain ' || chain, 0));
  insert into public.watched_accounts (chain_id, address, sender) values (chain, sent_to, r.pay_from)
  on conflict do nothing;
  update public.payment_refunds p
  set status = 'PENDING',
      destination = sent_to,
      destination_source = source,
      destination_reason = words,
      destination_by_id = case source when 'OWNER' then public.current_user_id() end,
      head_number = coalesce(i.head_number, 0),
      addressed_at = clock_timestamp()
  from public.chain_incarnations i
  where p.organization_id = r.organization_id and p.id = r.id and i.id = r.incarnation_id;
  return null;
end
$$;

-- why nothing can be done with it; null when something can
create or replace function unmatched_refusal(payment public.unmatched_payments, t public.chain_transfers) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select case
    when payment.id is null or t.id is null then 'UNMATCHED_PAYMENT_NOT_FOUND'
    when payment.status = 'TAKEN' or t.claimed_organization_id <> payment.organization_id then 'TRANSFER_TAKEN'
    when t.orphaned or t.claimed_for_id is not null or payment.status not in ('OPEN', 'IGNORED')
      then 'UNMATCHED_PAYMENT_CLOSED ' || case
        when t.orphaned then 'REVERSED'
        when payment.status in ('OPEN', 'IGNORED') then 'ASSIGNED'
        else payment.status::text
      end
  end
$$;

-- what payers see --------------------------------------------------------------------------------------------------------

-- What a payer asks about the scene's order besides its row: where its link sends payers on to, whether the database's clock
-- still lets it be paid, and how many confirmations all that has come has; null where nothing has.
create function checkout_facts() returns table (
  success_url text, cancel_url text, takes_payments boolean, confirmations integer
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select
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

-- what providers say -----------------------------------------------------------------------------------------------------

-- the transaction that a provider says it is, which the watcher sees; what is confirmed of it names its transfer
alter table provider_transactions add column transaction_hash text;
alter table provider_transactions add constraint provider_transactions_transaction_hash_check check (
  transaction_hash is null
  or transaction_hash ~ '^0x[0-9a-f]{64}$' and (status <> 'CONFIRMED' or blockchain_transaction_id is not null)
);
create index provider_transactions_transaction_hash_idx on provider_transactions (organization_id, transaction_hash)
  where transaction_hash is not null;

-- What a provider says has come for an order of the scene's organization: a claim, written once for each reference. Of one
-- that names its transaction the credit of that transaction confirms it, whichever comes first. Answers why not.
create function record_provider_claim(
  said_by text, named text, paying uuid, paid_units numeric, transaction text, said jsonb
) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  paid_in uuid;
  credited uuid;
begin
  if said_by in ('onchain', 'manual') then
    return 'PROVIDER_REFUSED';
  end if;
  -- credits are given under the same lock
  select o.asset_id into paid_in from public.payment_orders o
  where o.organization_id = organization and o.id = paying
  for update;
  if not found then
    return 'ORDER_NOT_FOUND';
  end if;
  select c.blockchain_transaction_id into credited
  from public.payment_credits c
  join public.blockchain_transactions b on b.organization_id = c.organization_id and b.id = c.blockchain_transaction_id
  where c.organization_id = organization and c.payment_order_id = paying and c.reversed_at is null and b.hash = transaction
  order by b.ordinal
  limit 1;
  insert into public.provider_transactions (
    organization_id, provider, reference, kind, status, asset_id, units, payment_order_id, blockchain_transaction_id,
    transaction_hash, raw
  )
  values (
    organization, said_by, named, 'PAYMENT',
    (case when credited is null then 'CLAIMED' else 'CONFIRMED' end)::public.provider_transaction_status,
    paid_in, paid_units, paying, credited, transaction, said
  )
  on conflict (organization_id, provider, reference) do nothing;
  return null;
end
$$;

revoke execute on function
  distinct_amount(uuid, text, numeric), ending_reference(bytea), is_paid_at(uuid, chain_transfers),
  organizations_paid_at(chain_transfers), orders_named_by(uuid), checkout_facts(),
  record_provider_claim(text, text, uuid, numeric, text, jsonb)
  from public;

-- the law ------------------------------------------------------------------------------------------------------------

grant execute on function distinct_amount(uuid, text, numeric), checkout_facts() to tollhouse_public;
grant execute on function orders_named_by(uuid) to tollhouse_member;
grant execute on function record_provider_claim(text, text, uuid, numeric, text, jsonb) to tollhouse_worker;
grant execute on function ending_reference(bytea) to tollhouse_doorkeeper, tollhouse_worker;
grant execute on function is_paid_at(uuid, chain_transfers), organizations_paid_at(chain_transfers) to tollhouse_doorkeeper;

-- payment_orders: a payer sees what its order waits for
grant select (finality, required_confirmations) on payment_orders to tollhouse_public;

-- provider_transactions: a claim learns which transfer it was
grant update (blockchain_transaction_id) on provider_transactions to tollhouse_doorkeeper;

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function distinct_amount(uuid, text, numeric) owner to tollhouse_doorkeeper;
alter function orders_named_by(uuid) owner to tollhouse_doorkeeper;
alter function checkout_facts() owner to tollhouse_doorkeeper;
alter function record_provider_claim(text, text, uuid, numeric, text, jsonb) owner to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
-- What was judged is somebody's: an order's or a refund's that claimed it, or of the inbox of each organization that is
-- paid at its recipient. It runs when the transaction ends, when it is clear what has become of the transfer.
create or replace function receive_transfer() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  t public.chain_transfers;
  payee record;
  entry record;
begin
  select * into t from public.chain_transfers c where c.id = new.id;
  -- there is news, which is judged next, or nothing to be had
  if t.judged_at is null or t.units = 0 then
    return null;
  end if;
  if t.claimed_for_id is null and not t.orphaned then
    -- mined again it may go to somebody else, and then whoever saw it before has nothing
    for entry in
      select u.organization_id, u.id, b.id as sighting
      from public.blockchain_transactions b
      join public.unmatched_payments u on u.organization_id = b.organization_id and u.blockchain_transaction_id = b.id
      where b.hash = t.transaction_hash and b.ordinal = t.ordinal and b.incarnation_id = t.incarnation_id
        and b.recipient <> t.recipient
        and u.status <> 'REVERSED'
      order by u.organization_id
    loop
      update public.blockchain_transactions b set status = 'ORPHANED'
      where b.organization_id = entry.organization_id and b.id = entry.sighting;
      update public.unmatched_payments u set status = 'REVERSED', payment_order_id = null
      where u.organization_id = entry.organization_id and u.id = entry.id;
    end loop;
    for payee in select paid.organization_id from public.organizations_paid_at(t) as paid (organization_id)
    loop
      insert into public.unmatched_payments as kept (organization_id, blockchain_transaction_id, reason)
      values (
        payee.organization_id, public.write_sighting(payee.organization_id, t),
        public.unmatched_reason(payee.organization_id, t)
      )
      on conflict (organization_id, blockchain_transaction_id) do update
      -- what was put aside stays so wherever the chain puts it
      set status = (case when kept.resolved_at is not null and kept.payment_order_id is null then 'IGNORED' else 'OPEN' end)
            ::public.unmatched_payment_status,
          reason = excluded.reason,
          payment_order_id = null,
          resolved_at = case when kept.payment_order_id is null then kept.resolved_at end,
          resolved_by_id = case when kept.payment_order_id is null then kept.resolved_by_id end
      where kept.status not in ('OPEN', 'IGNORED');
    end loop;
    return null;
  end if;
  for entry in
    select
      u.organization_id, u.id, (b.status = 'ORPHANED') <> t.orphaned or b.block_hash <> t.block_hash as has_moved,
      (case
        when t.orphaned then 'REVERSED'
        when u.organization_id <> t.claimed_organization_id or t.claimed_as = 'REFUND' then 'TAKEN'
        when t.claimed_as = 'ORDER' then 'ASSIGNED'
        else 'REFUNDED'
      end)::public.unmatched_payment_status as status,
      case when u.organization_id = t.claimed_organization_id and t.claimed_as = 'ORDER' then t.claimed_for_id end as paid
    from public.blockchain_transactions b
    join public.unmatched_payments u on u.organization_id = b.organization_id and u.blockchain_transaction_id = b.id
    where b.hash = t.transaction_hash and b.ordinal = t.ordinal and b.incarnation_id = t.incarnation_id
    order by u.organization_id
  loop
    if entry.has_moved then
      perform public.write_sighting(entry.organization_id, t);
    end if;
    -- what was to go back is not there, or is another payment: nothing of it is kept for anybody
    if t.claimed_as = 'INBOX' and t.claimed_for_id = entry.id
      and public.withdraw_unmatched_refund(entry.organization_id, entry.id, t) then
      continue;
    end if;
    update public.unmatched_payments u
    set status = entry.status, payment_order_id = entry.paid
    where u.organization_id = entry.organization_id and u.id = entry.id
      and (u.status, u.payment_order_id) is distinct from (entry.status, entry.paid);
  end loop;
  return null;
end
$$;

-- Calls off a refund of the scene's organization of which nothing was seen yet, or only in a history that the chain has no
-- more; answers why not. Whoever is to send it may have done so a moment ago: where its destination is known, it is off
-- once every block up to a later head was read, and what it reserved stays so until then.
create or replace function cancel_refund(refund uuid) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  held record;
  r public.payment_refunds;
  is_current boolean;
  unknown text;
begin
  perform public.require_payments_write();
  select * into held from public.hold_refund(refund);
  r := held.r;
  if r.id is null then
    return 'REFUND_NOT_FOUND';
  end if;
  select i.current into is_current from public.chain_incarnations i where i.id = r.incarnation_id;
  if r.status not in ('REQUESTED', 'PENDING') and (is_current or r.status <> 'SENT') then
    return 'REFUND_CLOSED ' || r.status;
  elsif r.status = 'PENDING' and is_current then
    unknown := case
      when public.is_refund_seen(r) then 'TRANSFER_SEEN'
      else public.unread_reason(r.incarnation_id)
    end;
    if unknown is not null then
      return 'REFUND_UNDECIDED ' || unknown;
    end if;
    update public.payment_refunds p
    set called_off_at = coalesce(p.called_off_at, clock_timestamp())
    where p.organization_id = r.organization_id and p.id = r.id;
    return null;
  end if;
  perform public.close_refund(r, held.t);
  return null;
end
$$;

-- the chain as a provider: what it has said of an order's credits and of refunds
create or replace function record_onchain_payment() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.provider_transactions (
    organization_id, provider, reference, kind, status, asset_id, units, payment_order_id, blockchain_transaction_id, raw
  )
  select
    b.organization_id, 'onchain', b.hash || ':' || b.ordinal, 'PAYMENT',
    (case
      when new.reversed_at is null then 'CONFIRMED'
      -- assigned by a member, and to be judged next
      when tg_op = 'INSERT' then 'CLAIMED'
      else 'REVERSED'
    end)::public.provider_transaction_status,
    b.asset_id, new.units, new.payment_order_id, b.id,
    jsonb_build_object('transactionHash', b.hash, 'ordinal', b.ordinal, 'sender', b.sender, 'recipient', b.recipient)
  from public.blockchain_transactions b
  where b.organization_id = new.organization_id and b.id = new.blockchain_transaction_id
  on conflict (organization_id, provider, reference) do update
  set kind = excluded.kind, status = excluded.status, asset_id = excluded.asset_id, units = excluded.units,
      payment_order_id = excluded.payment_order_id, payment_refund_id = null, raw = excluded.raw;
  -- whoever else has said so of this transaction is right, or is so no more
  update public.provider_transactions p
  set status = (case when new.reversed_at is null then 'CONFIRMED' else 'REVERSED' end)::public.provider_transaction_status,
      blockchain_transaction_id = coalesce(p.blockchain_transaction_id, b.id)
  from public.blockchain_transactions b
  where b.organization_id = new.organization_id and b.id = new.blockchain_transaction_id
    and (new.reversed_at is null or tg_op = 'UPDATE')
    and p.organization_id = b.organization_id and p.transaction_hash = b.hash
    and p.payment_order_id = new.payment_order_id
    and coalesce(p.blockchain_transaction_id, b.id) = b.id;
  return null;
end
$$;
reset role;
revoke create on schema public from tollhouse_doorkeeper;
