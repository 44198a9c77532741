-- Members change: their role, their job and whether they still are members; no organization is left without an owner.

alter table memberships
  add column left_at timestamptz(3),
  add column job_title text,
  add column department text,
  add constraint memberships_job_title_check check (char_length(job_title) between 1 and 100),
  add constraint memberships_department_check check (char_length(department) between 1 and 100);
-- FORCE binds the owner too, so it is lifted for what the rows that are there must say
alter table memberships no force row level security;
update memberships set left_at = updated_at where status in ('LEFT', 'REMOVED');
alter table memberships force row level security;
alter table memberships
  add constraint memberships_left_at_check check ((left_at is not null) = (status in ('LEFT', 'REMOVED')));

-- when a membership ended, whoever ended it
create function mark_membership() returns trigger
language plpgsql
as $$
begin
  new.left_at := case when new.status in ('LEFT', 'REMOVED') then coalesce(old.left_at, clock_timestamp()) end;
  return new;
end
$$;
create trigger memberships_mark before insert or update of status, left_at on memberships
  for each row execute function mark_membership();

-- raises TH430 when nobody owns the scene's organization; whoever decides about its only owner waits for each other, by
-- the lock of merging and deleting users (lock_owners)
create function require_owner() returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
begin
  perform pg_advisory_xact_lock(hashtextextended('owners of ' || organization, 0));
  if not exists (
    select from public.memberships m
    join public.users u on u.id = m.user_id and u.status = 'ACTIVE' and u.deleted_at is null
    where m.organization_id = organization and m.role = 'OWNER' and m.status = 'ACTIVE'
  ) then
    raise exception 'the organization would be left without an owner' using errcode = 'TH430';
  end if;
end
$$;

-- for members, whatever the statement; functions of the doorkeeper's ask by themselves
create function keep_an_owner() returns trigger
language plpgsql
as $$
begin
  if current_user = 'tollhouse_member' then
    perform require_owner();
  end if;
  return null;
end
$$;
create trigger memberships_keep_an_owner after update of role, status on memberships
  for each row
  when (old.role = 'OWNER' and old.status = 'ACTIVE' and (new.role <> 'OWNER' or new.status <> 'ACTIVE'))
  execute function keep_an_owner();

-- ends the membership that the scene's user has in the scene's organization, and tells of it there; raises TH430
create function leave_organization(told jsonb) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  leaver uuid := public.current_user_id();
  ended uuid;
begin
  perform pg_advisory_xact_lock(hashtextextended('owners of ' || organization, 0));
  update public.memberships m
  set status = 'LEFT'
  where m.organization_id = organization and m.user_id = leaver and m.status = 'ACTIVE'
  returning m.id into ended;
  if ended is null then
    raise exception 'not a member of this organization' using errcode = 'TH403';
  end if;
  perform public.require_owner();
  insert into public.events (
    organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
  )
  select
    organization, 'membership.left', 'membership', ended, coalesce(max(e.aggregate_version), 0) + 1, 'user:' || leaver,
    array['membership:' || ended, 'user:' || leaver], '{}', told
  from public.events e
  where e.organization_id = organization and e.aggregate_type = 'membership' and e.aggregate_id = ended;
end
$$;

-- makes an organization that the scene's user owns, and tells of it there; raises TH401 without a user, and TH409 in a
-- session that is good for one organization alone
create function create_organization(organization uuid, called text, addressed text, told jsonb) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  founder uuid := public.current_user_id();
begin
  if founder is null then
    raise exception 'nobody is signed in' using errcode = 'TH401';
  elsif exists (
    select from public.sessions s where s.id = public.current_session_id() and s.domain_id is not null
  ) then
    raise exception 'the session is good for one organization alone' using errcode = 'TH409';
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

-- the law ------------------------------------------------------------------------------------------------------------

grant execute on function leave_organization(jsonb), create_organization(uuid, text, text, jsonb), require_owner()
  to tollhouse_member;

-- memberships: changed and ended by who may write them, as far as they may do themselves what the member may
grant update (role, status, job_title, department) on memberships to tollhouse_member;
create policy memberships_member_update on memberships for update to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and status = 'ACTIVE'
    and (select has_permission('members:write'))
    and may_grant(role::text)
  )
  with check (
    organization_id = (select current_organization_id())
    and status in ('ACTIVE', 'REMOVED')
    and may_grant(role::text)
  );

-- organizations: a further one is made through its function alone
grant insert (id, name, slug) on organizations to tollhouse_doorkeeper;
create policy organizations_doorkeeper_insert on organizations for insert to tollhouse_doorkeeper with check (true);

alter policy events_doorkeeper_insert on events
  with check (type in ('user.merged', 'user.deleted', 'organization.created', 'membership.left'));
-- the place of a fact is behind the last one of its aggregate
grant select (organization_id, aggregate_type, aggregate_id, aggregate_version) on events to tollhouse_doorkeeper;
create policy events_doorkeeper_select on events for select to tollhouse_doorkeeper
  using (organization_id = (select current_organization_id()));
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

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function require_owner() owner to tollhouse_doorkeeper;
alter function leave_organization(jsonb) owner to tollhouse_doorkeeper;
alter function create_organization(uuid, text, text, jsonb) owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
