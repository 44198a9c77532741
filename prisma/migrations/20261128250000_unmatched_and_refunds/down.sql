alter policy events_doorkeeper_insert on events
  with check (
    type in (
      'user.merged', 'user.deleted', 'organization.created', 'organization.deleted', 'organization.undeleted',
      'organization.purged', 'membership.added', 'membership.left', 'invitation.accepted', 'payment-order.canceled',
      'payment-order.claimed', 'payment-order.underpayment-accepted'
    )
  );

drop policy watched_accounts_doorkeeper_insert on watched_accounts;
revoke insert on watched_accounts from tollhouse_doorkeeper;
revoke update (claimed_as) on chain_transfers from tollhouse_doorkeeper;
drop policy chain_incarnations_doorkeeper_select on chain_incarnations;
revoke select (id, chain_id, head_number, current) on chain_incarnations from tollhouse_doorkeeper;
drop policy chains_doorkeeper_select on chains;
revoke select (chain_id, finality, confirmations) on chains from tollhouse_doorkeeper;
revoke select (address) on assets from tollhouse_doorkeeper;
drop policy payment_credits_doorkeeper_update on payment_credits;
drop policy payment_credits_doorkeeper_insert on payment_credits;
drop policy payment_credits_doorkeeper_select on payment_credits;
revoke update (payment_order_id, units, reversed_at) on payment_credits from tollhouse_doorkeeper;
revoke select, insert on payment_credits from tollhouse_doorkeeper;
drop policy blockchain_transactions_doorkeeper_update on blockchain_transactions;
drop policy blockchain_transactions_doorkeeper_insert on blockchain_transactions;
drop policy blockchain_transactions_doorkeeper_select on blockchain_transactions;
revoke update (status, asset_id, sender, recipient, units, block_number, block_hash, block_time)
  on blockchain_transactions from tollhouse_doorkeeper;
revoke select, insert on blockchain_transactions from tollhouse_doorkeeper;
revoke update (refund) on payment_orders from tollhouse_doorkeeper;

drop trigger provider_transactions_tell on provider_transactions;
drop trigger provider_transactions_tell_new on provider_transactions;
drop trigger payment_refunds_record_onchain on payment_refunds;
drop trigger payment_credits_record_onchain on payment_credits;
drop trigger payment_orders_keep_refund on payment_orders;
drop trigger payment_refunds_keep_order on payment_refunds;
drop trigger payment_refunds_tell on payment_refunds;
drop trigger payment_refunds_tell_new on payment_refunds;
drop trigger unmatched_payments_tell on unmatched_payments;
drop trigger unmatched_payments_tell_new on unmatched_payments;
drop trigger chain_transfers_receive on chain_transfers;
set local role tollhouse_doorkeeper;
drop function
  tell_of_provider_transaction(), record_manual_payment(uuid, uuid, numeric, text, text), record_onchain_refund(),
  record_onchain_payment(), keep_order_refund(), tell_of_refund(), cancel_refund(uuid), confirm_refund_destination(uuid, text, text),
  set_refund_destination(uuid, text, text), request_late_refunds(uuid, integer),
  refund_unmatched_payment(uuid, uuid, text),
  request_owed_refund(uuid, numeric, payment_refund_cause), request_refund(uuid, uuid, numeric, text),
  ignore_unmatched_payment(uuid, text), assign_unmatched_payment(uuid, uuid), tell_of_unmatched_payment(),
  receive_transfer();
reset role;
create or replace function has_open_money(organization uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.payment_orders p
    where p.organization_id = organization
      and (
        p.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'PAID')
        -- what came in and never sufficed, or came back after all
        or p.status in ('EXPIRED', 'CANCELED', 'FAILED') and p.credited_units > 0
      )
  )
$$;
drop function
  refund_state_of(uuid, uuid, numeric), keep_for_refund(uuid, unmatched_payments, chain_transfers, payment_refund_cause, text),
  address_refund(payment_refunds, text, payment_refund_destination_source, text),
  reserve_refund(uuid, uuid, uuid, numeric, payment_refund_cause, text), hold_refundable(uuid, payment_orders),
  require_payments_write(), payee_refusal(chain_transfers), unmatched_refusal(unmatched_payments, chain_transfers), hold_unmatched_payment(uuid),
  tell_of_payment(uuid, text, uuid, text, text[], jsonb), write_sighting(uuid, chain_transfers),
  is_payee_of(uuid, text, uuid),
  unmatched_reason(uuid, chain_transfers);

drop index blockchain_transactions_hash_idx;
drop index payment_link_accepts_pay_to_idx;
drop index payment_orders_owing_idx;
drop index payment_orders_waiting_idx;
drop index payment_orders_pay_to_idx;
drop index chain_transfers_sender_idx;
-- nobody else knows what these were claimed for
alter table chain_transfers no force row level security;
update chain_transfers set claimed_organization_id = null, claimed_for_id = null where claimed_as <> 'ORDER';
alter table chain_transfers force row level security;
alter table chain_transfers drop column claimed_as;
drop type chain_claim;
drop table provider_transactions;
drop table payment_refunds;
drop table unmatched_payments;
drop type provider_transaction_status;
drop type provider_transaction_kind;
drop type payment_refund_destination_source;
drop type payment_refund_cause;
drop type payment_refund_status;
drop type unmatched_payment_status;
drop type unmatched_payment_reason;
