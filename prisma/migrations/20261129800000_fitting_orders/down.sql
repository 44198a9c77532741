grant create on schema public to tollhouse_doorkeeper;
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
    -- Of whoever has left, by a link that was deleted, nothing is the organization's but what comes while its orders have
    -- time, or from their payers.
    for payee in
      select a.organization_id
      from public.payment_link_accepts a
      join public.payment_links l on l.organization_id = a.organization_id and l.id = a.payment_link_id
      where a.pay_to = t.recipient
        and (l.deleted_at is null or public.is_payee_of(l.organization_id, t.recipient, t.incarnation_id))
      union
      select o.organization_id
      from public.payment_orders o
      join public.payment_links l on l.organization_id = o.organization_id and l.id = o.payment_link_id
      where o.pay_to = t.recipient
        and (
          l.deleted_at is null
          or o.payer = t.sender
          or t.block_time <= coalesce(o.late_until, o.expires_at)
          or public.is_payee_of(l.organization_id, t.recipient, t.incarnation_id)
        )
      order by organization_id
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
    return 'REFUND_CLOSED';
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
  return null;
end
$$;

drop function distinct_amount(uuid, text, numeric);
drop function orders_named_by(uuid);
drop function checkout_facts();
drop function record_provider_claim(text, text, uuid, numeric, text, jsonb);
reset role;
revoke create on schema public from tollhouse_doorkeeper;

-- why no order of the organization took the transfer, as far as its orders tell
create or replace function unmatched_reason(organization uuid, t public.chain_transfers) returns public.unmatched_payment_reason
language sql stable set search_path = pg_catalog, pg_temp
as $$
  with fitting as (
    select
      o.status,
      position(o.reference in t.input) > 0 as is_named,
      t.block_number > o.head_number as is_after,
      t.block_time > date_trunc('second', o.expires_at + interval '999 milliseconds') as is_late
    from public.payment_orders o
    where o.organization_id = organization
      and o.pay_to = t.recipient
      and o.incarnation_id = t.incarnation_id
      and o.asset_id = t.asset_id
      and (o.payer = t.sender or o.matching = 'UNIQUE_AMOUNT' and o.due_units = t.units)
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

-- reserves a part of what the order was credited; all that is left of it when nothing is asked
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
    return 'REFUND_EXCEEDS';
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
    return 'REFUND_CLOSED';
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
      then 'UNMATCHED_PAYMENT_CLOSED'
  end
$$;

drop function organizations_paid_at(chain_transfers);
drop function is_paid_at(uuid, chain_transfers);
drop function ending_reference(bytea);

revoke select (finality, required_confirmations) on payment_orders from tollhouse_public;
revoke update (blockchain_transaction_id) on provider_transactions from tollhouse_doorkeeper;

drop index provider_transactions_transaction_hash_idx;
alter table provider_transactions drop constraint provider_transactions_transaction_hash_check;
alter table provider_transactions drop column transaction_hash;

drop index blockchain_transactions_organization_id_sender_idx;
drop index payment_refunds_organization_id_status_created_at_id_idx;
drop index payment_orders_reference_idx;
drop index payment_orders_awaiting_idx;
drop index payment_link_accepts_pay_to_idx;
create index payment_link_accepts_pay_to_idx on payment_link_accepts (pay_to);
drop index payment_orders_pay_to_idx;
create index payment_orders_pay_to_idx on payment_orders (pay_to, payer);
drop index payment_orders_open_at_idx;
drop index payment_orders_payee_idx;

-- what was added to the price of an order of another kind is part of its price then
alter table payment_orders no force row level security;
update payment_orders set surcharge_units = 0 where matching <> 'UNIQUE_AMOUNT' and surcharge_units > 0;
alter table payment_orders force row level security;
alter table payment_orders drop constraint payment_orders_unique_amount_check;
alter table payment_orders add constraint payment_orders_unique_amount_check check (
  (matching = 'UNIQUE_AMOUNT') = (surcharge_units > 0)
  and surcharge_units <= least(9999, trunc((due_units - surcharge_units) / 100))
);
