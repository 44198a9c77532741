drop policy watched_accounts_worker_delete on watched_accounts;
revoke delete on watched_accounts from tollhouse_worker;
alter policy watched_accounts_member_insert on watched_accounts
  with check ((select has_permission('payments:write')));
revoke select (safe_number, finalized_number) on chain_incarnations from tollhouse_doorkeeper;
revoke update (withdrawn) on payment_refunds from tollhouse_doorkeeper;
revoke update (void_reason, voided_by_id, voided_at) on provider_transactions from tollhouse_doorkeeper;
alter policy events_doorkeeper_insert on events
  with check (
    type in (
      'user.merged', 'user.deleted', 'organization.created', 'organization.deleted', 'organization.undeleted',
      'organization.purged', 'membership.added', 'membership.left', 'invitation.accepted', 'payment-order.canceled',
      'payment-order.claimed', 'payment-order.underpayment-accepted', 'payment-order.refund-changed',
      'unmatched-payment.received', 'unmatched-payment.assigned', 'unmatched-payment.refunded',
      'unmatched-payment.ignored', 'unmatched-payment.taken', 'unmatched-payment.reopened',
      'unmatched-payment.reversed', 'unmatched-payment.reinstated', 'payment-refund.requested',
      'payment-refund.addressed', 'payment-refund.sent', 'payment-refund.completed', 'payment-refund.reversed',
      'payment-refund.canceled', 'provider-transaction.claimed', 'provider-transaction.confirmed',
      'provider-transaction.reversed'
    )
  );
drop trigger provider_transactions_tell_void on provider_transactions;

grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
drop function
  ambiguous_transfers(uuid, uuid, integer), void_manual_payment(uuid, text), ignore_unmatched_payments(uuid[], text), withdraw_refunds(uuid),
  is_refund_backed(uuid);
-- whoever watches such an account need not know that it is one, nor may: identities are others'
create or replace function watch_everywhere() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select from public.identities i
    where i.issuer = 'eip155' and i.subject = new.address and i.kind = 'WALLET' and i.chain_id is null
  ) then
    new.chain_id := null;
  end if;
  return new;
end
$$;

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
    update public.unmatched_payments u
    set status = entry.status, payment_order_id = entry.paid
    where u.organization_id = entry.organization_id and u.id = entry.id
      and (u.status, u.payment_order_id) is distinct from (entry.status, entry.paid);
  end loop;
  return null;
end
$$;

-- what the terms of an order give back: as much of it as is still there, and once for each cause. True when it was asked
create or replace function request_owed_refund(refunded uuid, asked numeric, why payment_refund_cause) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
begin
  perform from public.payment_orders p where p.organization_id = organization and p.id = refunded for update;
  if why = 'MEMBER' or exists (
    select from public.payment_refunds r
    where r.organization_id = organization and r.payment_order_id = refunded and r.cause = why
  )
  -- what was given to it a moment ago may make enough of a part: it is judged first
  or exists (
    select from public.chain_transfers t where t.claimed_for_id = refunded and t.judged_at is null
  ) then
    return false;
  end if;
  return public.reserve_refund(public.uuid_v7(), organization, refunded, asked, why, null) is null;
end
$$;

-- Asks for refunds of what came late within the late window of an order whose terms give it back: once for each, even if
-- it is called off. Answers of how many.
create or replace function request_late_refunds(incarnation uuid, most integer) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_late record;
  t public.chain_transfers;
  held public.unmatched_payments;
  asked integer := 0;
begin
  for found_late in
    select u.organization_id, u.id, c.id as transfer_id
    from public.unmatched_payments u
    join public.blockchain_transactions b on b.organization_id = u.organization_id and b.id = u.blockchain_transaction_id
    join public.chain_transfers c
      on c.incarnation_id = b.incarnation_id and c.transaction_hash = b.hash and c.ordinal = b.ordinal
    where u.status = 'OPEN' and u.reason = 'LATE'
      and c.incarnation_id = incarnation
      and exists (
        select from public.payment_orders o
        where o.organization_id = u.organization_id and o.pay_to = c.recipient and o.asset_id = c.asset_id
          and o.incarnation_id = c.incarnation_id and o.late_policy = 'REFUND' and o.head_number < c.block_number
          and (o.payer = c.sender or o.matching = 'UNIQUE_AMOUNT' and o.due_units = c.units)
          and c.block_time <= date_trunc('second', o.late_until + interval '999 milliseconds')
      )
      and not exists (
        select from public.payment_refunds r
        where r.organization_id = u.organization_id and r.unmatched_payment_id = u.id
      )
    order by u.created_at
    limit most
  loop
    select * into t from public.chain_transfers c where c.id = found_late.transfer_id for update;
    select * into held from public.unmatched_payments u
    where u.organization_id = found_late.organization_id and u.id = found_late.id
    for update;
    if held.status = 'OPEN' and public.unmatched_refusal(held, t) is null then
      perform public.keep_for_refund(public.uuid_v7(), held, t, 'LATE', null);
      asked := asked + 1;
    end if;
  end loop;
  return asked;
end
$$;

create or replace function tell_of_refund() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform public.tell_of_payment(
    new.organization_id, 'payment-refund', new.id,
    case
      when tg_op = 'INSERT' then 'requested'
      when old.status in ('SENT', 'COMPLETED') and new.status = 'PENDING' then 'reversed'
      when new.status = 'PENDING' then 'addressed'
      else lower(new.status::text)
    end,
    array['payment-order:' || new.payment_order_id, 'unmatched-payment:' || new.unmatched_payment_id],
    jsonb_build_object(
      'from', case when tg_op = 'UPDATE' then old.status end, 'to', new.status, 'units', new.units::text,
      'cause', new.cause, 'destination', new.destination,
      'paymentOrderId', new.payment_order_id, 'unmatchedPaymentId', new.unmatched_payment_id
    )
  );
  return null;
end
$$;

create or replace function tell_of_provider_transaction() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform public.tell_of_payment(
    new.organization_id, 'provider-transaction', new.id, lower(new.status::text),
    array['payment-order:' || new.payment_order_id],
    jsonb_build_object(
      'from', case when tg_op = 'UPDATE' then old.status end, 'to', new.status, 'provider', new.provider,
      'reference', new.reference, 'units', new.units::text, 'paymentOrderId', new.payment_order_id
    )
  );
  return null;
end
$$;
reset role;
revoke create on schema public from tollhouse_doorkeeper;
-- Says where a refund goes, from the next block on. The chain's head stands still meanwhile, as when an order is made, so
-- that no block is missed in between.
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
  insert into public.watched_accounts (chain_id, address) values (chain, sent_to) on conflict do nothing;
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
drop function
  withdraw_unmatched_refund(uuid, uuid, chain_transfers),
  meets_finality(payment_finality, integer, bigint, bigint, bigint, bigint);

drop index unmatched_payments_ambiguous_idx;
drop index provider_transactions_voided_idx;
drop index provider_transactions_organization_id_voided_by_id_idx;
alter table provider_transactions drop constraint provider_transactions_voided_by_id_fkey;
alter table provider_transactions drop constraint provider_transactions_voided_check;
alter table provider_transactions drop constraint provider_transactions_void_reason_check;
alter table provider_transactions drop column voided_at, drop column voided_by_id, drop column void_reason;
drop index payment_refunds_destination_idx;
-- whoever is awaited at an account is awaited from everybody again
drop index watched_accounts_sender_key;
drop index watched_accounts_chain_id_address_key;
alter table watched_accounts no force row level security;
insert into watched_accounts (chain_id, address)
select distinct w.chain_id, w.address
from watched_accounts w
where w.sender is not null
  and not exists (
    select from watched_accounts other
    where other.sender is null and other.chain_id = w.chain_id and other.address = w.address
  );
delete from watched_accounts where sender is not null;
alter table watched_accounts force row level security;
alter table watched_accounts drop constraint watched_accounts_sender_chain_check;
alter table watched_accounts drop column sender;
create unique index watched_accounts_chain_id_address_key on watched_accounts (chain_id, address);
alter table payment_refunds drop constraint payment_refunds_withdrawn_check;
alter table payment_refunds drop column withdrawn;
