revoke select (sent_at), update (token_hash, sent_at) on invitations from tollhouse_member;

grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
create or replace function create_organization(organization uuid, called text, addressed text, told jsonb, allowed integer)
returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  founder uuid := public.current_user_id();
  wait integer := 0;
begin
  if founder is null then
    raise exception 'nobody is signed in' using errcode = 'TH401';
  elsif exists (
    select from public.sessions s where s.id = public.current_session_id() and s.domain_id is not null
  ) then
    raise exception 'the session is good for one organization alone' using errcode = 'TH409';
  end if;
  if allowed is not null then
    wait := public.take_rate_limit(sha256(convert_to('organizations of user ' || founder, 'UTF8')), allowed, 86400);
  end if;
  if wait > 0 then
    raise exception 'too many organizations were made; seconds to wait: %', wait using errcode = 'TH465';
  end if;
  insert into public.organizations (id, name, slug) values (organization, called, addressed);
  insert into public.memberships (organization_id, user_id, role, status, joined_at)
  values (organization, founder, 'OWNER', 'ACTIVE', clock_timestamp());
  insert into public.events (
    organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
  )
  values (
    organization, 'organization.created', 'organization', organization, 1, 'user:' || founder,
    array['organization:' || organization, 'user:' || founder], jsonb_build_object('name', called), told
  );
end
$$;

create or replace function delete_organization(confirmed text, told jsonb) returns table (refusal text, name text, gone timestamptz)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  deleter uuid := public.current_user_id();
  held record;
begin
  perform public.require_fresh_proof();
  perform pg_advisory_xact_lock(hashtextextended('owners of ' || organization, 0));
  -- whoever verifies a domain holds it first, and then its organization
  perform from public.organization_domains d where d.organization_id = organization order by d.id for update;
  select o.name, o.slug, o.deleted_at into held from public.organizations o where o.id = organization for update;
  if held.deleted_at is not null then
    raise exception 'not a member of this organization' using errcode = 'TH403';
  elsif not exists (
    select from public.memberships m
    where m.organization_id = organization and m.user_id = deleter and m.role = 'OWNER' and m.status = 'ACTIVE'
  ) then
    raise exception 'owners alone delete an organization' using errcode = '42501';
  elsif held.slug is distinct from confirmed then
    return query select 'SLUG', held.name, null::timestamptz;
    return;
  elsif public.has_open_money(organization) then
    return query select 'OPEN_MONEY', held.name, null::timestamptz;
    return;
  end if;
  update public.organizations o set deleted_at = clock_timestamp() where o.id = organization;
  perform public.tell_of_organization(
    organization, 'organization.deleted', 'user:' || deleter, jsonb_build_object('slug', held.slug), told
  );
  return query select null::text, held.name, o.deleted_at::timestamptz
    from public.organizations o where o.id = organization;
end
$$;

create or replace function delete_user(told jsonb) returns table (refusal text, named text[])
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  leaver uuid := public.current_user_id();
  found_names text[];
begin
  perform public.require_fresh_proof();
  perform pg_advisory_xact_lock(hashtextextended('wallets of ' || leaver, 0));
  perform from public.users u where leaver in (u.id, u.merged_into_id) order by u.id for update;
  if exists (
    select from public.users where id = leaver and (deleted_at is not null or merged_into_id is not null)
  ) then
    raise exception 'the session has ended' using errcode = 'TH401';
  end if;
  perform public.lock_owners(array[leaver]);
  found_names := array(select name from public.left_behind(leaver) where is_last_owner order by name);
  if cardinality(found_names) > 0 then
    return query select 'LAST_OWNER', found_names;
    return;
  end if;
  found_names := array_remove(array[public.needed_payee_of(leaver)], null);
  if cardinality(found_names) > 0 then
    return query select 'WALLET_IN_USE', found_names;
    return;
  end if;
  found_names := array(select name from public.left_behind(leaver) where is_alone and has_open_money order by name);
  if cardinality(found_names) > 0 then
    return query select 'ORGANIZATION_HAS_OPEN_MONEY', found_names;
    return;
  end if;
  insert into public.events (
    organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
  )
  select
    o.organization_id, 'user.deleted', 'user', leaver, 2, 'user:' || leaver, array['user:' || leaver],
    jsonb_build_object('organizationDeleted', o.is_alone), told
  from public.left_behind(leaver) o;
  update public.organizations
  set deleted_at = clock_timestamp()
  where id in (select o.organization_id from public.left_behind(leaver) o where o.is_alone);
  perform public.forget_user(leaver);
end
$$;

create or replace function deleted_organizations(retention_days integer)
returns table (id uuid, name text, slug text, deleted_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select o.id, o.name, o.slug, o.deleted_at
  from public.memberships m
  join public.organizations o on o.id = m.organization_id
  where m.user_id = public.current_user_id() and m.role = 'OWNER' and m.status = 'ACTIVE'
    and o.deleted_at > clock_timestamp() - make_interval(days => retention_days)
    and o.purge_began_at is null
    and not exists (
      select from public.sessions s where s.id = public.current_session_id() and s.domain_id is not null
    )
  order by o.deleted_at desc, o.id
  limit 100
$$;

create or replace function reopen_organization(organization uuid, retention_days integer) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  held record;
  wanted text;
  number integer := 1;
begin
  select o.slug, o.deleted_at, o.purge_began_at into held
    from public.organizations o where o.id = organization for update;
  if held.deleted_at is null or held.purge_began_at is not null
    or held.deleted_at <= clock_timestamp() - make_interval(days => retention_days)
    or not exists (
      select from public.memberships m
      join public.users u on u.id = m.user_id and u.status = 'ACTIVE' and u.deleted_at is null
      where m.organization_id = organization and m.role = 'OWNER' and m.status = 'ACTIVE'
    )
  then
    return null;
  end if;
  wanted := held.slug;
  loop
    begin
      update public.organizations o set deleted_at = null, slug = wanted where o.id = organization;
      return wanted;
    exception when unique_violation then
      number := number + 1;
      wanted := case
        when number <= 50 then rtrim(left(held.slug, 57), '-') || '-' || number
        else 'org-' || left(replace(gen_random_uuid()::text, '-', ''), 10)
      end;
    end;
  end loop;
end
$$;

create or replace function restore_organization(organization uuid, retention_days integer, told jsonb) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  restorer uuid := public.current_user_id();
  addressed text;
begin
  if restorer is null then
    raise exception 'nobody is signed in' using errcode = 'TH401';
  elsif exists (
    select from public.sessions s where s.id = public.current_session_id() and s.domain_id is not null
  ) then
    raise exception 'the session is good for one organization alone' using errcode = 'TH409';
  elsif not exists (
    select from public.memberships m
    where m.organization_id = organization and m.user_id = restorer and m.role = 'OWNER' and m.status = 'ACTIVE'
  ) then
    return null;
  end if;
  addressed := public.reopen_organization(organization, retention_days);
  if addressed is not null then
    perform public.tell_of_organization(
      organization, 'organization.undeleted', 'user:' || restorer, jsonb_build_object('slug', addressed), told
    );
  end if;
  return addressed;
end
$$;

drop function purge_organization(integer, integer, jsonb, uuid[]);
reset role;
drop function take_from_organization(uuid, integer, jsonb);

create function purge_organization(retention_days integer, batch integer, told jsonb) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid;
  took integer;
  taken integer;
begin
  select o.id into organization
    from public.organizations o
    where o.deleted_at <= clock_timestamp() - make_interval(days => retention_days) and o.purged_at is null
    order by o.deleted_at
    limit 1
    for update skip locked;
  if not found then
    return 0;
  end if;
  update public.organizations o
  set purge_began_at = clock_timestamp(),
      name = 'Deleted organization',
      slug = 'deleted-' || replace(o.id::text, '-', ''),
      description = null, contact_email = null, address = null, metadata = null
  where o.id = organization and o.purge_began_at is null;
  get diagnostics taken = row_count;

  delete from public.organization_domains d
  where d.organization_id = organization and d.id in (
    select few.id from public.organization_domains few where few.organization_id = organization limit batch - taken
  );
  get diagnostics took = row_count;
  taken := taken + took;
  update public.memberships m
  set job_title = null, department = null
  where m.organization_id = organization and m.id in (
    select few.id from public.memberships few
    where few.organization_id = organization and (few.job_title is not null or few.department is not null)
    limit batch - taken
  );
  get diagnostics took = row_count;
  taken := taken + took;
  -- how they were used goes with them
  with gone as (
    delete from public.api_keys k
    where k.organization_id = organization and k.id in (
      select few.id from public.api_keys few where few.organization_id = organization limit batch - taken
    )
    returning k.id
  )
  delete from public.handles h
  using gone
  where h.organization_id = organization and h.target_id = gone.id and h.kind = 'api-key';
  get diagnostics took = row_count;
  taken := taken + took;
  if taken >= batch then
    return taken;
  end if;

  delete from public.store_configurations s where s.organization_id = organization;
  delete from public.organization_settings s where s.organization_id = organization;
  update public.organizations o set purged_at = clock_timestamp() where o.id = organization;
  perform public.tell_of_organization(organization, 'organization.purged', 'worker', '{}', told);
  return taken + 1;
end
$$;

-- when an organization begins to be purged, whom it invited is forgotten
create function forget_invitations() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from public.handles h where h.organization_id = new.id and h.kind = 'invitation';
  delete from public.invitations i where i.organization_id = new.id;
  return null;
end
$$;
create trigger organizations_forget_invitations after update of purge_began_at on organizations
  for each row
  when (old.purge_began_at is null and new.purge_began_at is not null)
  execute function forget_invitations();

-- when an organization begins to be purged, its roles are forgotten, after its invitations: triggers fire in the order
-- of their names
create function forget_roles() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update public.memberships m set role_id = null where m.organization_id = new.id and m.role_id is not null;
  delete from public.roles r where r.organization_id = new.id;
  return null;
end
$$;
create trigger organizations_forget_roles after update of purge_began_at on organizations
  for each row
  when (old.purge_began_at is null and new.purge_began_at is not null)
  execute function forget_roles();

alter function forget_invitations() owner to tollhouse_doorkeeper;
alter function forget_roles() owner to tollhouse_doorkeeper;
grant execute on function purge_organization(integer, integer, jsonb) to tollhouse_worker;
alter function purge_organization(integer, integer, jsonb) owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
drop function restorable_since(integer);
drop function is_owner(uuid, uuid);
drop function hold_organizations(uuid[]);

drop trigger organizations_require_record_of_subscription on organizations;
drop trigger organizations_require_record on organizations;
drop function require_record();
drop function is_on_record(uuid, operator_deed);

drop trigger events_forget_client_elsewhere on events;
drop function forget_client_elsewhere();

drop trigger api_keys_check_reach on api_keys;
drop function check_key_reach();
drop trigger api_keys_hold_new_responsible on api_keys;
drop trigger api_keys_hold_responsible on api_keys;
drop trigger users_move_claims on users;
drop trigger invitations_renew_handle on invitations;
set local role tollhouse_doorkeeper;
drop function preview_merged_keys(bytea);
drop function hold_responsible();
drop function move_claims();
drop function take_invitation_limit(text, integer, integer);
drop function renew_invitation_handle();
reset role;

drop trigger invitations_keep_sent on invitations;
drop function keep_sent_invitation();
drop index invitations_claimed_by_id_idx;
alter table invitations
  drop constraint invitations_expires_at_check,
  drop constraint invitations_sent_at_check,
  drop column sent_at;
