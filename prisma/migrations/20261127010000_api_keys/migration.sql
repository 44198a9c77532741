-- API keys: viewers that are no person. A key is its organization's, may do what its scopes name, and never more than
-- whoever answers for it may do at that moment.

-- what each role may do, as src/kernel/permissions.ts says it: keys are new
create or replace function permissions_of(role text) returns text
language sql immutable parallel safe
as $$
  select case role
    when 'OWNER' then 'organization:read organization:write members:read members:write payment-links:read payments:read '
      'payments:write events:read audit:read keys:read keys:write'
    when 'ADMIN' then 'organization:read members:read members:write payment-links:read payments:read payments:write '
      'events:read audit:read keys:read keys:write'
    when 'MEMBER' then 'organization:read members:read payment-links:read payments:read events:read'
  end
$$;

-- the key that asks, and the user who answers for it
create function current_key_id() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('app.key_id', true), '')::uuid $$;

create function current_responsible_id() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('app.responsible_id', true), '')::uuid $$;

-- whoever asks, as facts and idempotency keys name them
create function current_actor() returns text
language sql stable parallel safe
as $$ select coalesce('user:' || current_user_id(), 'key:' || current_key_id()) $$;

create type api_key_kind as enum ('SERVICE', 'INTEGRATION', 'PERSONAL');

create table api_keys (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  kind api_key_kind not null,
  name text not null,
  description text,
  prefix text not null,
  secret_hash bytea not null,
  scopes text[] not null,
  created_by_id uuid not null,
  -- null until an owner confirms it
  responsible_id uuid,
  expires_at timestamptz(3),
  allowed_addresses inet[] not null default '{}',
  allowed_origins text[] not null default '{}',
  monthly_limit integer,
  revoked_at timestamptz(3),
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint api_keys_pkey primary key (organization_id, id),
  constraint api_keys_name_check check (char_length(name) between 1 and 100),
  constraint api_keys_description_check check (char_length(description) between 1 and 1000),
  constraint api_keys_prefix_check check (prefix ~ '^[0-9a-f]{16}$'),
  constraint api_keys_secret_hash_check check (octet_length(secret_hash) = 32),
  -- who may act, and what the organization is, is for people
  constraint api_keys_scopes_check check (
    cardinality(scopes) > 0
    and scopes <@ string_to_array(
      'organization:read members:read payment-links:read payments:read payments:write events:read audit:read', ' '
    )
  ),
  constraint api_keys_allowed_addresses_check check (cardinality(allowed_addresses) <= 20),
  constraint api_keys_allowed_origins_check check (cardinality(allowed_origins) <= 20),
  constraint api_keys_monthly_limit_check check (monthly_limit > 0),
  constraint api_keys_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict,
  constraint api_keys_created_by_id_fkey foreign key (organization_id, created_by_id)
    references memberships (organization_id, user_id) on update restrict on delete restrict,
  constraint api_keys_responsible_id_fkey foreign key (organization_id, responsible_id)
    references memberships (organization_id, user_id) on update restrict on delete restrict
);
create unique index api_keys_organization_id_prefix_key on api_keys (organization_id, prefix);
create index api_keys_organization_id_created_at_id_idx on api_keys (organization_id, created_at, id);
create index api_keys_organization_id_created_by_id_idx on api_keys (organization_id, created_by_id);
create index api_keys_organization_id_responsible_id_idx on api_keys (organization_id, responsible_id);

-- How a key was used, apart from the key: no call changes what is audited. A row has its key's id.
create table api_key_uses (
  organization_id uuid not null,
  id uuid not null,
  -- to the hour
  last_used_at timestamptz(3),
  -- the month that was counted last, by its first day in UTC; keys without a limit are not counted
  month date,
  calls integer not null default 0,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint api_key_uses_pkey primary key (organization_id, id),
  constraint api_key_uses_calls_check check (calls >= 0),
  constraint api_key_uses_id_fkey foreign key (organization_id, id)
    references api_keys (organization_id, id) on update restrict on delete cascade
);

alter table handles
  drop constraint handles_kind_check,
  add constraint handles_kind_check check (kind in ('payment-link', 'payment-order', 'domain', 'api-key'));

alter table idempotency_keys
  drop constraint idempotency_keys_principal_check,
  add constraint idempotency_keys_principal_check check (principal ~ '^(user|link|key):[0-9a-f-]{36}$');

create trigger api_keys_touch before update on api_keys
  for each row execute function touch_updated_at();
create trigger api_key_uses_touch before update on api_key_uses
  for each row execute function touch_updated_at();
-- a trigger is made by whoever may call its function, for a moment
set local role tollhouse_auditor;
grant execute on function record_audit_entry() to tollhouse_owner;
reset role;
create trigger api_keys_audit after insert or update or delete on api_keys
  for each row execute function record_audit_entry('secret_hash');
set local role tollhouse_auditor;
revoke execute on function record_audit_entry() from tollhouse_owner;
reset role;

-- a key is found by its prefix, before its organization is known; and it has its row of uses
create function equip_api_key() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.handles (kind, value_hash, organization_id, target_id)
  values ('api-key', sha256(convert_to(new.prefix, 'UTF8')), new.organization_id, new.id);
  insert into public.api_key_uses (organization_id, id) values (new.organization_id, new.id);
  return null;
end
$$;
create trigger api_keys_equip after insert on api_keys
  for each row execute function equip_api_key();

-- nobody who is no member answers for a key: personal ones end, others wait for an owner, even if the member comes back
create function stop_api_keys() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update public.api_keys k
  set revoked_at = case when k.kind = 'PERSONAL' then clock_timestamp() end,
      responsible_id = case when k.kind = 'PERSONAL' then k.responsible_id end
  where k.organization_id = new.organization_id and k.responsible_id = new.user_id and k.revoked_at is null;
  return null;
end
$$;
create trigger memberships_stop_api_keys after update of status on memberships
  for each row
  when (old.status = 'ACTIVE' and new.status <> 'ACTIVE')
  execute function stop_api_keys();

-- makes the scene's user, an owner, answer for a key; whether there was such a key
create function confirm_api_key(key uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update public.api_keys k
  set responsible_id = public.current_user_id()
  where k.organization_id = public.current_organization_id() and k.id = key
    and k.kind <> 'PERSONAL' and k.revoked_at is null
    and exists (
      select from public.memberships m
      where m.organization_id = k.organization_id and m.user_id = public.current_user_id()
        and m.role = 'OWNER' and m.status = 'ACTIVE'
    );
  return found;
end
$$;

-- who a key is now, and what it may do; raises TH451 (no such key, revoked or expired), TH423 (organization suspended),
-- TH452 (not from there), TH453 (nobody answers for it) or TH429 (its limit is reached; the seconds until the next month
-- are the last word)
create function enter_key(prefix_hash bytea, given_hash bytea, address text, origin text, counts boolean)
returns table (organization uuid, key uuid, responsible uuid, permissions text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_key public.api_keys;
  found_status text;
  found_role text;
  -- how long comparing takes tells nothing of what is compared: neither side can know what it looks like
  blind bytea := uuid_send(gen_random_uuid());
  this_month date := date_trunc('month', clock_timestamp() at time zone 'UTC');
begin
  select k.* into found_key
    from public.handles h
    join public.api_keys k on k.organization_id = h.organization_id and k.id = h.target_id
    where h.kind = 'api-key' and h.value_hash = prefix_hash;
  select o.status::text into found_status
    from public.organizations o
    where o.id = found_key.organization_id and o.deleted_at is null;
  if found_key.id is null or found_status is null
    or sha256(blind || found_key.secret_hash) <> sha256(blind || given_hash)
    or found_key.revoked_at is not null or found_key.expires_at <= clock_timestamp()
  then
    raise exception 'no such key' using errcode = 'TH451';
  elsif found_status <> 'ACTIVE' then
    raise exception 'the organization is suspended' using errcode = 'TH423';
  elsif cardinality(found_key.allowed_addresses) > 0
    and not coalesce(address::inet <<= any (found_key.allowed_addresses), false)
    or cardinality(found_key.allowed_origins) > 0
    and not coalesce(origin = any (found_key.allowed_origins), false)
  then
    raise exception 'the key is not good from there' using errcode = 'TH452';
  end if;
  select m.role::text into found_role
    from public.memberships m
    join public.users u on u.id = m.user_id and u.status = 'ACTIVE' and u.deleted_at is null
    where m.organization_id = found_key.organization_id and m.user_id = found_key.responsible_id
      and m.status = 'ACTIVE';
  if found_role is null then
    raise exception 'nobody answers for the key' using errcode = 'TH453';
  end if;
  if counts and found_key.monthly_limit is not null then
    update public.api_key_uses u
    set month = this_month,
        calls = case when u.month = this_month then u.calls + 1 else 1 end,
        last_used_at = date_trunc('hour', clock_timestamp())
    where u.organization_id = found_key.organization_id and u.id = found_key.id
      and (u.month is distinct from this_month or u.calls < found_key.monthly_limit);
    if not found then
      raise exception 'the month is used up for another %', ceil(
        extract(epoch from (this_month + interval '1 month') at time zone 'UTC' - clock_timestamp())
      )::integer using errcode = 'TH429';
    end if;
  elsif counts then
    -- once an hour, and nobody waits for it
    update public.api_key_uses u
    set last_used_at = date_trunc('hour', clock_timestamp())
    from (
      select s.organization_id, s.id
      from public.api_key_uses s
      where s.organization_id = found_key.organization_id and s.id = found_key.id
        and s.last_used_at is distinct from date_trunc('hour', clock_timestamp())
      for update skip locked
    ) as stale
    where u.organization_id = stale.organization_id and u.id = stale.id;
  end if;
  return query select found_key.organization_id, found_key.id, found_key.responsible_id, coalesce(
    (
      select string_agg(scope, ' ')
      from unnest(found_key.scopes) as scope
      where scope = any (string_to_array(public.permissions_of(found_role), ' '))
    ),
    ''
  );
end
$$;

-- the audit ----------------------------------------------------------------------------------------------------------

-- which key made a change; where none did, what is sealed is what it always was
alter table audit_entries add column key_id uuid;

grant create on schema public to tollhouse_auditor;
set local role tollhouse_auditor;
create or replace function record_audit_entry() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  previous jsonb := case when tg_op in ('UPDATE', 'DELETE') then to_jsonb(old) - coalesce(tg_argv, '{}') end;
  following jsonb := case when tg_op in ('INSERT', 'UPDATE') then to_jsonb(new) - coalesce(tg_argv, '{}') end;
  subject jsonb := coalesce(following, previous);
begin
  insert into public.audit_entries (
    organization_id, role, user_id, session_id, request_id, table_name, row_id, verb, before, after, key_id
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
    following,
    nullif(current_setting('app.key_id', true), '')::uuid
  );
  return null;
end
$$;

create or replace function seal_audit_entries(batch integer) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  known public.audit_seals;
  head public.audit_seals;
  entry public.audit_entries;
  sealed integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('seal audit entries', 0)) then
    return null;
  end if;
  select * into known
  from public.audit_seals
  order by epoch desc, transaction_id desc, log_position desc
  limit 1;
  for entry in
    select *
    from public.audit_entries e
    where (e.epoch, e.transaction_id, e.log_position)
        > (coalesce(known.epoch, -1), coalesce(known.transaction_id, '0'), coalesce(known.log_position, 0))
      and (
        e.epoch < public.current_event_epoch()
        or e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
      )
    order by e.epoch, e.transaction_id, e.log_position
    limit least(batch, 1000)
  loop
    select * into head
    from public.audit_seals
    where organization_id = entry.organization_id
    order by position desc
    limit 1;
    head.position := coalesce(head.position, 0) + 1;
    insert into public.audit_seals (organization_id, id, position, hash, epoch, transaction_id, log_position)
    values (
      entry.organization_id,
      entry.id,
      head.position,
      -- docs/domains/audit.md says this text byte for byte
      sha256(coalesce(head.hash, decode(repeat('00', 32), 'hex')) || convert_to((
        jsonb_build_array(
          'tollhouse-audit-1',
          entry.organization_id::text,
          head.position::text,
          entry.id::text,
          entry.epoch::text,
          entry.transaction_id::text,
          entry.log_position::text,
          to_char(entry.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          entry.role,
          entry.user_id::text,
          entry.session_id::text,
          entry.request_id,
          entry.table_name,
          entry.row_id::text,
          entry.verb,
          entry.before,
          entry.after
        )
        || case when entry.key_id is null then '[]' else jsonb_build_array(entry.key_id::text) end
        )::text,
        'UTF8'
      )),
      entry.epoch,
      entry.transaction_id,
      entry.log_position
    );
    sealed := sealed + 1;
  end loop;
  return sealed;
end
$$;
reset role;
revoke create on schema public from tollhouse_auditor;

-- the law ------------------------------------------------------------------------------------------------------------

grant execute on function current_key_id(), current_responsible_id(), current_actor() to
  tollhouse_public, tollhouse_identity, tollhouse_member, tollhouse_worker, tollhouse_operator,
  tollhouse_doorkeeper, tollhouse_auditor;
grant execute on function enter_key(bytea, bytea, text, text, boolean) to tollhouse_gateway;
grant execute on function confirm_api_key(uuid) to tollhouse_member;

-- api_keys: seen by who may read them, each by itself; made by who may write them, within what they may do themselves;
-- nobody but the door reads the hash, and what was revoked stays so
alter table api_keys enable row level security;
alter table api_keys force row level security;
grant select (organization_id, id, kind, name, description, prefix, scopes, created_by_id, responsible_id, expires_at,
  allowed_addresses, allowed_origins, monthly_limit, revoked_at, created_at, updated_at) on api_keys to tollhouse_member;
grant insert (organization_id, id, kind, name, description, prefix, secret_hash, scopes, created_by_id, responsible_id,
  expires_at, allowed_addresses, allowed_origins, monthly_limit) on api_keys to tollhouse_member;
grant update (name, description, expires_at, allowed_addresses, allowed_origins, monthly_limit, revoked_at)
  on api_keys to tollhouse_member;
grant select on api_keys to tollhouse_doorkeeper;
grant update (responsible_id, revoked_at) on api_keys to tollhouse_doorkeeper;
create policy api_keys_member_select on api_keys for select to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and ((select has_permission('keys:read')) or id = (select current_key_id()))
  );
create policy api_keys_member_insert on api_keys for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('keys:write'))
    and created_by_id = (select current_user_id())
    and responsible_id = (select current_user_id())
    and scopes <@ (select string_to_array(current_setting('app.permissions', true), ' '))
  );
create policy api_keys_member_update on api_keys for update to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and revoked_at is null
    and (select has_permission('keys:write'))
  )
  with check (organization_id = (select current_organization_id()));
create policy api_keys_doorkeeper_select on api_keys for select to tollhouse_doorkeeper using (true);
create policy api_keys_doorkeeper_update on api_keys for update to tollhouse_doorkeeper using (true) with check (true);

-- api_key_uses: kept by the door alone, seen like the keys
alter table api_key_uses enable row level security;
alter table api_key_uses force row level security;
grant select on api_key_uses to tollhouse_member;
grant select on api_key_uses to tollhouse_doorkeeper;
grant insert (organization_id, id) on api_key_uses to tollhouse_doorkeeper;
grant update (last_used_at, month, calls) on api_key_uses to tollhouse_doorkeeper;
create policy api_key_uses_member_select on api_key_uses for select to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and ((select has_permission('keys:read')) or id = (select current_key_id()))
  );
create policy api_key_uses_doorkeeper_select on api_key_uses for select to tollhouse_doorkeeper using (true);
create policy api_key_uses_doorkeeper_insert on api_key_uses for insert to tollhouse_doorkeeper with check (true);
create policy api_key_uses_doorkeeper_update on api_key_uses for update to tollhouse_doorkeeper
  using (true) with check (true);

-- payment_links: one that a key makes is made by whoever answers for the key
alter policy payment_links_member_insert on payment_links
  with check (
    organization_id = (select current_organization_id())
    and created_by_id = coalesce((select current_user_id()), (select current_responsible_id()))
    and (select has_permission('payments:write'))
  );

-- idempotency_keys: a key has its own, if it can do anything that takes one
alter policy idempotency_keys_member_select on idempotency_keys
  using (organization_id = (select current_organization_id()) and principal = (select current_actor()));
alter policy idempotency_keys_member_insert on idempotency_keys
  with check (
    organization_id = (select current_organization_id())
    and principal = (select current_actor())
    and ((select current_user_id()) is not null or (select has_permission('payments:write')))
  );

-- events: a key tells of the links that it makes
alter policy events_member_insert on events
  with check (
    actor = (select current_actor())
    and (
      organization_id = (select current_organization_id())
      and case type
        when 'payment-link.created' then (select has_permission('payments:write'))
        when 'membership.added' then (select has_permission('members:write'))
        when 'membership.updated' then (select has_permission('members:write'))
        when 'membership.removed' then (select has_permission('members:write'))
        when 'api-key.created' then (select has_permission('keys:write'))
        when 'api-key.updated' then (select has_permission('keys:write'))
        when 'api-key.confirmed' then (select has_permission('keys:write'))
        when 'api-key.revoked' then (select has_permission('keys:write'))
      end
      or type in ('wallet.linked', 'wallet.unlinked', 'wallet.primary-changed', 'identity.linked', 'identity.unlinked')
      and organization_id in (select id from organizations)
      and (select current_user_id()) is not null
      or type in (
        'organization.updated', 'organization-settings.updated', 'store-configuration.updated',
        'domain.added', 'domain.verified', 'domain.primary-changed', 'domain.removed'
      )
      and organization_id = (select current_organization_id())
      and (select has_permission('organization:write'))
    )
  );

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function equip_api_key() owner to tollhouse_doorkeeper;
alter function stop_api_keys() owner to tollhouse_doorkeeper;
alter function confirm_api_key(uuid) owner to tollhouse_doorkeeper;
alter function enter_key(bytea, bytea, text, text, boolean) owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
