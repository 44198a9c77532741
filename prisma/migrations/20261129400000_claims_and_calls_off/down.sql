grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
-- The transfers of a transaction that an order of that payee and asset could be paid by, and what there is against each:
-- credited already, no newer than the order, or behind all time that the order had. Who may write payments decides
-- about what is late.
create or replace function claimable_transfers(payment_order uuid, transaction text)
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

-- Calls off an order that nothing has arrived for. Answers 'DONE', or what the order is that cannot be called off, and
-- nothing when there is none.
create or replace function cancel_payment_order(payment_order uuid, told jsonb) returns text
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

-- Gives an entry of the scene's inbox to an order; answers why not. The credit counts for nothing yet: the transfer is
-- judged again, which lets it count and assesses the order, in one transaction under the order's lock.
create or replace function assign_unmatched_payment(payment uuid, paying uuid) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  t public.chain_transfers;
  held public.unmatched_payments;
  refusal text;
  paid record;
begin
  perform public.require_payments_write();
  t := public.hold_unmatched_payment(payment);
  select * into held from public.unmatched_payments u where u.organization_id = organization and u.id = payment for update;
  refusal := coalesce(public.unmatched_refusal(held, t), public.payee_refusal(t));
  if refusal is not null then
    return refusal;
  end if;
  select o.incarnation_id, o.asset_id, o.pay_to, o.status, o.refund into paid
    from public.payment_orders o where o.organization_id = organization and o.id = paying for update;
  if not found then
    return 'ORDER_NOT_FOUND';
  elsif paid.status in ('FINAL', 'CANCELED', 'FAILED') then
    return 'ORDER_TAKES_NOTHING ' || paid.status;
  elsif paid.asset_id <> t.asset_id or paid.incarnation_id <> t.incarnation_id or paid.pay_to <> t.recipient then
    return 'ASSET_MISMATCH';
  elsif paid.refund <> 'NONE' then
    return 'ORDER_TAKES_NOTHING REFUND';
  end if;
  update public.chain_transfers c
  set claimed_organization_id = organization, claimed_for_id = paying, judged_at = null
  where c.id = t.id;
  insert into public.payment_credits (organization_id, payment_order_id, blockchain_transaction_id, units, reversed_at)
  values (organization, paying, held.blockchain_transaction_id, t.units, clock_timestamp())
  on conflict (organization_id, blockchain_transaction_id) do update
  set payment_order_id = excluded.payment_order_id, units = excluded.units, reversed_at = excluded.reversed_at;
  update public.unmatched_payments u
  set status = 'ASSIGNED', payment_order_id = paying, resolved_at = clock_timestamp(),
      resolved_by_id = coalesce(public.current_user_id(), public.current_responsible_id())
  where u.organization_id = organization and u.id = payment;
  return null;
end
$$;

-- Calls off a refund of the scene's organization of which nothing was seen yet, or only in a history that the chain has no
-- more; answers why not. What a transfer is of is held first, then the order, then the refund, as whoever settles it does.
create or replace function cancel_refund(refund uuid) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  r public.payment_refunds;
  t public.chain_transfers;
begin
  perform public.require_payments_write();
  select * into r from public.payment_refunds p where p.organization_id = organization and p.id = refund;
  perform from public.chain_transfers c where c.claimed_for_id = r.id and c.claimed_as = 'REFUND' for update;
  if r.unmatched_payment_id is not null then
    t := public.hold_unmatched_payment(r.unmatched_payment_id);
  elsif r.payment_order_id is not null then
    perform from public.payment_orders o where o.organization_id = organization and o.id = r.payment_order_id for update;
  end if;
  select * into r from public.payment_refunds p where p.organization_id = organization and p.id = refund for update;
  if not found then
    return 'REFUND_NOT_FOUND';
  elsif r.status not in ('REQUESTED', 'PENDING') and not (
    r.status = 'SENT'
    and exists (select from public.chain_incarnations i where i.id = r.incarnation_id and not i.current)
  ) then
    return 'REFUND_CLOSED';
  end if;
  update public.payment_refunds p
  set status = 'CANCELED', blockchain_transaction_id = null
  where p.organization_id = organization and p.id = refund;
  if r.status = 'SENT' then
    update public.chain_transfers c
    set claimed_organization_id = null, claimed_for_id = null, claimed_as = 'ORDER', judged_at = clock_timestamp()
    where c.claimed_for_id = refund and c.claimed_as = 'REFUND';
  end if;
  if t.id is not null then
    update public.chain_transfers c
    set claimed_organization_id = null, claimed_for_id = null, claimed_as = 'ORDER', judged_at = null
    where c.id = t.id;
    update public.unmatched_payments u
    set status = 'OPEN', resolved_at = null, resolved_by_id = null
    where u.organization_id = organization and u.id = r.unmatched_payment_id and u.status = 'REFUNDED';
  end if;
  return null;
end
$$;

-- Calls off what is asked for of an order of the scene's organization, or of an entry of its inbox, and is not there: the
-- latest first, until the rest is no more than what is credited; and what the terms gave back, where they give back
-- nothing any more, or more than was asked for before anybody has said where it goes. What was sent stays as it is.
-- Whoever asks holds the order.
create or replace function withdraw_refunds(refunded uuid) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  o public.payment_orders;
  t public.chain_transfers;
  r record;
  reserved numeric;
  owed numeric;
begin
  select * into t from public.chain_transfers c
  where c.claimed_for_id = refunded and c.claimed_as = 'INBOX' and c.judged_at is not null
  for update;
  if found then
    perform public.withdraw_unmatched_refund(organization, refunded, t);
    return;
  end if;
  select * into o from public.payment_orders p where p.organization_id = organization and p.id = refunded for update;
  select coalesce(sum(p.units), 0) into reserved from public.payment_refunds p
  where p.organization_id = organization and p.payment_order_id = refunded and p.status <> 'CANCELED';
  for r in
    select p.id, p.units, p.cause, p.status
    from public.payment_refunds p
    where p.organization_id = organization and p.payment_order_id = refunded and p.status in ('REQUESTED', 'PENDING')
    order by p.created_at desc, p.id desc
    for update
  loop
    owed := case
      when r.cause = 'SURPLUS' then greatest(o.credited_units - o.due_units, 0)
      when r.cause = 'PART' and o.status = 'EXPIRED' then o.credited_units
      when r.cause = 'PART' then 0
    end;
    if reserved > o.credited_units
      or r.units > owed
      or r.status = 'REQUESTED' and r.units < owed and reserved < o.credited_units
    then
      update public.payment_refunds p set status = 'CANCELED', withdrawn = true
      where p.organization_id = organization and p.id = r.id;
      reserved := reserved - r.units;
    end if;
  end loop;
end
$$;

-- What the terms of an order give back: as much of it as is still there, and once for each cause, unless the chain has
-- withdrawn it. True when it was asked
create function request_owed_refund(refunded uuid, asked numeric, why payment_refund_cause) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
begin
  perform from public.payment_orders p where p.organization_id = organization and p.id = refunded for update;
  if why = 'MEMBER' or exists (
    select from public.payment_refunds r
    where r.organization_id = organization and r.payment_order_id = refunded and r.cause = why and not r.withdrawn
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
revoke execute on function request_owed_refund(uuid, numeric, payment_refund_cause) from public;
grant execute on function request_owed_refund(uuid, numeric, payment_refund_cause) to tollhouse_worker;
drop function request_owed_refund(uuid, payment_refund_cause), finish_call_off(uuid);
reset role;
revoke create on schema public from tollhouse_doorkeeper;
drop function
  credited_on_chain(uuid, uuid), close_refund(payment_refunds, chain_transfers), hold_refund(uuid),
  is_refund_seen(payment_refunds), unread_reason(uuid);

revoke select (caught_up_at, halt_reason) on chain_incarnations from tollhouse_doorkeeper;
revoke update (called_off_at) on payment_refunds from tollhouse_doorkeeper, tollhouse_worker;
alter table payment_refunds drop column called_off_at;
alter table chain_transfers drop constraint chain_transfers_sent_units_check;
alter table chain_transfers drop column sent_units;
