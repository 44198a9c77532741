-- idempotency_keys: a person sees and adds its own, an API key too if it can do anything that takes one, a payer those of the link it came with; the worker sweeps
alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;
grant select, insert on idempotency_keys to tollhouse_member, tollhouse_public;
grant select, delete on idempotency_keys to tollhouse_worker;
create policy idempotency_keys_member_select on idempotency_keys for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and principal = (select current_actor()));
create policy idempotency_keys_member_insert on idempotency_keys for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and principal = (select current_actor())
    and ((select current_user_id()) is not null or (select has_permission('payments:write')))
  );
create policy idempotency_keys_public_select on idempotency_keys for select to tollhouse_public
  using (
    organization_id = (select current_organization_id()) and principal = 'link:' || (select current_target_id())
  );
create policy idempotency_keys_public_insert on idempotency_keys for insert to tollhouse_public
  with check (
    organization_id = (select current_organization_id()) and principal = 'link:' || (select current_target_id())
  );
create policy idempotency_keys_worker_select on idempotency_keys for select to tollhouse_worker
  using (expires_at < transaction_timestamp());
create policy idempotency_keys_worker_delete on idempotency_keys for delete to tollhouse_worker
  using (expires_at < transaction_timestamp());
