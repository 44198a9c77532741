-- Nothing is decided over the head of a transfer that was not judged yet: no claim, no calling off. A refund that was
-- called off is so once the chain was read past that moment. What a fee is taken of is known by what was sent. No more is
-- owed back on the chain than came on it.

-- transfers ------------------------------------------------------------------------------------------------------------

-- what its log says was sent, where less than that arrived; null where as much did
alter table chain_transfers add column sent_units numeric(78, 0);
alter table chain_transfers add constraint chain_transfers_sent_units_check check (sent_units > units);

-- Why nobody can say what has come on the chain until now: its watcher was halted, or it has not been read to a head that
-- moves for longer than MAX_SECONDS_BEHIND of src/chain/model.ts; null when somebody can.
create function unread_reason(incarnation uuid) returns text
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  select case
    when i.halt_reason is not null then 'CHAIN_HALTED'
    when i.caught_up_at is null or i.caught_up_at < clock_timestamp() - interval '60 seconds' then 'CHAIN_BEHIND'
  end
  from public.chain_incarnations i
  where i.id = incarnation
$$;

-- refunds ------------------------------------------------------------------------------------------------------------

-- when somebody has called it off whose destination was known; it is so once every block up to a later head was read
alter table payment_refunds add column called_off_at timestamptz(3);

-- Whether a transfer is there that the refund waits for. One that was recorded before its destination was known is
-- another payout, wherever the chain puts it later.
create function is_refund_seen(r public.payment_refunds) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.chain_transfers t
    where t.incarnation_id = r.incarnation_id
      and t.sender = r.pay_from
      and t.recipient = r.destination
      and t.asset_id = r.asset_id
      and coalesce(t.sent_units, t.units) = r.units
      and t.claimed_for_id is null
      and not t.orphaned
      and t.created_at >= r.addressed_at
  )
$$;

-- Holds a refund of the scene's organization, and what it is of: the transfer first, then the order, then the refund, as
-- whoever settles it does. Both are null of one that there is not.
create function hold_refund(refund uuid, out r public.payment_refunds, out t public.chain_transfers)
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
begin
  select * into r from public.payment_refunds p where p.organization_id = organization and p.id = refund;
  perform from public.chain_transfers c where c.claimed_for_id = r.id and c.claimed_as = 'REFUND' for update;
  if r.unmatched_payment_id is not null then
    t := public.hold_unmatched_payment(r.unmatched_payment_id);
  elsif r.payment_order_id is not null then
    perform from public.payment_orders o where o.organization_id = organization and o.id = r.payment_order_id for update;
  end if;
  select * into r from public.payment_refunds p where p.organization_id = organization and p.id = refund for update;
end
$$;

-- calls off a refund that is held, and gives free what it reserved
create function close_refund(r public.payment_refunds, t public.chain_transfers) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
  update public.payment_refunds p
  set status = 'CANCELED', blockchain_transaction_id = null
  where p.organization_id = r.organization_id and p.id = r.id;
  if r.status = 'SENT' then
    update public.chain_transfers c
    set claimed_organization_id = null, claimed_for_id = null, claimed_as = 'ORDER', judged_at = clock_timestamp()
    where c.claimed_for_id = r.id and c.claimed_as = 'REFUND';
  end if;
  if t.id is not null then
    update public.chain_transfers c
    set claimed_organization_id = null, claimed_for_id = null, claimed_as = 'ORDER', judged_at = null
    where c.id = t.id;
    update public.unmatched_payments u
    set status = 'OPEN', resolved_at = null, resolved_by_id = null
    where u.organization_id = r.organization_id and u.id = r.unmatched_payment_id and u.status = 'REFUNDED';
  end if;
end
$$;

-- Calls off a refund of the scene's organization that was called off before, if by now every block up to a later head was
-- read and none has brought it. True when it was.
create function finish_call_off(refund uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  held record;
  r public.payment_refunds;
begin
  select * into held from public.hold_refund(refund);
  r := held.r;
  if r.status is distinct from 'PENDING' or public.is_refund_seen(r) or not exists (
    select from public.chain_incarnations i
    where i.id = r.incarnation_id and i.current and i.halt_reason is null and i.caught_up_at > r.called_off_at
  ) then
    return false;
  end if;
  perform public.close_refund(r, held.t);
  return true;
end
$$;

-- how much of what is credited to an order came on the chain: what somebody's word stands for is not owed there
create function credited_on_chain(organization uuid, credited uuid) returns numeric
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(c.units), 0)
  from public.payment_credits c
  where c.organization_id = organization and c.payment_order_id = credited and c.reversed_at is null
$$;

revoke execute on function
  unread_reason(uuid), is_refund_seen(payment_refunds), hold_refund(uuid), close_refund(payment_refunds, chain_transfers),
  finish_call_off(uuid), credited_on_chain(uuid, uuid)
  from public;

-- the law ------------------------------------------------------------------------------------------------------------

grant execute on function finish_call_off(uuid) to tollhouse_worker;
grant execute on function
  unread_reason(uuid), is_refund_seen(payment_refunds), hold_refund(uuid), close_refund(payment_refunds, chain_transfers),
  credited_on_chain(uuid, uuid)
to tollhouse_doorkeeper;

-- payment_refunds: a transfer that is there after all takes the calling off back
grant update (called_off_at) on payment_refunds to tollhouse_doorkeeper, tollhouse_worker;
grant select (caught_up_at, halt_reason) on chain_incarnations to tollhouse_doorkeeper;

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function finish_call_off(uuid) owner to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
-- The transfers of a transaction that an order of that payee and asset could be paid by, and what there is against each:
-- it was not judged yet, is credited already or awaited as a refund, names another open order, is no newer than the order,
-- or behind all time that the order had. Who may write payments decides about what is late.
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
      when t.judged_at is null then 'UNJUDGED'
      when exists (
        select from public.payment_orders other
        where other.pay_to = t.recipient
          and other.asset_id = t.asset_id
          and other.incarnation_id = t.incarnation_id
          and other.status in ('CREATED', 'DETECTED', 'CONFIRMING')
          and other.id <> o.id
          and position(other.reference in t.input) > 0
      )
      or exists (
        select from public.payment_refunds r
        where r.destination = t.recipient
          and r.pay_from = t.sender
          and r.status = 'PENDING'
          and r.incarnation_id = t.incarnation_id
          and r.asset_id = t.asset_id
          and r.units = coalesce(t.sent_units, t.units)
          and r.addressed_at <= t.created_at
      ) then 'TAKEN'
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

-- Calls off an order that nothing has arrived for. Answers 'DONE', or what the order is that cannot be called off, or
-- 'UNDECIDED' and why nobody knows yet, and nothing when there is none.
create or replace function cancel_payment_order(payment_order uuid, told jsonb) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  actor text := public.actor_on_order(payment_order);
  held public.payment_orders;
  unread text;
begin
  select * into held
  from public.payment_orders o
  where o.organization_id = public.current_organization_id() and o.id = payment_order
  for update;
  if not found then
    return null;
  elsif held.status <> 'CREATED' or held.credited_units > 0 then
    return held.status;
  elsif exists (select from public.chain_transfers t where t.claimed_for_id = payment_order and not t.orphaned) then
    return 'DETECTED';
  -- as readOrder of assessOrder asks it before an order expires
  elsif exists (
    select from public.chain_transfers t
    where t.incarnation_id = held.incarnation_id
      and t.judged_at is null
      and t.claimed_for_id is null
      and not t.orphaned
      and t.asset_id = held.asset_id
      and t.recipient = held.pay_to
      and case held.matching when 'WALLET' then t.sender = held.payer else t.units = held.due_units end
  ) then
    return 'UNDECIDED TRANSFER_SEEN';
  end if;
  unread := public.unread_reason(held.incarnation_id);
  if unread is not null then
    return 'UNDECIDED ' || unread;
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
  -- one that was called off takes what came for it all the same
  elsif paid.status in ('FINAL', 'FAILED') then
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
  on_chain numeric;
begin
  select * into t from public.chain_transfers c
  where c.claimed_for_id = refunded and c.claimed_as = 'INBOX' and c.judged_at is not null
  for update;
  if found then
    perform public.withdraw_unmatched_refund(organization, refunded, t);
    return;
  end if;
  select * into o from public.payment_orders p where p.organization_id = organization and p.id = refunded for update;
  on_chain := public.credited_on_chain(organization, refunded);
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
      when r.cause = 'SURPLUS' then least(greatest(o.credited_units - o.due_units, 0), on_chain)
      when r.cause = 'PART' and o.status = 'EXPIRED' then least(o.credited_units, on_chain)
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

-- What the terms of an order give back of what came on the chain: as much of it as is still there, and once for each
-- cause, unless the chain has withdrawn it. True when it was asked
create function request_owed_refund(refunded uuid, why payment_refund_cause) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  o public.payment_orders;
  owed numeric;
begin
  select * into o from public.payment_orders p where p.organization_id = organization and p.id = refunded for update;
  owed := least(
    case
      when why = 'SURPLUS' and o.over_policy = 'REFUND' and o.status in ('PAID', 'FINAL') then o.credited_units - o.due_units
      when why = 'PART' and o.under_policy = 'REFUND' and o.status = 'EXPIRED' then o.credited_units
      else 0
    end,
    public.credited_on_chain(organization, refunded)
  );
  if owed <= 0 or exists (
    select from public.payment_refunds r
    where r.organization_id = organization and r.payment_order_id = refunded and r.cause = why and not r.withdrawn
  )
  -- what was given to it a moment ago may make enough of a part: it is judged first
  or exists (
    select from public.chain_transfers t where t.claimed_for_id = refunded and t.judged_at is null
  ) then
    return false;
  end if;
  return public.reserve_refund(public.uuid_v7(), organization, refunded, owed, why, null) is null;
end
$$;
drop function request_owed_refund(uuid, numeric, payment_refund_cause);
revoke execute on function request_owed_refund(uuid, payment_refund_cause) from public;
grant execute on function request_owed_refund(uuid, payment_refund_cause) to tollhouse_worker;
reset role;
revoke create on schema public from tollhouse_doorkeeper;
