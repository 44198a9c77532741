-- The operator: the platform's own administrators, who see across tenants by a login of their own, and look into one of
-- them without being able to change anything. Whatever one of them does to a tenant is on record there.

-- Who is an operator. Made by whoever has the machine (npm run operator), and ended there; nothing of it is deleted.
create table operators (
  id uuid not null default uuid_v7(),
  user_id uuid not null,
  granted_by text not null,
  reason text not null,
  revoked_at timestamptz(3),
  revoked_by text,
  revoke_reason text,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint operators_pkey primary key (id),
  constraint operators_user_id_fkey foreign key (user_id)
    references users (id) on update restrict on delete restrict,
  constraint operators_granted_by_check check (char_length(granted_by) between 1 and 200),
  constraint operators_reason_check check (char_length(reason) between 1 and 500),
  constraint operators_revoked_by_check check (char_length(revoked_by) between 1 and 200),
  constraint operators_revoke_reason_check check (char_length(revoke_reason) between 1 and 500),
  constraint operators_revoked_check check (
    (revoked_at is null) = (revoked_by is null) and (revoked_at is null) = (revoke_reason is null)
  )
);
create unique index operators_user_id_key on operators (user_id) where revoked_at is null;
create index operators_user_id_idx on operators (user_id);
create trigger operators_touch before update on operators
  for each row execute function touch_updated_at();

create type operator_deed as enum ('SUSPEND', 'RESTORE', 'IMPERSONATE');

-- What an operator set about, with its reason; written before it is done, and never changed.
create table operator_actions (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  deed operator_deed not null,
  user_id uuid not null,
  user_name text not null,
  session_id uuid not null,
  reason text not null,
  request_id text not null,
  expires_at timestamptz(3),
  created_at timestamptz(3) not null default transaction_timestamp(),
  constraint operator_actions_pkey primary key (organization_id, id),
  constraint operator_actions_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict,
  constraint operator_actions_user_name_check check (char_length(user_name) between 1 and 200),
  constraint operator_actions_reason_check check (char_length(reason) between 1 and 500),
  constraint operator_actions_request_id_check check (char_length(request_id) between 1 and 64),
  -- looking in ends within minutes, and nothing else ends
  constraint operator_actions_expires_at_check check (
    case deed
      when 'IMPERSONATE' then expires_at between created_at and created_at + interval '10 minutes'
      else expires_at is null
    end
  )
);
create index operator_actions_organization_id_created_at_id_idx on operator_actions (organization_id, created_at, id);
create index operator_actions_created_at_id_idx on operator_actions (created_at, id);
set local role tollhouse_auditor;
grant execute on function record_audit_entry() to tollhouse_owner;
reset role;
create trigger operator_actions_audit after insert or update or delete on operator_actions
  for each row execute function record_audit_entry();
set local role tollhouse_auditor;
revoke execute on function record_audit_entry() from tollhouse_owner;
reset role;

-- the user of a session that an operator asks by; raises TH401 (ended), 42501 (no operator) or TH428 (no fresh proof).
-- The grant comes before the proof: whoever is no operator is not told that one more proof would help. A session that is
-- bound to an organization is good for nothing else.
create function enter_operator(session uuid, fresh_seconds integer) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_user uuid;
  found_proof timestamptz;
begin
  select s.user_id, coalesce(r.proved_at, s.proved_at)
    into found_user, found_proof
    from public.sessions s
    join public.users u on u.id = s.user_id and u.status = 'ACTIVE' and u.deleted_at is null
    left join public.sessions r on r.id = s.root_id
    where s.id = session and s.ended_at is null and s.expires_at > clock_timestamp() and s.domain_id is null
      and r.ended_at is null;
  if not found then
    raise exception 'the session has ended' using errcode = 'TH401';
  elsif not exists (select from public.operators o where o.user_id = found_user and o.revoked_at is null) then
    raise exception 'not an operator' using errcode = '42501';
  elsif found_proof <= clock_timestamp() - make_interval(secs => fresh_seconds) then
    raise exception 'an operator needs a fresh proof' using errcode = 'TH428';
  end if;
  return found_user;
end
$$;

-- what an operator who looks into the organization may read there; raises TH401 when that is over, the session that it
-- was begun in has ended, or the operator is none any more
create function enter_impersonation(impersonation uuid, organization uuid) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from public.operator_actions a
    join public.operators g on g.user_id = a.user_id and g.revoked_at is null
    join public.users u on u.id = a.user_id and u.status = 'ACTIVE' and u.deleted_at is null
    join public.sessions s
      on s.id = a.session_id and s.user_id = a.user_id and s.ended_at is null and s.expires_at > clock_timestamp()
    join public.organizations o on o.id = a.organization_id and o.deleted_at is null
    where a.organization_id = organization and a.id = impersonation
      and a.deed = 'IMPERSONATE' and a.expires_at > clock_timestamp()
      and not exists (select from public.sessions r where r.id = s.root_id and r.ended_at is not null)
  ) then
    raise exception 'the operator does not look in any more' using errcode = 'TH401';
  end if;
  return (
    select string_agg(permission, ' ')
    from unnest(string_to_array(public.permissions_of('OWNER'), ' ')) as permission
    where permission like '%:read'
  );
end
$$;

-- the law ------------------------------------------------------------------------------------------------------------

grant usage on schema public to tollhouse_operator_login;
grant execute on function uuid_v7() to tollhouse_operator;
grant execute on function enter_operator(uuid, integer) to tollhouse_operator_login;
grant execute on function enter_impersonation(uuid, uuid) to tollhouse_gateway;

-- operators: kept by whoever has the machine, as the doorkeeper, and looked at while entering
alter table operators enable row level security;
alter table operators force row level security;
grant select, insert on operators to tollhouse_doorkeeper;
grant update (revoked_at, revoked_by, revoke_reason) on operators to tollhouse_doorkeeper;
create policy operators_doorkeeper_select on operators for select to tollhouse_doorkeeper using (true);
create policy operators_doorkeeper_insert on operators for insert to tollhouse_doorkeeper with check (true);
create policy operators_doorkeeper_update on operators for update to tollhouse_doorkeeper using (true) with check (true);

-- operator_actions: added by an operator in its own name, read by who may read the audit, changed by nobody
alter table operator_actions enable row level security;
alter table operator_actions force row level security;
grant select on operator_actions to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper;
grant insert (organization_id, id, deed, user_id, user_name, session_id, reason, request_id, expires_at)
  on operator_actions to tollhouse_operator;
create policy operator_actions_member_select on operator_actions for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('audit:read')));
create policy operator_actions_operator_select on operator_actions for select to tollhouse_operator using (true);
create policy operator_actions_operator_insert on operator_actions for insert to tollhouse_operator
  with check (user_id = (select current_user_id()) and session_id = (select current_session_id()));
create policy operator_actions_doorkeeper_select on operator_actions for select to tollhouse_doorkeeper using (true);

-- organizations: an operator suspends and restores; whoever changes a row is asked all of its checks
grant execute on function is_flat_json(jsonb) to tollhouse_operator;
grant update (status) on organizations to tollhouse_operator;
create policy organizations_operator_update on organizations for update to tollhouse_operator
  using (true) with check (true);

-- events: an operator tells in the organization what it did to it
set local role tollhouse_doorkeeper;
grant execute on function current_event_epoch() to tollhouse_operator;
reset role;
grant insert on events to tollhouse_operator;
create policy events_operator_insert on events for insert to tollhouse_operator
  with check (
    actor = 'operator:' || (select current_user_id())
    and type in ('organization.suspended', 'organization.restored', 'organization.impersonated')
  );

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function enter_operator(uuid, integer) owner to tollhouse_doorkeeper;
alter function enter_impersonation(uuid, uuid) owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
