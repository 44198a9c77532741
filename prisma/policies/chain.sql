-- chains and assets: common knowledge, registered by the worker from the settings
alter table chains enable row level security;
alter table chains force row level security;
grant select on chains to tollhouse_public, tollhouse_member, tollhouse_operator;
grant select, insert, update on chains to tollhouse_worker;
create policy chains_public_select on chains for select to tollhouse_public using (true);
create policy chains_member_select on chains for select to tollhouse_member using (true);
create policy chains_operator_select on chains for select to tollhouse_operator using (true);
create policy chains_worker_select on chains for select to tollhouse_worker using (true);
create policy chains_worker_insert on chains for insert to tollhouse_worker with check (true);
create policy chains_worker_update on chains for update to tollhouse_worker using (true) with check (true);

alter table assets enable row level security;
alter table assets force row level security;
grant select on assets to tollhouse_public, tollhouse_member, tollhouse_operator;
grant select, insert, update on assets to tollhouse_worker;
grant select (id, chain_id, caip19) on assets to tollhouse_doorkeeper;
create policy assets_public_select on assets for select to tollhouse_public using (true);
create policy assets_member_select on assets for select to tollhouse_member using (true);
create policy assets_operator_select on assets for select to tollhouse_operator using (true);
create policy assets_doorkeeper_select on assets for select to tollhouse_doorkeeper using (true);
create policy assets_worker_select on assets for select to tollhouse_worker using (true);
create policy assets_worker_insert on assets for insert to tollhouse_worker with check (true);
create policy assets_worker_update on assets for update to tollhouse_worker using (true) with check (true);

-- chain_finality_rules: what payments wait for is common knowledge, too
alter table chain_finality_rules enable row level security;
alter table chain_finality_rules force row level security;
grant select on chain_finality_rules to tollhouse_public, tollhouse_member, tollhouse_operator;
grant select, insert, delete on chain_finality_rules to tollhouse_worker;
create policy chain_finality_rules_public_select on chain_finality_rules for select to tollhouse_public using (true);
create policy chain_finality_rules_member_select on chain_finality_rules for select to tollhouse_member using (true);
create policy chain_finality_rules_operator_select on chain_finality_rules for select to tollhouse_operator
  using (true);
create policy chain_finality_rules_worker_select on chain_finality_rules for select to tollhouse_worker using (true);
create policy chain_finality_rules_worker_insert on chain_finality_rules for insert to tollhouse_worker
  with check (true);
create policy chain_finality_rules_worker_delete on chain_finality_rules for delete to tollhouse_worker using (true);

-- chain_incarnations: how far each chain was read is no secret; only the worker moves it
alter table chain_incarnations enable row level security;
alter table chain_incarnations force row level security;
grant select on chain_incarnations to tollhouse_public, tollhouse_member, tollhouse_operator;
grant select, insert, update on chain_incarnations to tollhouse_worker;
create policy chain_incarnations_public_select on chain_incarnations for select to tollhouse_public using (true);
create policy chain_incarnations_member_select on chain_incarnations for select to tollhouse_member using (true);
create policy chain_incarnations_operator_select on chain_incarnations for select to tollhouse_operator using (true);
create policy chain_incarnations_worker_select on chain_incarnations for select to tollhouse_worker using (true);
create policy chain_incarnations_worker_insert on chain_incarnations for insert to tollhouse_worker with check (true);
create policy chain_incarnations_worker_update on chain_incarnations for update to tollhouse_worker
  using (true) with check (true);

-- blocks and transfers: what the chain says, for the worker alone
alter table chain_blocks enable row level security;
alter table chain_blocks force row level security;
grant select, insert, delete on chain_blocks to tollhouse_worker;
create policy chain_blocks_worker_select on chain_blocks for select to tollhouse_worker using (true);
create policy chain_blocks_worker_insert on chain_blocks for insert to tollhouse_worker with check (true);
create policy chain_blocks_worker_delete on chain_blocks for delete to tollhouse_worker using (true);

alter table chain_transfers enable row level security;
alter table chain_transfers force row level security;
grant select, insert, update on chain_transfers to tollhouse_worker;
create policy chain_transfers_worker_select on chain_transfers for select to tollhouse_worker using (true);
create policy chain_transfers_worker_insert on chain_transfers for insert to tollhouse_worker with check (true);
create policy chain_transfers_worker_update on chain_transfers for update to tollhouse_worker
  using (true) with check (true);
-- and for the function that gives one to an order whose payer, or merchant, claims it
grant select on chain_transfers to tollhouse_doorkeeper;
grant update (claimed_organization_id, claimed_for_id, judged_at) on chain_transfers to tollhouse_doorkeeper;
create policy chain_transfers_doorkeeper_select on chain_transfers for select to tollhouse_doorkeeper using (true);
create policy chain_transfers_doorkeeper_update on chain_transfers for update to tollhouse_doorkeeper
  using (true) with check (true);

-- watched_accounts: added by who may take payments, read by the worker alone
alter table watched_accounts enable row level security;
alter table watched_accounts force row level security;
grant insert on watched_accounts to tollhouse_member;
grant select, delete on watched_accounts to tollhouse_worker;
create policy watched_accounts_member_insert on watched_accounts for insert to tollhouse_member
  with check (sender is null and (select has_permission('payments:write')));
create policy watched_accounts_worker_select on watched_accounts for select to tollhouse_worker using (true);
-- the worker leaves destinations of refunds, and no payee
create policy watched_accounts_worker_delete on watched_accounts for delete to tollhouse_worker
  using (sender is not null);

-- what the functions of payments ask the chain for, and what a transfer is claimed for
grant select (address) on assets to tollhouse_doorkeeper;
grant select (chain_id, finality, confirmations) on chains to tollhouse_doorkeeper;
create policy chains_doorkeeper_select on chains for select to tollhouse_doorkeeper using (true);
grant select (id, chain_id, head_number, safe_number, finalized_number, current, caught_up_at, halt_reason,
  unwatched_since) on chain_incarnations to tollhouse_doorkeeper;
create policy chain_incarnations_doorkeeper_select on chain_incarnations for select to tollhouse_doorkeeper using (true);
grant update (claimed_as) on chain_transfers to tollhouse_doorkeeper;
grant insert on watched_accounts to tollhouse_doorkeeper;
create policy watched_accounts_doorkeeper_insert on watched_accounts for insert to tollhouse_doorkeeper with check (true);
