-- What a key has already done, written in the transaction of the deed.

create table idempotency_keys (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  principal text not null,
  operation text not null,
  key_hash bytea not null,
  request_hash bytea not null,
  result_id uuid not null,
  expires_at timestamptz(3) not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint idempotency_keys_pkey primary key (organization_id, id),
  constraint idempotency_keys_principal_check check (principal ~ '^(user|link):[0-9a-f-]{36}$'),
  constraint idempotency_keys_operation_check check (char_length(operation) between 1 and 100),
  constraint idempotency_keys_key_hash_check check (octet_length(key_hash) = 32),
  constraint idempotency_keys_request_hash_check check (octet_length(request_hash) = 32),
  constraint idempotency_keys_expires_at_check check (expires_at > created_at),
  constraint idempotency_keys_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict
);
create unique index idempotency_keys_key_key
  on idempotency_keys (organization_id, principal, operation, key_hash);
-- the sweeper's question, across tenants
create index idempotency_keys_expires_at_idx on idempotency_keys (expires_at);

create trigger idempotency_keys_touch before update on idempotency_keys
  for each row execute function touch_updated_at();

-- idempotency_keys: a person sees and adds its own, a payer those of the link it came with; the worker sweeps
alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;
grant select, insert on idempotency_keys to tollhouse_member, tollhouse_public;
grant select, delete on idempotency_keys to tollhouse_worker;
create policy idempotency_keys_member_select on idempotency_keys for select to tollhouse_member
  using (
    organization_id = (select current_organization_id()) and principal = 'user:' || (select current_user_id())
  );
create policy idempotency_keys_member_insert on idempotency_keys for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id()) and principal = 'user:' || (select current_user_id())
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
