drop trigger payment_refunds_tell_call_off on payment_refunds;

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
      'payment-refund.canceled', 'provider-transaction.claimed', 'provider-transaction.confirmed',
      'provider-transaction.reversed', 'provider-transaction.voided'
    )
  );

grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;

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
      'cause', new.cause, 'destination', new.destination, 'withdrawn', new.withdrawn,
      'paymentOrderId', new.payment_order_id, 'unmatchedPaymentId', new.unmatched_payment_id
    )
  );
  return null;
end
$$;

-- Takes back what a member has recorded for an order of the scene's organization that is not final; answers why not. From
-- then on it counts no more for whoever assesses the order under its lock; the worker does so next, and says what is left.
create or replace function void_manual_payment(recorded uuid, words text) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  paying uuid;
  standing public.payment_order_status;
  held record;
begin
  perform public.require_payments_write();
  select p.payment_order_id into paying from public.provider_transactions p
  where p.organization_id = organization and p.id = recorded and p.provider = 'manual' and p.kind = 'PAYMENT';
  if not found then
    return 'MANUAL_PAYMENT_NOT_FOUND';
  end if;
  select o.status into standing from public.payment_orders o
  where o.organization_id = organization and o.id = paying
  for update;
  select p.status, p.voided_at into held from public.provider_transactions p
  where p.organization_id = organization and p.id = recorded
  for update;
  if held.voided_at is not null or held.status = 'REVERSED' then
    return 'MANUAL_PAYMENT_CLOSED REVERSED';
  elsif standing in ('FINAL', 'CANCELED', 'FAILED') and held.status = 'CONFIRMED' then
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
