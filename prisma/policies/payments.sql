-- Two questions that a policy cannot answer, each through one narrow door.
grant execute on function count_open_orders(uuid, bytea) to tollhouse_public;
grant execute on function is_proved_payee(text, bigint) to tollhouse_member;

-- payment_links: read by who may read them, written by who may write payments; a payer sees the one whose slug it came with
alter table payment_links enable row level security;
alter table payment_links force row level security;
grant select, insert on payment_links to tollhouse_member;
grant select (organization_id, id, slug, title, description, status, order_lifetime_minutes, deleted_at)
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
create policy payment_links_public_select on payment_links for select to tollhouse_public
  using (
    organization_id = (select current_organization_id())
    and id = (select current_target_id())
    and deleted_at is null
  );
create policy payment_links_operator_select on payment_links for select to tollhouse_operator using (true);
create policy payment_links_doorkeeper_select on payment_links for select to tollhouse_doorkeeper using (true);
grant update (created_by_id, updated_at) on payment_links to tollhouse_doorkeeper;
create policy payment_links_doorkeeper_update on payment_links for update to tollhouse_doorkeeper
  using (true) with check (true);

-- payment_link_accepts: as the link they belong to
alter table payment_link_accepts enable row level security;
alter table payment_link_accepts force row level security;
grant select, insert on payment_link_accepts to tollhouse_member;
grant select on payment_link_accepts to tollhouse_public, tollhouse_operator, tollhouse_doorkeeper;
create policy payment_link_accepts_member_select on payment_link_accepts for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('payment-links:read')));
create policy payment_link_accepts_member_insert on payment_link_accepts for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('payments:write'))
    and is_proved_payee(pay_to, (select chain_id from assets where assets.id = asset_id))
  );
create policy payment_link_accepts_public_select on payment_link_accepts for select to tollhouse_public
  using (
    organization_id = (select current_organization_id()) and payment_link_id = (select current_target_id())
  );
create policy payment_link_accepts_operator_select on payment_link_accepts for select to tollhouse_operator
  using (true);
create policy payment_link_accepts_doorkeeper_select on payment_link_accepts for select to tollhouse_doorkeeper
  using (true);

-- payment_orders: a payer makes one for the link it came with, on one of its terms, and sees the one whose token it
-- holds;
-- the worker looks for the order that a transfer pays in every tenant, and changes it only inside its own
alter table payment_orders enable row level security;
alter table payment_orders force row level security;
grant select on payment_orders to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper, tollhouse_worker;
grant select (organization_id, id, incarnation_id, asset_id, status, due_units, pay_to, payer, reference, expires_at)
  on payment_orders to tollhouse_public;
grant insert (organization_id, id, payment_link_id, incarnation_id, asset_id, matching, due_units, pay_to, payer,
  reference, required_confirmations, head_number, client_hash, expires_at) on payment_orders to tollhouse_public;
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
        and a.units = payment_orders.due_units
        and a.pay_to = payment_orders.pay_to
    )
  );
create policy payment_orders_worker_select on payment_orders for select to tollhouse_worker using (true);
create policy payment_orders_worker_update on payment_orders for update to tollhouse_worker
  using (organization_id = (select current_organization_id()))
  with check (organization_id = (select current_organization_id()));
create policy payment_orders_operator_select on payment_orders for select to tollhouse_operator using (true);
create policy payment_orders_doorkeeper_select on payment_orders for select to tollhouse_doorkeeper using (true);

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
