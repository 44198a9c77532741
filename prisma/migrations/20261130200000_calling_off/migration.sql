-- What was not told of a refund, and what could not be taken back: that somebody has called a refund off whose destination
-- was known is a fact of its own, told when it is asked for; and a member's word is taken back also from an order that is
-- final by it.

-- told by whoever calls it off; that it is off is told when that is so
set local role tollhouse_doorkeeper;
grant execute on function tell_of_refund() to session_user;
reset role;
create trigger payment_refunds_tell_call_off after update of called_off_at on payment_refunds
  for each row
  when (old.called_off_at is null and new.called_off_at is not null and old.status = new.status)
  execute function tell_of_refund('call-off-requested');
set local role tollhouse_doorkeeper;
revoke execute on function tell_of_refund() from session_user;
reset role;

-- A worker of the release before has made of a word that was taken back what it is, and left its order final: whoever settles
-- these comes to that order once more. They are few, since no other leaves one so.
create index payment_orders_hollow_idx on payment_orders (incarnation_id, id)
  where status = 'FINAL'
    and (
      credited_units < due_units - tolerance_units and (credited_units = 0 or not 'UNDERPAID' = any (exceptions))
      or credited_units <= due_units and 'OVERPAID' = any (exceptions)
    );

-- whether an order could still be credited or taken back, or holds money that never sufficed; whether a refund is not
-- done, money waits in the inbox, or what was taken back counts still
create or replace function has_open_money(organization uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.payment_orders p
    where p.organization_id = organization
      and (
        p.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'PAID')
        -- what came in and never sufficed, or came back after all, unless it was given back
        or p.status in ('EXPIRED', 'CANCELED', 'FAILED') and p.credited_units > 0 and p.refund <> 'FULL'
      )
  )
  or exists (
    select from public.payment_refunds r
    where r.organization_id = organization and r.status in ('REQUESTED', 'PENDING', 'SENT')
  )
  or exists (
    select from public.unmatched_payments u where u.organization_id = organization and u.status = 'OPEN'
  )
  or exists (
    select from public.provider_transactions p
    where p.organization_id = organization
      and p.provider = 'manual'
      and p.voided_at is not null
      and p.status = 'CONFIRMED'
  )
$$;

-- What may be refunded of an order, which whoever asks holds: what was taken back counts no more, although the worker has not
-- come to it, as it does not while nobody reads the chain.
create or replace function hold_refundable(organization uuid, refunded public.payment_orders) returns numeric
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  select refunded.credited_units
    - (
      select coalesce(sum(r.units), 0)
      from public.payment_refunds r
      where r.organization_id = organization and r.payment_order_id = refunded.id and r.status <> 'CANCELED'
    )
    - (
      select coalesce(sum(p.units), 0)
      from public.provider_transactions p
      where p.organization_id = organization
        and p.payment_order_id = refunded.id
        and p.kind = 'PAYMENT'
        and p.status = 'CONFIRMED'
        and p.voided_at is not null
    )
$$;

-- the law ------------------------------------------------------------------------------------------------------------

-- events: what the functions tell
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
      'payment-refund.call-off-requested', 'payment-refund.canceled', 'provider-transaction.claimed',
      'provider-transaction.confirmed', 'provider-transaction.reversed', 'provider-transaction.voided'
    )
  );

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;

create or replace function tell_of_refund() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform public.tell_of_payment(
    new.organization_id, 'payment-refund', new.id,
    case
      when tg_argv[0] is not null then tg_argv[0]
      when tg_op = 'INSERT' then 'requested'
      when old.status in ('SENT', 'COMPLETED') and new.status = 'PENDING' then 'reversed'
      when new.status = 'PENDING' then 'addressed'
      else lower(new.status::text)
    end,
    array['payment-order:' || new.payment_order_id, 'unmatched-payment:' || new.unmatched_payment_id],
    jsonb_build_object(
      'from', case when tg_op = 'UPDATE' then old.status end, 'to', new.status, 'units', new.units::text,
      'cause', new.cause, 'destination', new.destination, 'withdrawn', new.withdrawn,
      'paymentOrderId', new.payment_order_id, 'unmatchedPaymentId', new.unmatched_payment_id
    )
  );
  return null;
end
$$;

-- Takes back what a member has recorded for an order of the scene's organization; answers why not. From then on it counts no
-- more for whoever assesses the order under its lock; the worker does so next, and says what is left, also of an order that
-- was final: what stood on a word the chain has never called final. What is final in a history that the chain has no more
-- stays, since nothing could bring it on.
create or replace function void_manual_payment(recorded uuid, words text) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  paying uuid;
  standing public.payment_order_status;
  is_current boolean;
  held record;
begin
  perform public.require_payments_write();
  select p.payment_order_id into paying from public.provider_transactions p
  where p.organization_id = organization and p.id = recorded and p.provider = 'manual' and p.kind = 'PAYMENT';
  if not found then
    return 'MANUAL_PAYMENT_NOT_FOUND';
  end if;
  select o.status, i.current into standing, is_current
  from public.payment_orders o
  join public.chain_incarnations i on i.id = o.incarnation_id
  where o.organization_id = organization and o.id = paying
  for update of o;
  select p.status, p.voided_at into held from public.provider_transactions p
  where p.organization_id = organization and p.id = recorded
  for update;
  if held.voided_at is not null or held.status = 'REVERSED' then
    return 'MANUAL_PAYMENT_CLOSED REVERSED';
  elsif held.status = 'CONFIRMED' and (standing in ('CANCELED', 'FAILED') or standing = 'FINAL' and not is_current) then
    return 'MANUAL_PAYMENT_CLOSED ' || standing;
  end if;
  update public.provider_transactions p
  set void_reason = words,
      voided_by_id = coalesce(public.current_user_id(), public.current_responsible_id()),
      voided_at = clock_timestamp(),
      -- one that does not count yet never will
      status = case p.status when 'CLAIMED' then 'REVERSED' else p.status end
  where p.organization_id = organization and p.id = recorded;
  return null;
end
$$;
reset role;
revoke create on schema public from tollhouse_doorkeeper;
