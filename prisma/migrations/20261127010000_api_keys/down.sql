alter policy events_member_insert on events
  with check (
    actor = 'user:' || (select current_user_id())
    and (
      organization_id = (select current_organization_id())
      and case type
        when 'payment-link.created' then (select has_permission('payments:write'))
        when 'membership.added' then (select has_permission('members:write'))
        when 'membership.updated' then (select has_permission('members:write'))
        when 'membership.removed' then (select has_permission('members:write'))
      end
      or type in ('wallet.linked', 'wallet.unlinked', 'wallet.primary-changed', 'identity.linked', 'identity.unlinked')
      and organization_id in (select id from organizations)
      or type in (
        'organization.updated', 'organization-settings.updated', 'store-configuration.updated',
        'domain.added', 'domain.verified', 'domain.primary-changed', 'domain.removed'
      )
      and organization_id = (select current_organization_id())
      and (select has_permission('organization:write'))
    )
  );
alter policy idempotency_keys_member_insert on idempotency_keys
  with check (
    organization_id = (select current_organization_id()) and principal = 'user:' || (select current_user_id())
  );
alter policy idempotency_keys_member_select on idempotency_keys
  using (
    organization_id = (select current_organization_id()) and principal = 'user:' || (select current_user_id())
  );
alter policy payment_links_member_insert on payment_links
  with check (
    organization_id = (select current_organization_id())
    and created_by_id = (select current_user_id())
    and (select has_permission('payments:write'))
  );
grant create on schema public to tollhouse_auditor;
set local role tollhouse_auditor;
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
      sha256(coalesce(head.hash, decode(repeat('00', 32), 'hex')) || convert_to(
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

create or replace function record_audit_entry() returns trigger
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
reset role;
revoke create on schema public from tollhouse_auditor;
alter table audit_entries drop column key_id;
drop trigger memberships_stop_api_keys on memberships;
drop table api_key_uses, api_keys;
set local role tollhouse_doorkeeper;
drop function enter_key(bytea, bytea, text, text, boolean), confirm_api_key(uuid), stop_api_keys(), equip_api_key();
reset role;
alter table idempotency_keys no force row level security;
delete from idempotency_keys where principal ~ '^key:';
alter table idempotency_keys force row level security;
alter table idempotency_keys
  drop constraint idempotency_keys_principal_check,
  add constraint idempotency_keys_principal_check check (principal ~ '^(user|link):[0-9a-f-]{36}$');
alter table handles no force row level security;
delete from handles where kind = 'api-key';
alter table handles force row level security;
alter table handles
  drop constraint handles_kind_check,
  add constraint handles_kind_check check (kind in ('payment-link', 'payment-order', 'domain'));
drop type api_key_kind;
drop function current_actor(), current_responsible_id(), current_key_id();
create or replace function permissions_of(role text) returns text
language sql immutable parallel safe
as $$
  select case role
    when 'OWNER' then 'organization:read organization:write members:read members:write payment-links:read payments:read '
      'payments:write events:read audit:read'
    when 'ADMIN' then 'organization:read members:read members:write payment-links:read payments:read payments:write '
      'events:read audit:read'
    when 'MEMBER' then 'organization:read members:read payment-links:read payments:read events:read'
  end
$$;
