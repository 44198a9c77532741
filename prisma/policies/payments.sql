-- Questions that a policy cannot answer, each through one narrow door.
grant execute on function count_open_orders(uuid, bytea) to tollhouse_public;
grant execute on function most_open_orders(uuid, integer) to tollhouse_public;
grant execute on function distinct_amount(uuid, text, numeric), checkout_facts() to tollhouse_public;
grant execute on function is_proved_payee(text, bigint) to tollhouse_member;
-- and what it is made of, and what is said of links by
grant execute on function
  stands_for(uuid, text, bigint), is_unproved(uuid, uuid), recheck_payees(uuid, text[])
to tollhouse_doorkeeper;

-- and whether somebody watches their chains, and what waits where nobody does
grant execute on function is_unwatched(bigint), is_link_unwatched(uuid, uuid) to tollhouse_doorkeeper;
grant execute on function recheck_watched(integer), waiting_on_chain(bigint) to tollhouse_worker;

-- What links are limited by, what their orders copy and how a link ends.
grant execute on function hold_uses(uuid) to tollhouse_member, tollhouse_doorkeeper;
grant execute on function hold_payment_link(uuid) to tollhouse_member;
grant execute on function
  share_uses(uuid), is_limited(uuid, uuid), is_exhausted(uuid, uuid), recount_uses(uuid, uuid),
  check_prices(uuid, uuid), sum_of_line_items(jsonb, uuid), require_step_up(integer)
to tollhouse_doorkeeper;
grant execute on function is_price(numeric, numeric, numeric, numeric) to tollhouse_public;
grant execute on function
  refuse_contract_payees(text[], bigint[]), delete_payment_link(uuid), next_link_version(uuid)
to tollhouse_member;

-- payment_links: read by who may read them, written by who may write payments; a payer sees the one whose slug it came with
alter table payment_links enable row level security;
alter table payment_links force row level security;
grant select on payment_links to tollhouse_member;
grant insert (organization_id, id, slug, title, description, status, order_lifetime_minutes, pricing, line_items,
  starts_at, expires_at, max_uses, max_per_wallet, tolerance_basis_points, under_policy, over_policy, late_policy,
  late_window_minutes, finality, finality_confirmations, custom_fields, allowed_payers, success_url, cancel_url,
  inactive_message, metadata, created_by_id) on payment_links to tollhouse_member;
grant update (title, description, status, order_lifetime_minutes, pricing, line_items, starts_at, expires_at, max_uses,
  max_per_wallet, tolerance_basis_points, under_policy, over_policy, late_policy, late_window_minutes, finality,
  finality_confirmations, custom_fields, allowed_payers, success_url, cancel_url, inactive_message, metadata)
  on payment_links to tollhouse_member;
grant select (organization_id, id, slug, title, description, status, order_lifetime_minutes, pricing, line_items,
  starts_at, expires_at, custom_fields, success_url, cancel_url, inactive_message, exhausted, unproved, unwatched,
  deleted_at)
  on payment_links to tollhouse_public;
grant select on payment_links to tollhouse_operator, tollhouse_doorkeeper;
create policy payment_links_member_select on payment_links for select to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and deleted_at is null
    and (select has_permission('payment-links:read'))
  );
create policy payment_links_member_insert on payment_links for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and created_by_id = coalesce((select current_user_id()), (select current_responsible_id()))
    and (select has_permission('payments:write'))
  );
create policy payment_links_member_update on payment_links for update to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and deleted_at is null
    and (select has_permission('payments:write'))
  )
  with check (organization_id = (select current_organization_id()));
create policy payment_links_public_select on payment_links for select to tollhouse_public
  using (
    organization_id = (select current_organization_id())
    and id = (select current_target_id())
    and deleted_at is null
  );
create policy payment_links_operator_select on payment_links for select to tollhouse_operator using (true);
create policy payment_links_doorkeeper_select on payment_links for select to tollhouse_doorkeeper using (true);
grant update (created_by_id, updated_at, uses, exhausted, unproved, unwatched, deleted_at)
  on payment_links to tollhouse_doorkeeper;
create policy payment_links_doorkeeper_update on payment_links for update to tollhouse_doorkeeper
  using (true) with check (true);

-- payment_link_accepts: as the link they belong to
alter table payment_link_accepts enable row level security;
alter table payment_link_accepts force row level security;
grant select on payment_link_accepts to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper;
grant insert (organization_id, id, payment_link_id, position, asset_id, units, min_units, max_units, max_total_units,
  pay_to), delete on payment_link_accepts to tollhouse_member;
grant select (organization_id, id, payment_link_id, position, asset_id, units, min_units, max_units, exhausted, unproved,
  unwatched, pay_to) on payment_link_accepts to tollhouse_public;
grant update (total_units, exhausted, unproved, unwatched) on payment_link_accepts to tollhouse_doorkeeper;
create policy payment_link_accepts_member_select on payment_link_accepts for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('payment-links:read')));
create policy payment_link_accepts_member_insert on payment_link_accepts for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('payments:write'))
    and is_proved_payee(pay_to, (select chain_id from assets where assets.id = asset_id))
  );
create policy payment_link_accepts_member_delete on payment_link_accepts for delete to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('payments:write')));
create policy payment_link_accepts_public_select on payment_link_accepts for select to tollhouse_public
  using (
    organization_id = (select current_organization_id()) and payment_link_id = (select current_target_id())
  );
create policy payment_link_accepts_operator_select on payment_link_accepts for select to tollhouse_operator
  using (true);
create policy payment_link_accepts_doorkeeper_select on payment_link_accepts for select to tollhouse_doorkeeper
  using (true);
create policy payment_link_accepts_doorkeeper_update on payment_link_accepts for update to tollhouse_doorkeeper
  using (true) with check (true);

-- What is done to an order by its payer, by its token, or by whoever may write payments; the first two are what the
-- functions are made of.
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

-- payment_orders: a payer makes one for the link it came with, at one of its prices, and sees the one whose token it
-- holds; all other terms are written by a trigger, from the link and from the chain's rules, and no payer may write them;
-- the worker looks for the order that a transfer pays in every tenant, and changes it only inside its own
alter table payment_orders enable row level security;
alter table payment_orders force row level security;
grant select on payment_orders to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper, tollhouse_worker;
grant select (organization_id, id, incarnation_id, asset_id, status, due_units, pay_to, payer, reference, field_values,
  line_items, expires_at) on payment_orders to tollhouse_public;
grant insert (organization_id, id, payment_link_id, incarnation_id, asset_id, matching, due_units, pay_to, payer,
  reference, head_number, client_hash, field_values) on payment_orders to tollhouse_public;
grant update (status, exceptions, credited_units, head_number, paid_at) on payment_orders to tollhouse_worker;
create policy payment_orders_member_select on payment_orders for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('payments:read')));
create policy payment_orders_public_select on payment_orders for select to tollhouse_public
  using (organization_id = (select current_organization_id()) and id = (select current_target_id()));
create policy payment_orders_public_insert on payment_orders for insert to tollhouse_public
  with check (
    organization_id = (select current_organization_id())
    and payment_link_id = (select current_target_id())
    and status = 'CREATED'
    and credited_units = 0
    and exists (
      select from payment_link_accepts a
      where a.organization_id = payment_orders.organization_id
        and a.payment_link_id = payment_orders.payment_link_id
        and a.asset_id = payment_orders.asset_id
        and is_price(a.units, a.min_units, a.max_units, payment_orders.due_units - payment_orders.surcharge_units)
        and a.pay_to = payment_orders.pay_to
    )
  );
create policy payment_orders_worker_select on payment_orders for select to tollhouse_worker using (true);
create policy payment_orders_worker_update on payment_orders for update to tollhouse_worker
  using (organization_id = (select current_organization_id()))
  with check (organization_id = (select current_organization_id()));
create policy payment_orders_operator_select on payment_orders for select to tollhouse_operator using (true);
create policy payment_orders_doorkeeper_select on payment_orders for select to tollhouse_doorkeeper using (true);
-- a payer chooses how it is known, and sees what has come; called off and settled by functions, inside the organization
grant insert (surcharge_units) on payment_orders to tollhouse_public;
grant select (matching, surcharge_units, credited_units, exceptions) on payment_orders to tollhouse_public;
grant select (late_until, finality, required_confirmations) on payment_orders to tollhouse_public;
grant update (status, under_policy) on payment_orders to tollhouse_doorkeeper;
create policy payment_orders_doorkeeper_update on payment_orders for update to tollhouse_doorkeeper
  using (organization_id = (select current_organization_id()))
  with check (organization_id = (select current_organization_id()));

-- blockchain_transactions: written by the worker inside the tenant; a payer sees those of its own order
alter table blockchain_transactions enable row level security;
alter table blockchain_transactions force row level security;
grant select on blockchain_transactions to tollhouse_member, tollhouse_operator;
grant select (organization_id, id, incarnation_id, asset_id, hash, ordinal, sender, recipient, units, status,
  block_number, block_time) on blockchain_transactions to tollhouse_public;
grant select, insert on blockchain_transactions to tollhouse_worker;
grant update (status, asset_id, sender, recipient, units, block_number, block_hash, block_time)
  on blockchain_transactions to tollhouse_worker;
create policy blockchain_transactions_member_select on blockchain_transactions for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('payments:read')));
create policy blockchain_transactions_public_select on blockchain_transactions for select to tollhouse_public
  using (
    organization_id = (select current_organization_id())
    and exists (
      select from payment_credits c
      where c.organization_id = blockchain_transactions.organization_id
        and c.blockchain_transaction_id = blockchain_transactions.id
        and c.payment_order_id = (select current_target_id())
    )
  );
create policy blockchain_transactions_worker_select on blockchain_transactions for select to tollhouse_worker
  using (organization_id = (select current_organization_id()));
create policy blockchain_transactions_worker_insert on blockchain_transactions for insert to tollhouse_worker
  with check (organization_id = (select current_organization_id()));
create policy blockchain_transactions_worker_update on blockchain_transactions for update to tollhouse_worker
  using (organization_id = (select current_organization_id()))
  with check (organization_id = (select current_organization_id()));
create policy blockchain_transactions_operator_select on blockchain_transactions for select to tollhouse_operator
  using (true);

-- payment_credits: as the transfers they stand for
alter table payment_credits enable row level security;
alter table payment_credits force row level security;
grant select on payment_credits to tollhouse_public, tollhouse_member, tollhouse_operator, tollhouse_worker;
grant insert on payment_credits to tollhouse_worker;
grant update (payment_order_id, units, reversed_at) on payment_credits to tollhouse_worker;
create policy payment_credits_member_select on payment_credits for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('payments:read')));
create policy payment_credits_public_select on payment_credits for select to tollhouse_public
  using (organization_id = (select current_organization_id()) and payment_order_id = (select current_target_id()));
create policy payment_credits_worker_select on payment_credits for select to tollhouse_worker
  using (organization_id = (select current_organization_id()));
create policy payment_credits_worker_insert on payment_credits for insert to tollhouse_worker
  with check (organization_id = (select current_organization_id()));
create policy payment_credits_worker_update on payment_credits for update to tollhouse_worker
  using (organization_id = (select current_organization_id()))
  with check (organization_id = (select current_organization_id()));
create policy payment_credits_operator_select on payment_credits for select to tollhouse_operator using (true);

-- orders, transfers and credits: as the functions of the inbox and of refunds write them
grant update (refund) on payment_orders to tollhouse_doorkeeper;
grant select, insert on blockchain_transactions to tollhouse_doorkeeper;
grant update (status, asset_id, sender, recipient, units, block_number, block_hash, block_time)
  on blockchain_transactions to tollhouse_doorkeeper;
create policy blockchain_transactions_doorkeeper_select on blockchain_transactions for select to tollhouse_doorkeeper
  using (true);
create policy blockchain_transactions_doorkeeper_insert on blockchain_transactions for insert to tollhouse_doorkeeper
  with check (true);
create policy blockchain_transactions_doorkeeper_update on blockchain_transactions for update to tollhouse_doorkeeper
  using (true) with check (true);
grant select, insert on payment_credits to tollhouse_doorkeeper;
grant update (payment_order_id, units, reversed_at) on payment_credits to tollhouse_doorkeeper;
create policy payment_credits_doorkeeper_select on payment_credits for select to tollhouse_doorkeeper using (true);
create policy payment_credits_doorkeeper_insert on payment_credits for insert to tollhouse_doorkeeper with check (true);
create policy payment_credits_doorkeeper_update on payment_credits for update to tollhouse_doorkeeper
  using (true) with check (true);

-- unmatched_payments: written by the functions alone
alter table unmatched_payments enable row level security;
alter table unmatched_payments force row level security;
grant select on unmatched_payments to tollhouse_member, tollhouse_operator;
grant select, insert on unmatched_payments to tollhouse_doorkeeper;
grant update (status, reason, payment_order_id, note, resolved_by_id, resolved_at)
  on unmatched_payments to tollhouse_doorkeeper;
create policy unmatched_payments_member_select on unmatched_payments for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('payments:read')));
create policy unmatched_payments_operator_select on unmatched_payments for select to tollhouse_operator using (true);
create policy unmatched_payments_doorkeeper_select on unmatched_payments for select to tollhouse_doorkeeper using (true);
create policy unmatched_payments_doorkeeper_insert on unmatched_payments for insert to tollhouse_doorkeeper
  with check (true);
create policy unmatched_payments_doorkeeper_update on unmatched_payments for update to tollhouse_doorkeeper
  using (true) with check (true);

-- payment_refunds: asked for by the functions, followed by the worker, wherever they are, inside their organization; a
-- payer sees those of its own order
alter table payment_refunds enable row level security;
alter table payment_refunds force row level security;
grant select on payment_refunds to tollhouse_member, tollhouse_operator, tollhouse_worker;
grant select (organization_id, id, payment_order_id, incarnation_id, asset_id, units, status, destination, created_at)
  on payment_refunds to tollhouse_public;
grant update (status, blockchain_transaction_id, completed_at, called_off_at) on payment_refunds to tollhouse_worker;
grant select, insert on payment_refunds to tollhouse_doorkeeper;
grant update (
  status, destination, destination_source, destination_reason, destination_by_id, head_number, addressed_at,
  blockchain_transaction_id, withdrawn, called_off_at
) on payment_refunds to tollhouse_doorkeeper;
create policy payment_refunds_member_select on payment_refunds for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('payments:read')));
create policy payment_refunds_public_select on payment_refunds for select to tollhouse_public
  using (organization_id = (select current_organization_id()) and payment_order_id = (select current_target_id()));
create policy payment_refunds_worker_select on payment_refunds for select to tollhouse_worker using (true);
create policy payment_refunds_worker_update on payment_refunds for update to tollhouse_worker
  using (organization_id = (select current_organization_id()))
  with check (organization_id = (select current_organization_id()));
create policy payment_refunds_operator_select on payment_refunds for select to tollhouse_operator using (true);
create policy payment_refunds_doorkeeper_select on payment_refunds for select to tollhouse_doorkeeper using (true);
create policy payment_refunds_doorkeeper_insert on payment_refunds for insert to tollhouse_doorkeeper with check (true);
create policy payment_refunds_doorkeeper_update on payment_refunds for update to tollhouse_doorkeeper
  using (true) with check (true);

-- what members and payers may ask for, and what the worker asks for where the terms of an order say so
grant execute on function
  assign_unmatched_payment(uuid, uuid), ignore_unmatched_payment(uuid, text), request_refund(uuid, uuid, numeric, text),
  refund_unmatched_payment(uuid, uuid, text), set_refund_destination(uuid, text, text), cancel_refund(uuid),
  record_manual_payment(uuid, uuid, numeric, text, text)
to tollhouse_member;
grant execute on function confirm_refund_destination(uuid, text, text) to tollhouse_public;
grant execute on function request_owed_refund(uuid, payment_refund_cause), request_late_refunds(uuid, integer),
  withdraw_refunds(uuid), finish_call_off(uuid), ambiguous_transfers(uuid, uuid, integer)
to tollhouse_worker;
-- what members see of a refund that the chain alone tells
grant execute on function is_refund_backed(uuid) to tollhouse_member;
-- and of an entry of the inbox: which orders its transfer names
grant execute on function orders_named_by(uuid) to tollhouse_member;
-- what a provider says is written by the worker
grant execute on function record_provider_claim(text, text, uuid, numeric, text, jsonb) to tollhouse_worker;
-- where a reference stands
grant execute on function ending_reference(bytea) to tollhouse_worker, tollhouse_doorkeeper;
-- and what they put aside, or take back
grant execute on function ignore_unmatched_payments(uuid[], text), void_manual_payment(uuid, text) to tollhouse_member;
-- what those are made of
grant execute on function
  meets_finality(payment_finality, integer, bigint, bigint, bigint, bigint),
  withdraw_unmatched_refund(uuid, uuid, chain_transfers),
  unread_reason(uuid), is_refund_seen(payment_refunds), hold_refund(uuid), close_refund(payment_refunds, chain_transfers),
  credited_on_chain(uuid, uuid), is_paid_at(uuid, chain_transfers), organizations_paid_at(chain_transfers),
  unmatched_reason(uuid, chain_transfers), write_sighting(uuid, chain_transfers), is_payee_of(uuid, text, uuid),
  tell_of_payment(uuid, text, uuid, text, text[], jsonb), hold_unmatched_payment(uuid),
  unmatched_refusal(unmatched_payments, chain_transfers), payee_refusal(chain_transfers), require_payments_write(),
  hold_refundable(uuid, payment_orders),
  reserve_refund(uuid, uuid, uuid, numeric, payment_refund_cause, text),
  keep_for_refund(uuid, unmatched_payments, chain_transfers, payment_refund_cause, text),
  address_refund(payment_refunds, text, payment_refund_destination_source, text), refund_state_of(uuid, uuid, numeric)
to tollhouse_doorkeeper;

-- whoever compares these with the log reads all of them
grant select on payment_orders, payment_links, payment_refunds, unmatched_payments to tollhouse_auditor;
create policy payment_orders_auditor_select on payment_orders for select to tollhouse_auditor using (true);
create policy payment_links_auditor_select on payment_links for select to tollhouse_auditor using (true);
create policy payment_refunds_auditor_select on payment_refunds for select to tollhouse_auditor using (true);
create policy unmatched_payments_auditor_select on unmatched_payments for select to tollhouse_auditor using (true);

-- provider_transactions: written by the functions, confirmed by the worker inside the organization
alter table provider_transactions enable row level security;
alter table provider_transactions force row level security;
grant select on provider_transactions to tollhouse_member, tollhouse_operator, tollhouse_worker;
grant update (status) on provider_transactions to tollhouse_worker;
grant select, insert on provider_transactions to tollhouse_doorkeeper;
grant update (
  kind, status, asset_id, units, payment_order_id, payment_refund_id, blockchain_transaction_id, raw,
  void_reason, voided_by_id, voided_at
) on provider_transactions to tollhouse_doorkeeper;
create policy provider_transactions_member_select on provider_transactions for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('payments:read')));
create policy provider_transactions_worker_select on provider_transactions for select to tollhouse_worker using (true);
create policy provider_transactions_worker_update on provider_transactions for update to tollhouse_worker
  using (organization_id = (select current_organization_id()))
  with check (organization_id = (select current_organization_id()));
create policy provider_transactions_operator_select on provider_transactions for select to tollhouse_operator
  using (true);
create policy provider_transactions_doorkeeper_select on provider_transactions for select to tollhouse_doorkeeper
  using (true);
create policy provider_transactions_doorkeeper_insert on provider_transactions for insert to tollhouse_doorkeeper
  with check (true);
create policy provider_transactions_doorkeeper_update on provider_transactions for update to tollhouse_doorkeeper
  using (true) with check (true);
