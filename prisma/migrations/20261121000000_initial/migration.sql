-- The first migration: tables, the database's own functions, and the law of who may see and do what.
-- The roles that it names are of the whole cluster and made beforehand (src/database/roles.ts).

revoke all on schema public from public;
grant usage on schema public to
  tollhouse_gateway, tollhouse_public, tollhouse_identity, tollhouse_member, tollhouse_worker, tollhouse_operator,
  tollhouse_doorkeeper, tollhouse_auditor;
-- for all schemas: what a schema alone takes away is still given by the general default
alter default privileges revoke execute on functions from public;

-- plain words of the database ---------------------------------------------------------------------------------------

-- UUIDv7: milliseconds since 1970, twelve bits of their fraction, then randomness
create function uuid_v7() returns uuid
language sql volatile parallel safe
as $$
  select encode(
    overlay(
      overlay(
        uuid_send(gen_random_uuid())
        placing substring(int8send(floor(now_ms)::bigint) from 3 for 6) from 1 for 6
      )
      placing substring(int4send(28672 + floor((now_ms - floor(now_ms)) * 4096)::int) from 3 for 2) from 7 for 2
    ),
    'hex'
  )::uuid
  from (select extract(epoch from clock_timestamp()) * 1000 as now_ms) as clock
$$;

create function touch_updated_at() returns trigger
language plpgsql
as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end
$$;

-- The scene of the current transaction. A missing or empty setting is null: no rows, never all rows.
create function current_organization_id() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('app.organization_id', true), '')::uuid $$;

create function current_user_id() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('app.user_id', true), '')::uuid $$;

create function current_session_id() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('app.session_id', true), '')::uuid $$;

-- what the handle that a payer came with stands for
create function current_target_id() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('app.target_id', true), '')::uuid $$;

create function has_permission(permission text) returns boolean
language sql stable parallel safe
as $$ select permission = any (string_to_array(current_setting('app.permissions', true), ' ')) $$;

create function permissions_of(role text) returns text
language sql immutable parallel safe
as $$
  select case role
    when 'OWNER' then 'organization:write members:read members:write payments:read payments:write audit:read'
    when 'ADMIN' then 'members:read members:write payments:read payments:write audit:read'
    when 'MEMBER' then 'members:read payments:read'
  end
$$;

-- identity ----------------------------------------------------------------------------------------------------------

create type user_status as enum ('ACTIVE', 'DISABLED');
create type identity_kind as enum ('WALLET');
create type wallet_kind as enum ('EOA', 'CONTRACT', 'EOA_7702');
create type wallet_source as enum ('EXTERNAL', 'THIRDWEB_IN_APP', 'THIRDWEB_SMART');
create type challenge_purpose as enum ('SIGN_IN', 'LINK', 'STEP_UP');

create table users (
  id uuid not null default uuid_v7(),
  display_name text not null,
  avatar_url text,
  status user_status not null default 'ACTIVE',
  deleted_at timestamptz(3),
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint users_pkey primary key (id),
  constraint users_display_name_check check (char_length(display_name) between 1 and 100)
);

create table identities (
  id uuid not null default uuid_v7(),
  user_id uuid not null,
  kind identity_kind not null,
  issuer text not null,
  subject text not null,
  address text,
  chain_id bigint,
  wallet_kind wallet_kind,
  wallet_source wallet_source,
  proved_at timestamptz(3) not null default transaction_timestamp(),
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint identities_pkey primary key (id),
  constraint identities_issuer_check check (char_length(issuer) between 1 and 100),
  constraint identities_subject_check check (char_length(subject) between 1 and 200),
  constraint identities_address_check check (address ~ '^0x[0-9a-f]{40}$'),
  constraint identities_wallet_check check (
    (kind = 'WALLET') = (address is not null and wallet_kind is not null and wallet_source is not null)
  ),
  constraint identities_user_id_fkey foreign key (user_id) references users (id) on update restrict on delete restrict
);
create unique index identities_issuer_subject_key on identities (issuer, subject);
create index identities_user_id_idx on identities (user_id);

create table challenges (
  id uuid not null default uuid_v7(),
  nonce_hash bytea not null,
  purpose challenge_purpose not null,
  domain text,
  address text,
  chain_id bigint,
  message_hash bytea,
  expires_at timestamptz(3) not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint challenges_pkey primary key (id),
  constraint challenges_nonce_hash_check check (octet_length(nonce_hash) = 32),
  constraint challenges_address_check check (address ~ '^0x[0-9a-f]{40}$')
);
create unique index challenges_nonce_hash_key on challenges (nonce_hash);
create index challenges_expires_at_idx on challenges (expires_at);

create table sign_in_attempts (
  id uuid not null default uuid_v7(),
  outcome text not null,
  domain text,
  chain_id bigint,
  address text,
  user_id uuid,
  client_address text,
  request_id text,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint sign_in_attempts_pkey primary key (id),
  constraint sign_in_attempts_outcome_check check (char_length(outcome) <= 100),
  constraint sign_in_attempts_domain_check check (char_length(domain) <= 300),
  constraint sign_in_attempts_address_check check (char_length(address) <= 100)
);
create index sign_in_attempts_created_at_idx on sign_in_attempts (created_at);

create table rate_limits (
  id uuid not null default uuid_v7(),
  key_hash bytea not null,
  window_start timestamptz(3) not null,
  hits integer not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint rate_limits_pkey primary key (id),
  constraint rate_limits_key_hash_check check (octet_length(key_hash) = 32),
  constraint rate_limits_hits_check check (hits > 0)
);
create unique index rate_limits_key_hash_key on rate_limits (key_hash);
create index rate_limits_window_start_idx on rate_limits (window_start);

-- tenancy -----------------------------------------------------------------------------------------------------------

create type organization_status as enum ('ACTIVE', 'SUSPENDED');
create type membership_role as enum ('OWNER', 'ADMIN', 'MEMBER');
create type membership_status as enum ('INVITED', 'ACTIVE', 'LEFT', 'REMOVED');

create table organizations (
  id uuid not null default uuid_v7(),
  name text not null,
  slug text not null,
  status organization_status not null default 'ACTIVE',
  deleted_at timestamptz(3),
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint organizations_pkey primary key (id),
  constraint organizations_name_check check (char_length(name) between 1 and 100),
  constraint organizations_slug_check check (slug ~ '^[a-z0-9](-?[a-z0-9])*$' and char_length(slug) between 3 and 60)
);
create unique index organizations_slug_key on organizations (slug) where deleted_at is null;

create table memberships (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  user_id uuid not null,
  role membership_role not null,
  status membership_status not null default 'ACTIVE',
  joined_at timestamptz(3),
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint memberships_pkey primary key (organization_id, id),
  constraint memberships_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict,
  constraint memberships_user_id_fkey foreign key (user_id) references users (id) on update restrict on delete restrict
);
create unique index memberships_organization_id_user_id_key on memberships (organization_id, user_id);
create index memberships_user_id_idx on memberships (user_id);

create table sessions (
  id uuid not null default uuid_v7(),
  user_id uuid not null,
  identity_id uuid not null,
  organization_id uuid not null,
  refresh_hash bytea not null,
  generation integer not null default 0,
  rotations timestamptz(3)[] not null default '{}',
  client_address text,
  user_agent text,
  expires_at timestamptz(3) not null,
  ended_at timestamptz(3),
  end_reason text,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint sessions_pkey primary key (id),
  constraint sessions_refresh_hash_check check (octet_length(refresh_hash) = 32),
  constraint sessions_generation_check check (generation >= 0),
  constraint sessions_user_agent_check check (char_length(user_agent) <= 500),
  constraint sessions_user_id_fkey foreign key (user_id) references users (id) on update restrict on delete restrict,
  constraint sessions_identity_id_fkey foreign key (identity_id)
    references identities (id) on update restrict on delete restrict,
  constraint sessions_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict
);
create index sessions_user_id_idx on sessions (user_id);
create index sessions_identity_id_idx on sessions (identity_id);
create index sessions_organization_id_idx on sessions (organization_id);

create table handles (
  id uuid not null default uuid_v7(),
  kind text not null,
  value_hash bytea not null,
  organization_id uuid not null,
  target_id uuid not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint handles_pkey primary key (id),
  constraint handles_kind_check check (kind in ('payment-link', 'payment-order')),
  constraint handles_value_hash_check check (octet_length(value_hash) = 32)
);
create unique index handles_kind_value_hash_key on handles (kind, value_hash);
create index handles_organization_id_target_id_idx on handles (organization_id, target_id);

-- chain -------------------------------------------------------------------------------------------------------------

create table chains (
  chain_id bigint not null,
  name text not null,
  testnet boolean not null,
  public_rpc_url text not null,
  confirmations integer not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint chains_pkey primary key (chain_id),
  constraint chains_chain_id_check check (chain_id > 0),
  constraint chains_confirmations_check check (confirmations between 1 and 1000)
);

create table chain_incarnations (
  id uuid not null default uuid_v7(),
  chain_id bigint not null,
  genesis_hash text not null,
  current boolean not null default true,
  head_number bigint,
  finalized_number bigint,
  caught_up_at timestamptz(3),
  halt_reason text,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint chain_incarnations_pkey primary key (id),
  constraint chain_incarnations_genesis_hash_check check (genesis_hash ~ '^0x[0-9a-f]{64}$'),
  constraint chain_incarnations_chain_id_fkey foreign key (chain_id)
    references chains (chain_id) on update restrict on delete restrict
);
create unique index chain_incarnations_chain_id_genesis_hash_key on chain_incarnations (chain_id, genesis_hash);
create unique index chain_incarnations_current_key on chain_incarnations (chain_id) where current;

create table assets (
  id uuid not null default uuid_v7(),
  chain_id bigint not null,
  caip19 text not null,
  address text,
  symbol text not null,
  name text not null,
  decimals integer not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint assets_pkey primary key (id),
  constraint assets_address_check check (address ~ '^0x[0-9a-f]{40}$'),
  constraint assets_decimals_check check (decimals between 0 and 77),
  constraint assets_symbol_check check (char_length(symbol) between 1 and 50),
  constraint assets_name_check check (char_length(name) between 1 and 100),
  constraint assets_chain_id_fkey foreign key (chain_id)
    references chains (chain_id) on update restrict on delete restrict
);
create unique index assets_caip19_key on assets (caip19);
create index assets_chain_id_idx on assets (chain_id);

create table chain_blocks (
  id uuid not null default uuid_v7(),
  incarnation_id uuid not null,
  number bigint not null,
  hash text not null,
  parent_hash text not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint chain_blocks_pkey primary key (id),
  constraint chain_blocks_incarnation_id_fkey foreign key (incarnation_id)
    references chain_incarnations (id) on update restrict on delete restrict
);
create unique index chain_blocks_incarnation_id_number_key on chain_blocks (incarnation_id, number);

create table chain_transfers (
  id uuid not null default uuid_v7(),
  incarnation_id uuid not null,
  transaction_hash text not null,
  ordinal integer not null,
  asset_id uuid not null,
  sender text not null,
  recipient text not null,
  units numeric(78, 0) not null,
  input bytea not null,
  block_number bigint not null,
  block_hash text not null,
  block_time timestamptz(3) not null,
  orphaned boolean not null default false,
  claimed_organization_id uuid,
  claimed_for_id uuid,
  judged_at timestamptz(3),
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint chain_transfers_pkey primary key (id),
  constraint chain_transfers_ordinal_check check (ordinal >= -1),
  constraint chain_transfers_units_check check (units >= 0),
  constraint chain_transfers_sender_check check (sender ~ '^0x[0-9a-f]{40}$'),
  constraint chain_transfers_recipient_check check (recipient ~ '^0x[0-9a-f]{40}$'),
  constraint chain_transfers_incarnation_id_fkey foreign key (incarnation_id)
    references chain_incarnations (id) on update restrict on delete restrict,
  constraint chain_transfers_asset_id_fkey foreign key (asset_id)
    references assets (id) on update restrict on delete restrict
);
create unique index chain_transfers_transfer_key on chain_transfers (incarnation_id, transaction_hash, ordinal);
create index chain_transfers_incarnation_id_block_number_idx on chain_transfers (incarnation_id, block_number);
create index chain_transfers_claimed_for_id_idx on chain_transfers (claimed_for_id);
create index chain_transfers_unjudged_idx on chain_transfers (incarnation_id, block_number, ordinal)
  where judged_at is null;

create table watched_accounts (
  id uuid not null default uuid_v7(),
  chain_id bigint not null,
  address text not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint watched_accounts_pkey primary key (id),
  constraint watched_accounts_address_check check (address ~ '^0x[0-9a-f]{40}$')
);
create unique index watched_accounts_chain_id_address_key on watched_accounts (chain_id, address);

-- payments ----------------------------------------------------------------------------------------------------------

create type payment_link_status as enum ('DRAFT', 'ACTIVE', 'PAUSED', 'ARCHIVED');
create type payment_order_status as enum (
  'CREATED', 'DETECTED', 'CONFIRMING', 'PAID', 'FINAL', 'EXPIRED', 'CANCELED', 'FAILED'
);
create type payment_order_exception as enum (
  'UNDERPAID', 'OVERPAID', 'LATE', 'WRONG_ASSET', 'DUPLICATE', 'REORGED', 'NEEDS_REVIEW'
);
create type payment_matching as enum ('WALLET');
create type blockchain_transaction_status as enum ('INCLUDED', 'ORPHANED');

create table payment_links (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  slug text not null,
  title text not null,
  description text,
  status payment_link_status not null default 'ACTIVE',
  order_lifetime_minutes integer not null default 60,
  created_by_id uuid not null,
  deleted_at timestamptz(3),
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint payment_links_pkey primary key (organization_id, id),
  constraint payment_links_slug_check check (char_length(slug) between 3 and 100),
  constraint payment_links_title_check check (char_length(title) between 1 and 200),
  constraint payment_links_description_check check (char_length(description) <= 2000),
  constraint payment_links_order_lifetime_minutes_check check (order_lifetime_minutes between 1 and 43200),
  constraint payment_links_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict,
  constraint payment_links_organization_id_created_by_id_fkey foreign key (organization_id, created_by_id)
    references memberships (organization_id, user_id) on update restrict on delete restrict
);
create unique index payment_links_organization_id_slug_key on payment_links (organization_id, slug);
create index payment_links_organization_id_created_at_id_idx
  on payment_links (organization_id, created_at desc, id desc);
create index payment_links_organization_id_created_by_id_idx on payment_links (organization_id, created_by_id);

create table payment_link_accepts (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  payment_link_id uuid not null,
  position integer not null,
  asset_id uuid not null,
  units numeric(78, 0) not null,
  pay_to text not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint payment_link_accepts_pkey primary key (organization_id, id),
  constraint payment_link_accepts_position_check check (position between 0 and 19),
  constraint payment_link_accepts_units_check check (units > 0 and units < 2::numeric ^ 256),
  constraint payment_link_accepts_pay_to_check check (pay_to ~ '^0x[0-9a-f]{40}$'),
  constraint payment_link_accepts_organization_id_payment_link_id_fkey foreign key (organization_id, payment_link_id)
    references payment_links (organization_id, id) on update restrict on delete restrict,
  constraint payment_link_accepts_asset_id_fkey foreign key (asset_id)
    references assets (id) on update restrict on delete restrict
);
create unique index payment_link_accepts_position_key
  on payment_link_accepts (organization_id, payment_link_id, position);
create unique index payment_link_accepts_asset_key
  on payment_link_accepts (organization_id, payment_link_id, asset_id);

create table payment_orders (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  payment_link_id uuid not null,
  incarnation_id uuid not null,
  asset_id uuid not null,
  status payment_order_status not null default 'CREATED',
  exceptions payment_order_exception[] not null default '{}',
  matching payment_matching not null,
  due_units numeric(78, 0) not null,
  credited_units numeric(78, 0) not null default 0,
  pay_to text not null,
  payer text not null,
  reference bytea not null,
  required_confirmations integer not null,
  head_number bigint not null,
  client_hash bytea not null,
  expires_at timestamptz(3) not null,
  paid_at timestamptz(3),
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint payment_orders_pkey primary key (organization_id, id),
  constraint payment_orders_due_units_check check (due_units > 0),
  constraint payment_orders_credited_units_check check (credited_units >= 0),
  constraint payment_orders_pay_to_check check (pay_to ~ '^0x[0-9a-f]{40}$'),
  constraint payment_orders_payer_check check (
    payer ~ '^0x[0-9a-f]{40}$' and payer <> pay_to and payer <> '0x' || repeat('0', 40)
  ),
  constraint payment_orders_reference_check check (octet_length(reference) = 16),
  constraint payment_orders_client_hash_check check (octet_length(client_hash) = 32),
  constraint payment_orders_required_confirmations_check check (required_confirmations >= 1),
  constraint payment_orders_expires_at_check check (expires_at > created_at),
  constraint payment_orders_paid_at_check check ((status in ('PAID', 'FINAL')) <= (paid_at is not null)),
  constraint payment_orders_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict,
  constraint payment_orders_organization_id_payment_link_id_fkey foreign key (organization_id, payment_link_id)
    references payment_links (organization_id, id) on update restrict on delete restrict,
  constraint payment_orders_incarnation_id_fkey foreign key (incarnation_id)
    references chain_incarnations (id) on update restrict on delete restrict,
  constraint payment_orders_asset_id_fkey foreign key (asset_id)
    references assets (id) on update restrict on delete restrict
);
create unique index payment_orders_organization_id_reference_key on payment_orders (organization_id, reference);
create index payment_orders_organization_id_created_at_id_idx
  on payment_orders (organization_id, created_at desc, id desc);
create index payment_orders_payment_link_id_created_at_id_idx
  on payment_orders (organization_id, payment_link_id, created_at desc, id desc);
-- the worker's two questions: which open order does a transfer pay, and which orders may change with a new block
create index payment_orders_open_idx on payment_orders (incarnation_id, pay_to, payer)
  where status in ('CREATED', 'DETECTED', 'CONFIRMING');
create index payment_orders_unfinished_idx on payment_orders (incarnation_id, organization_id)
  where status in ('CREATED', 'DETECTED', 'CONFIRMING', 'PAID');

create table blockchain_transactions (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  incarnation_id uuid not null,
  asset_id uuid not null,
  hash text not null,
  ordinal integer not null,
  sender text not null,
  recipient text not null,
  units numeric(78, 0) not null,
  status blockchain_transaction_status not null default 'INCLUDED',
  block_number bigint not null,
  block_hash text not null,
  block_time timestamptz(3) not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint blockchain_transactions_pkey primary key (organization_id, id),
  constraint blockchain_transactions_hash_check check (hash ~ '^0x[0-9a-f]{64}$'),
  constraint blockchain_transactions_ordinal_check check (ordinal >= -1),
  constraint blockchain_transactions_units_check check (units >= 0),
  constraint blockchain_transactions_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict,
  constraint blockchain_transactions_incarnation_id_fkey foreign key (incarnation_id)
    references chain_incarnations (id) on update restrict on delete restrict,
  constraint blockchain_transactions_asset_id_fkey foreign key (asset_id)
    references assets (id) on update restrict on delete restrict
);
create unique index blockchain_transactions_transfer_key
  on blockchain_transactions (organization_id, incarnation_id, hash, ordinal);
create index blockchain_transactions_organization_id_created_at_id_idx
  on blockchain_transactions (organization_id, created_at desc, id desc);

create table payment_credits (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  payment_order_id uuid not null,
  blockchain_transaction_id uuid not null,
  units numeric(78, 0) not null,
  reversed_at timestamptz(3),
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint payment_credits_pkey primary key (organization_id, id),
  constraint payment_credits_units_check check (units >= 0),
  constraint payment_credits_organization_id_payment_order_id_fkey foreign key (organization_id, payment_order_id)
    references payment_orders (organization_id, id) on update restrict on delete restrict,
  constraint payment_credits_organization_id_blockchain_transaction_id_fkey
    foreign key (organization_id, blockchain_transaction_id)
    references blockchain_transactions (organization_id, id) on update restrict on delete restrict
);
create unique index payment_credits_organization_id_blockchain_transaction_id_key
  on payment_credits (organization_id, blockchain_transaction_id);
create index payment_credits_organization_id_payment_order_id_idx
  on payment_credits (organization_id, payment_order_id);

-- events ------------------------------------------------------------------------------------------------------------

create table event_epochs (
  epoch integer not null,
  system_identifier text not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  constraint event_epochs_pkey primary key (epoch)
);

create function current_event_epoch() returns integer
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select coalesce(max(epoch), 0) from public.event_epochs $$;

create table events (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  epoch integer not null default current_event_epoch(),
  transaction_id xid8 not null default pg_current_xact_id(),
  position bigint not null generated always as identity,
  type text not null,
  version integer not null default 1,
  aggregate_type text not null,
  aggregate_id uuid not null,
  aggregate_version integer not null,
  actor text not null,
  tags text[] not null default '{}',
  data jsonb not null,
  metadata jsonb not null,
  recorded_at timestamptz(3) not null default clock_timestamp(),
  constraint events_pkey primary key (organization_id, id),
  constraint events_type_check check (type ~ '^[a-z-]+\.[a-z-]+$'),
  constraint events_aggregate_version_check check (aggregate_version > 0)
);
create unique index events_aggregate_version_key
  on events (organization_id, aggregate_type, aggregate_id, aggregate_version);
create index events_organization_id_epoch_transaction_id_position_idx
  on events (organization_id, epoch, transaction_id, position);
create index events_epoch_transaction_id_position_idx on events (epoch, transaction_id, position);

-- audit -------------------------------------------------------------------------------------------------------------

create table audit_entries (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  role text not null,
  user_id uuid,
  session_id uuid,
  request_id text,
  table_name text not null,
  row_id uuid not null,
  verb text not null,
  before jsonb,
  after jsonb,
  created_at timestamptz(3) not null default clock_timestamp(),
  constraint audit_entries_pkey primary key (organization_id, id),
  constraint audit_entries_verb_check check (verb in ('INSERT', 'UPDATE', 'DELETE'))
);
create index audit_entries_organization_id_created_at_id_idx
  on audit_entries (organization_id, created_at desc, id desc);
create index audit_entries_organization_id_table_name_row_id_idx on audit_entries (organization_id, table_name, row_id);

-- one row for each changed row of a tenant's table; columns named as arguments are secrets and left out
create function record_audit_entry() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  previous jsonb := case when tg_op in ('UPDATE', 'DELETE') then to_jsonb(old) - coalesce(tg_argv, '{}') end;
  following jsonb := case when tg_op in ('INSERT', 'UPDATE') then to_jsonb(new) - coalesce(tg_argv, '{}') end;
  subject jsonb := coalesce(following, previous);
begin
  insert into public.audit_entries (
    organization_id, role, user_id, session_id, request_id, table_name, row_id, verb, before, after
  )
  values (
    coalesce(subject ->> 'organization_id', subject ->> 'id')::uuid,
    current_setting('role'),
    nullif(current_setting('app.user_id', true), '')::uuid,
    nullif(current_setting('app.session_id', true), '')::uuid,
    nullif(current_setting('app.request_id', true), ''),
    tg_table_name,
    (subject ->> 'id')::uuid,
    tg_op,
    previous,
    following
  );
  return null;
end
$$;

-- the doors: what may be looked up before it is known who is asking --------------------------------------------------

-- who a session is now; raises TH401 (ended), TH403 (no longer a member) or TH423 (organization suspended)
create function enter_session(session uuid, organization uuid)
returns table (user_id uuid, membership_role text, permissions text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_user uuid;
  found_role text;
  found_status text;
begin
  select s.user_id, m.role::text, o.status::text
    into found_user, found_role, found_status
    from public.sessions s
    join public.users u on u.id = s.user_id and u.status = 'ACTIVE' and u.deleted_at is null
    left join public.memberships m
      on m.organization_id = organization and m.user_id = s.user_id and m.status = 'ACTIVE'
    left join public.organizations o on o.id = m.organization_id and o.deleted_at is null
    where s.id = session and s.ended_at is null and s.expires_at > clock_timestamp();
  if not found then
    raise exception 'the session has ended' using errcode = 'TH401';
  elsif found_role is null or found_status is null then
    raise exception 'not a member of this organization' using errcode = 'TH403';
  elsif found_status <> 'ACTIVE' then
    raise exception 'the organization is suspended' using errcode = 'TH423';
  end if;
  return query select found_user, found_role, public.permissions_of(found_role);
end
$$;

-- the user that an identity belongs to, if it is known and enabled; raises TH410 when the user is disabled
create function enter_identity(identity_issuer text, identity_subject text) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_user uuid;
  enabled boolean;
begin
  select u.id, u.status = 'ACTIVE' and u.deleted_at is null
    into found_user, enabled
    from public.identities i
    join public.users u on u.id = i.user_id
    where i.issuer = identity_issuer and i.subject = identity_subject;
  if found and not enabled then
    raise exception 'the user is disabled' using errcode = 'TH410';
  end if;
  return found_user;
end
$$;

-- what a public value stands for; nulls when it stands for nothing that is open
create function resolve_handle(handle_kind text, handle_value_hash bytea)
returns table (organization_id uuid, target_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select h.organization_id, h.target_id
  from (values (1)) as always (one)
  left join (
    select found.organization_id, found.target_id
    from public.handles found
    join public.organizations o on o.id = found.organization_id and o.deleted_at is null
    where found.kind = handle_kind and found.value_hash = handle_value_hash
      and (o.status = 'ACTIVE' or found.kind = 'payment-order')
  ) as h on true
$$;

-- counts one more hit; answers 0 when it is within the limit, else the seconds until the window ends
create function take_rate_limit(limited_hash bytea, allowed integer, window_seconds integer) returns integer
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  insert into public.rate_limits as counted (key_hash, window_start, hits)
  values (limited_hash, clock_timestamp(), 1)
  on conflict (key_hash) do update
    set hits = case
          when counted.window_start <= clock_timestamp() - make_interval(secs => window_seconds) then 1
          else least(counted.hits, 1000000) + 1
        end,
        window_start = case
          when counted.window_start <= clock_timestamp() - make_interval(secs => window_seconds) then clock_timestamp()
          else counted.window_start
        end
  returning case
    when hits <= allowed then 0
    else greatest(1, ceil(extract(epoch from window_start - clock_timestamp()) + window_seconds)::integer)
  end
$$;

-- how many orders of the link one client has open; the lock makes counting and adding one step
create function count_open_orders(link uuid, client bytea) returns integer
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_xact_lock(hashtextextended(link::text || encode(client, 'hex'), 0));
  select count(*)::integer
  from public.payment_orders o
  where o.organization_id = public.current_organization_id()
    and o.payment_link_id = link
    and o.client_hash = client
    and o.status in ('CREATED', 'DETECTED', 'CONFIRMING')
$$;

-- whether an account was proved by somebody who may write this organization's payments now
create function is_proved_payee(account text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.identities i
    join public.memberships m
      on m.user_id = i.user_id and m.organization_id = public.current_organization_id() and m.status = 'ACTIVE'
    where i.kind = 'WALLET' and i.address = account
      and 'payments:write' = any (string_to_array(public.permissions_of(m.role::text), ' '))
  )
$$;

-- triggers -----------------------------------------------------------------------------------------------------------

do $$
declare
  kept text;
begin
  foreach kept in array array[
    'users', 'identities', 'challenges', 'sign_in_attempts', 'rate_limits', 'sessions', 'organizations', 'memberships',
    'handles', 'chains', 'chain_incarnations', 'assets', 'chain_blocks', 'chain_transfers', 'watched_accounts',
    'payment_links', 'payment_link_accepts', 'payment_orders', 'blockchain_transactions', 'payment_credits'
  ] loop
    execute format(
      'create trigger %I before update on %I for each row execute function touch_updated_at()', kept || '_touch', kept);
  end loop;
  foreach kept in array array[
    'organizations', 'memberships', 'payment_links', 'payment_link_accepts', 'blockchain_transactions',
    'payment_credits'
  ] loop
    execute format(
      'create trigger %I after insert or update or delete on %I for each row execute function record_audit_entry()',
      kept || '_audit', kept);
  end loop;
end
$$;
-- from the hash of a payer's network address the address could be found
create trigger payment_orders_audit after insert or update or delete on payment_orders
  for each row execute function record_audit_entry('client_hash');

-- the law: kernel ----------------------------------------------------------------------------------------------------

-- The plain words of the database that defaults and policies use; none of them reads a table.
grant execute on function uuid_v7() to
  tollhouse_public, tollhouse_identity, tollhouse_member, tollhouse_worker, tollhouse_doorkeeper, tollhouse_auditor;
grant execute on function
  current_organization_id(), current_user_id(), current_session_id(), current_target_id(), has_permission(text)
to
  tollhouse_public, tollhouse_identity, tollhouse_member, tollhouse_worker, tollhouse_operator,
  tollhouse_doorkeeper, tollhouse_auditor;

-- the law: identity --------------------------------------------------------------------------------------------------

-- The doors of identity. Entering is done by the bare login, before it becomes anyone.
grant execute on function enter_session(uuid, uuid), enter_identity(text, text) to tollhouse_gateway;
grant execute on function enter_session(uuid, uuid) to tollhouse_identity;
grant execute on function permissions_of(text) to tollhouse_doorkeeper;
grant execute on function take_rate_limit(bytea, integer, integer) to tollhouse_identity;

-- users: a member sees itself and the co-members of the active organization, and of each only what the API shows;
-- signing in sees and makes one user. Who has left, or was removed, is still seen by its membership, whatever that
-- one's status: links and records go on naming who made them, and a name without a face would be a broken one.
alter table users enable row level security;
alter table users force row level security;
grant select (id, display_name, avatar_url, created_at) on users to tollhouse_member;
grant select on users to tollhouse_operator, tollhouse_doorkeeper;
grant select, insert on users to tollhouse_identity;
create policy users_member_select on users for select to tollhouse_member
  using (
    id = (select current_user_id())
    or exists (
      select from memberships m
      where m.organization_id = (select current_organization_id()) and m.user_id = users.id
    )
  );
create policy users_identity_select on users for select to tollhouse_identity
  using (id = (select current_user_id()));
create policy users_identity_insert on users for insert to tollhouse_identity
  with check (id = (select current_user_id()));
create policy users_operator_select on users for select to tollhouse_operator using (true);
create policy users_doorkeeper_select on users for select to tollhouse_doorkeeper using (true);

-- identities: a member sees its own; signing in sees and makes the one that was just proved
alter table identities enable row level security;
alter table identities force row level security;
grant select on identities to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper;
grant select, insert on identities to tollhouse_identity;
create policy identities_member_select on identities for select to tollhouse_member
  using (user_id = (select current_user_id()));
create policy identities_identity_select on identities for select to tollhouse_identity
  using (
    issuer = (select current_setting('app.identity_issuer', true))
    and subject = (select current_setting('app.identity_subject', true))
  );
create policy identities_identity_insert on identities for insert to tollhouse_identity
  with check (
    user_id = (select current_user_id())
    and issuer = (select current_setting('app.identity_issuer', true))
    and subject = (select current_setting('app.identity_subject', true))
  );
create policy identities_operator_select on identities for select to tollhouse_operator using (true);
create policy identities_doorkeeper_select on identities for select to tollhouse_doorkeeper using (true);

-- sessions: a member sees and ends its own; refreshing sees and rotates the one that was named; none begins again
alter table sessions enable row level security;
alter table sessions force row level security;
grant select (id, user_id, identity_id, organization_id, generation, rotations, client_address, user_agent, expires_at,
  ended_at, end_reason, created_at, updated_at) on sessions to tollhouse_member;
grant update (ended_at, end_reason) on sessions to tollhouse_member;
grant select, insert on sessions to tollhouse_identity;
grant update (refresh_hash, generation, rotations, ended_at, end_reason) on sessions to tollhouse_identity;
grant select on sessions to tollhouse_doorkeeper;
create policy sessions_member_select on sessions for select to tollhouse_member
  using (user_id = (select current_user_id()));
create policy sessions_member_update on sessions for update to tollhouse_member
  using (user_id = (select current_user_id()) and ended_at is null)
  with check (user_id = (select current_user_id()) and ended_at is not null);
create policy sessions_identity_select on sessions for select to tollhouse_identity
  using (id = (select current_session_id()));
create policy sessions_identity_insert on sessions for insert to tollhouse_identity
  with check (id = (select current_session_id()) and user_id = (select current_user_id()));
create policy sessions_identity_update on sessions for update to tollhouse_identity
  using (id = (select current_session_id()) and ended_at is null)
  with check (id = (select current_session_id()));
create policy sessions_doorkeeper_select on sessions for select to tollhouse_doorkeeper using (true);

-- challenges: made, read by their nonce and burnt while signing in; the worker sweeps what has expired
alter table challenges enable row level security;
alter table challenges force row level security;
grant select, insert, delete on challenges to tollhouse_identity;
grant select, delete on challenges to tollhouse_worker;
create policy challenges_identity_select on challenges for select to tollhouse_identity using (true);
create policy challenges_identity_insert on challenges for insert to tollhouse_identity
  with check (expires_at > transaction_timestamp());
create policy challenges_identity_delete on challenges for delete to tollhouse_identity using (true);
create policy challenges_worker_select on challenges for select to tollhouse_worker
  using (expires_at < transaction_timestamp());
create policy challenges_worker_delete on challenges for delete to tollhouse_worker
  using (expires_at < transaction_timestamp());

-- sign_in_attempts: written while signing in, read by the operator alone
alter table sign_in_attempts enable row level security;
alter table sign_in_attempts force row level security;
grant insert on sign_in_attempts to tollhouse_identity;
grant select on sign_in_attempts to tollhouse_operator;
create policy sign_in_attempts_identity_insert on sign_in_attempts for insert to tollhouse_identity with check (true);
create policy sign_in_attempts_operator_select on sign_in_attempts for select to tollhouse_operator using (true);

-- rate_limits: counted through take_rate_limit alone; the worker sweeps windows that ended a day ago
alter table rate_limits enable row level security;
alter table rate_limits force row level security;
grant select, insert, update on rate_limits to tollhouse_doorkeeper;
grant select, delete on rate_limits to tollhouse_worker;
create policy rate_limits_doorkeeper_select on rate_limits for select to tollhouse_doorkeeper using (true);
create policy rate_limits_doorkeeper_insert on rate_limits for insert to tollhouse_doorkeeper with check (true);
create policy rate_limits_doorkeeper_update on rate_limits for update to tollhouse_doorkeeper
  using (true) with check (true);
create policy rate_limits_worker_select on rate_limits for select to tollhouse_worker
  using (window_start < transaction_timestamp() - interval '1 day');
create policy rate_limits_worker_delete on rate_limits for delete to tollhouse_worker
  using (window_start < transaction_timestamp() - interval '1 day');

-- the law: tenancy ---------------------------------------------------------------------------------------------------

-- The door for public values: an exact match and nothing else.
grant execute on function resolve_handle(text, bytea) to tollhouse_gateway;

-- organizations: a member sees the active one, a payer sees its name
alter table organizations enable row level security;
alter table organizations force row level security;
grant select on organizations to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper;
grant select (id, name) on organizations to tollhouse_public;
grant select, insert on organizations to tollhouse_identity;
create policy organizations_member_select on organizations for select to tollhouse_member
  using (id = (select current_organization_id()) and deleted_at is null);
create policy organizations_public_select on organizations for select to tollhouse_public
  using (id = (select current_organization_id()) and deleted_at is null);
create policy organizations_identity_select on organizations for select to tollhouse_identity
  using (
    deleted_at is null
    and exists (
      select from memberships m
      where m.organization_id = organizations.id and m.user_id = (select current_user_id())
    )
  );
create policy organizations_identity_insert on organizations for insert to tollhouse_identity
  with check (id = (select current_organization_id()));
create policy organizations_operator_select on organizations for select to tollhouse_operator using (true);
create policy organizations_doorkeeper_select on organizations for select to tollhouse_doorkeeper using (true);

-- memberships: a member sees those of the active organization and its own, and adds some if it may; only who may
-- write the organization makes owners; signing up makes the first one
alter table memberships enable row level security;
alter table memberships force row level security;
grant select on memberships to tollhouse_operator, tollhouse_doorkeeper;
grant select, insert on memberships to tollhouse_member, tollhouse_identity;
create policy memberships_member_select on memberships for select to tollhouse_member
  using (organization_id = (select current_organization_id()) or user_id = (select current_user_id()));
create policy memberships_member_insert on memberships for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('members:write'))
    and (role <> 'OWNER' or (select has_permission('organization:write')))
  );
create policy memberships_identity_select on memberships for select to tollhouse_identity
  using (user_id = (select current_user_id()));
create policy memberships_identity_insert on memberships for insert to tollhouse_identity
  with check (
    organization_id = (select current_organization_id()) and user_id = (select current_user_id()) and role = 'OWNER'
  );
create policy memberships_operator_select on memberships for select to tollhouse_operator using (true);
create policy memberships_doorkeeper_select on memberships for select to tollhouse_doorkeeper using (true);

-- handles: added beside what they name, looked up through resolve_handle alone
alter table handles enable row level security;
alter table handles force row level security;
grant select on handles to tollhouse_doorkeeper;
grant insert on handles to tollhouse_member, tollhouse_public;
create policy handles_member_insert on handles for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and kind = 'payment-link'
    and (select has_permission('payments:write'))
  );
-- That the order is one of this link's is not asked: who made an order does not see it before it comes back with the
-- token. A handle of another order of the tenant needs that order's id, which the public is never shown.
create policy handles_public_insert on handles for insert to tollhouse_public
  with check (organization_id = (select current_organization_id()) and kind = 'payment-order');
create policy handles_doorkeeper_select on handles for select to tollhouse_doorkeeper using (true);

-- the law: chain -----------------------------------------------------------------------------------------------------

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
create policy assets_public_select on assets for select to tollhouse_public using (true);
create policy assets_member_select on assets for select to tollhouse_member using (true);
create policy assets_operator_select on assets for select to tollhouse_operator using (true);
create policy assets_worker_select on assets for select to tollhouse_worker using (true);
create policy assets_worker_insert on assets for insert to tollhouse_worker with check (true);
create policy assets_worker_update on assets for update to tollhouse_worker using (true) with check (true);

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

-- watched_accounts: added by who may take payments, read by the worker alone
alter table watched_accounts enable row level security;
alter table watched_accounts force row level security;
grant insert on watched_accounts to tollhouse_member;
grant select on watched_accounts to tollhouse_worker;
create policy watched_accounts_member_insert on watched_accounts for insert to tollhouse_member
  with check ((select has_permission('payments:write')));
create policy watched_accounts_worker_select on watched_accounts for select to tollhouse_worker using (true);

-- the law: payments --------------------------------------------------------------------------------------------------

-- Two questions that a policy cannot answer, each through one narrow door.
grant execute on function count_open_orders(uuid, bytea) to tollhouse_public;
grant execute on function is_proved_payee(text) to tollhouse_member;

-- payment_links: written by who may write payments; a payer sees the one whose slug it came with
alter table payment_links enable row level security;
alter table payment_links force row level security;
grant select, insert on payment_links to tollhouse_member;
grant select (organization_id, id, slug, title, description, status, order_lifetime_minutes, deleted_at)
  on payment_links to tollhouse_public;
grant select on payment_links to tollhouse_operator;
create policy payment_links_member_select on payment_links for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and deleted_at is null);
create policy payment_links_member_insert on payment_links for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and created_by_id = (select current_user_id())
    and (select has_permission('payments:write'))
  );
create policy payment_links_public_select on payment_links for select to tollhouse_public
  using (
    organization_id = (select current_organization_id())
    and id = (select current_target_id())
    and deleted_at is null
  );
create policy payment_links_operator_select on payment_links for select to tollhouse_operator using (true);

-- payment_link_accepts: as the link they belong to
alter table payment_link_accepts enable row level security;
alter table payment_link_accepts force row level security;
grant select, insert on payment_link_accepts to tollhouse_member;
grant select on payment_link_accepts to tollhouse_public, tollhouse_operator;
create policy payment_link_accepts_member_select on payment_link_accepts for select to tollhouse_member
  using (organization_id = (select current_organization_id()));
create policy payment_link_accepts_member_insert on payment_link_accepts for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id()) and (select has_permission('payments:write'))
  );
create policy payment_link_accepts_public_select on payment_link_accepts for select to tollhouse_public
  using (
    organization_id = (select current_organization_id()) and payment_link_id = (select current_target_id())
  );
create policy payment_link_accepts_operator_select on payment_link_accepts for select to tollhouse_operator
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
  using (organization_id = (select current_organization_id()));
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
create policy payment_orders_doorkeeper_select on payment_orders for select to tollhouse_doorkeeper
  using (organization_id = (select current_organization_id()));

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
  using (organization_id = (select current_organization_id()));
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
  using (organization_id = (select current_organization_id()));
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

-- the law: events ----------------------------------------------------------------------------------------------------

-- events: appended by whoever does the deed, inside the tenant, each role only its own facts; never changed
grant execute on function current_event_epoch() to
  tollhouse_public, tollhouse_identity, tollhouse_member, tollhouse_worker;

alter table event_epochs enable row level security;
alter table event_epochs force row level security;
grant select on event_epochs to tollhouse_doorkeeper;
create policy event_epochs_doorkeeper_select on event_epochs for select to tollhouse_doorkeeper using (true);

alter table events enable row level security;
alter table events force row level security;
grant select, insert on events to tollhouse_member, tollhouse_worker;
grant insert on events to tollhouse_public, tollhouse_identity;
grant select on events to tollhouse_operator;
create policy events_member_select on events for select to tollhouse_member
  using (organization_id = (select current_organization_id()));
create policy events_member_insert on events for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and actor = 'user:' || (select current_user_id())
    and case type
      when 'payment-link.created' then (select has_permission('payments:write'))
      when 'membership.added' then (select has_permission('members:write'))
    end
  );
create policy events_public_insert on events for insert to tollhouse_public
  with check (
    organization_id = (select current_organization_id()) and actor = 'payer' and type = 'payment-order.created'
  );
create policy events_identity_insert on events for insert to tollhouse_identity
  with check (
    organization_id = (select current_organization_id())
    and actor = 'user:' || (select current_user_id())
    and type in ('user.signed-up', 'organization.created')
  );
create policy events_worker_select on events for select to tollhouse_worker
  using (organization_id = (select current_organization_id()));
create policy events_worker_insert on events for insert to tollhouse_worker
  with check (organization_id = (select current_organization_id()) and actor = 'worker');
create policy events_operator_select on events for select to tollhouse_operator using (true);

-- the law: audit -----------------------------------------------------------------------------------------------------

-- audit_entries: written by the trigger alone, read by who may, changed by nobody
alter table audit_entries enable row level security;
alter table audit_entries force row level security;
grant insert on audit_entries to tollhouse_auditor;
grant select on audit_entries to tollhouse_member, tollhouse_operator;
create policy audit_entries_auditor_insert on audit_entries for insert to tollhouse_auditor with check (true);
create policy audit_entries_member_select on audit_entries for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('audit:read')));
create policy audit_entries_operator_select on audit_entries for select to tollhouse_operator using (true);

-- their narrow owners ------------------------------------------------------------------------------------------------

-- last of all, since after this the owner of the tables may no longer grant these functions
grant create on schema public to tollhouse_doorkeeper, tollhouse_auditor;
alter function current_event_epoch() owner to tollhouse_doorkeeper;
alter function enter_session(uuid, uuid) owner to tollhouse_doorkeeper;
alter function enter_identity(text, text) owner to tollhouse_doorkeeper;
alter function resolve_handle(text, bytea) owner to tollhouse_doorkeeper;
alter function take_rate_limit(bytea, integer, integer) owner to tollhouse_doorkeeper;
alter function count_open_orders(uuid, bytea) owner to tollhouse_doorkeeper;
alter function is_proved_payee(text) owner to tollhouse_doorkeeper;
alter function record_audit_entry() owner to tollhouse_auditor;
revoke create on schema public from tollhouse_doorkeeper, tollhouse_auditor;
