drop trigger users_refuse_gone on users;
drop trigger user_profiles_refuse_gone on user_profiles;
drop function refuse_gone_user(), refuse_gone_profiles();

alter policy events_identity_insert on events
  with check (
    organization_id = (select current_organization_id())
    and actor = 'user:' || (select current_user_id())
    and type in ('user.signed-up', 'organization.created')
  );
revoke insert (left_at, job_title, department) on memberships from tollhouse_doorkeeper;

grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;

create or replace function delete_user(told jsonb) returns table (refusal text, named text[])
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  leaver uuid := public.current_user_id();
  found_names text[];
begin
  perform pg_advisory_xact_lock(hashtextextended('wallets of ' || leaver, 0));
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

create or replace function merge_users(hash bytea, told jsonb) returns table (survivor_id uuid, allowed boolean)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  pair record;
begin
  select * into pair from public.find_merge(hash);
  if not found then
    return;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('wallets of ' || least(pair.survivor_id, pair.merged_id), 0));
  perform pg_advisory_xact_lock(hashtextextended('wallets of ' || greatest(pair.survivor_id, pair.merged_id), 0));
  -- whatever was waited for may have used the ticket
  select * into pair from public.find_merge(hash);
  if not found then
    return;
  elsif not pair.allowed then
    return query select pair.survivor_id, false;
    return;
  end if;
  perform public.lock_owners(array[pair.survivor_id, pair.merged_id]);
  delete from public.merge_tickets t
  where t.user_id in (pair.survivor_id, pair.merged_id) or t.other_user_id in (pair.survivor_id, pair.merged_id);
  update public.identities i
  set user_id = pair.survivor_id,
      is_primary = i.is_primary and not exists (
        select from public.identities p where p.user_id = pair.survivor_id and p.is_primary
      )
  where i.user_id = pair.merged_id;
  update public.sessions s
  set ended_at = clock_timestamp(), end_reason = 'users merged'
  where s.user_id in (pair.survivor_id, pair.merged_id) and s.ended_at is null;
  perform public.merge_memberships(pair.survivor_id, pair.merged_id);
  perform public.merge_profiles(pair.survivor_id, pair.merged_id);
  -- whoever became the other before is the survivor's past now
  update public.users u
  set merged_into_id = pair.survivor_id
  where u.id = pair.merged_id or u.merged_into_id = pair.merged_id;
  insert into public.events (
    organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
  )
  select
    m.organization_id, 'user.merged', 'user', pair.merged_id, 2, 'user:' || public.current_user_id(),
    array['user:' || pair.survivor_id, 'user:' || pair.merged_id],
    jsonb_build_object('mergedIntoId', pair.survivor_id), told
  from public.memberships m
  join public.organizations o on o.id = m.organization_id and o.deleted_at is null
  where m.user_id = pair.survivor_id and m.status = 'ACTIVE';
  return query select pair.survivor_id, true;
end
$$;

create or replace function refuse_gone_users() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select from public.users u
    where u.id = new.user_id and (u.deleted_at is not null or u.merged_into_id is not null)
  ) then
    raise exception 'the session has ended' using errcode = 'TH401';
  end if;
  return new;
end
$$;

create or replace function check_session_binding() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' then
    if new.domain_id is not null and new.proved_at <> old.proved_at then
      raise exception 'the session is bound to an organization' using errcode = 'TH409';
    end if;
    return new;
  end if;
  if exists (select from public.sessions where id = new.root_id and domain_id is not null) then
    raise exception 'the session is bound to an organization' using errcode = 'TH409';
  end if;
  if new.domain_id is not null then
    perform pg_advisory_xact_lock_shared(hashtextextended('domain ' || new.domain_id, 0));
    if not exists (
      select from public.organization_domains
      where organization_id = new.organization_id and id = new.domain_id and verified_at is not null
    ) then
      raise exception 'the domain is not the organization’s any more' using errcode = 'TH401';
    end if;
  end if;
  return new;
end
$$;

create or replace function enter_identity(identity_issuer text, identity_subject text) returns uuid
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

create or replace function enter_session(session uuid, organization uuid)
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
    where s.id = session and s.ended_at is null and s.expires_at > clock_timestamp()
      and not exists (select from public.sessions r where r.id = s.root_id and r.ended_at is not null);
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

reset role;
revoke create on schema public from tollhouse_doorkeeper;

create or replace function merge_memberships(survivor uuid, merged uuid) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  -- a link that is being made by the other is waited for, and then found below
  select from public.memberships m where m.user_id = merged order by m.organization_id for update;
  insert into public.memberships as kept (organization_id, user_id, role, status, joined_at)
  select m.organization_id, survivor, coalesce(after.role, m.role), m.status, m.joined_at
  from public.memberships m
  left join public.merged_memberships(survivor, merged) after on after.organization_id = m.organization_id
  where m.user_id = merged
  on conflict (organization_id, user_id) do update
    set role = excluded.role, status = 'ACTIVE', joined_at = least(kept.joined_at, excluded.joined_at)
    where excluded.status = 'ACTIVE';
  update public.payment_links l
  set created_by_id = survivor
  from public.memberships m
  where m.user_id = merged and l.organization_id = m.organization_id and l.created_by_id = merged;
  update public.memberships set status = 'LEFT' where user_id = merged and status in ('ACTIVE', 'INVITED')
$$;

create or replace function mark_membership() returns trigger
language plpgsql
as $$
begin
  new.left_at := case when new.status in ('LEFT', 'REMOVED') then coalesce(old.left_at, clock_timestamp()) end;
  return new;
end
$$;

drop function require_fresh_proof();
