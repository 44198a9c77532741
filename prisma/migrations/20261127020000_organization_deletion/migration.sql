-- Organizations are deleted, restored within a time, and then purged: what is left is a tombstone, with its payments,
-- events and audit.

alter table organizations
  add column purge_began_at timestamptz(3),
  add column purged_at timestamptz(3),
  add constraint organizations_purge_began_at_check check (purge_began_at is null or deleted_at is not null),
  add constraint organizations_purged_at_check check (purged_at is null or purge_began_at is not null);
create index organizations_deleted_at_idx on organizations (deleted_at) where deleted_at is not null and purged_at is null;

-- what the functions below are made of; they run as whoever calls them, which is the doorkeeper alone --------------------

-- whether an order could still be credited or taken back, or holds money that never sufficed
create function has_open_money(organization uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.payment_orders p
    where p.organization_id = organization
      and (
        p.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'PAID')
        -- what came in and never sufficed, or came back after all
        or p.status = 'EXPIRED' and p.credited_units > 0
      )
  )
$$;

create or replace function left_behind(leaver uuid)
returns table (organization_id uuid, name text, is_alone boolean, is_last_owner boolean, has_open_money boolean)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select
    o.id,
    o.name,
    others.owners is null,
    m.role = 'OWNER' and others.owners = 0,
    public.has_open_money(o.id)
  from public.memberships m
  join public.organizations o on o.id = m.organization_id and o.deleted_at is null
  -- null where there is nobody else
  cross join lateral (
    select sum((other.role = 'OWNER')::integer) as owners
    from public.memberships other
    join public.users u on u.id = other.user_id and u.status = 'ACTIVE' and u.deleted_at is null
    where other.organization_id = m.organization_id and other.user_id <> leaver and other.status = 'ACTIVE'
  ) others
  where m.user_id = leaver and m.status = 'ACTIVE'
$$;

-- tells of an organization in it, behind what was told of it before
create function tell_of_organization(organization uuid, fact text, teller text, words jsonb, told jsonb) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  insert into public.events (
    organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
  )
  select
    organization, fact, 'organization', organization, coalesce(max(e.aggregate_version), 0) + 1, teller,
    array['organization:' || organization] || array_remove(array[substring(teller from '^user:.*')], null), words, told
  from public.events e
  where e.organization_id = organization and e.aggregate_type = 'organization' and e.aggregate_id = organization
$$;

-- whoever deletes an organization, in whatever function: its domains are free, its keys revoked, and sessions that work in
-- it end, but for those that others were switched from which work elsewhere. An order that is being made holds the organization, and so
-- is waited for; if there is one now, everything is undone and begins anew.
create function close_organization() returns trigger
language plpgsql volatile
as $$
begin
  if current_user <> 'tollhouse_doorkeeper' then
    return new;
  end if;
  perform from public.organizations o where o.id = new.id for update;
  if public.has_open_money(new.id) then
    raise exception 'an order was made meanwhile' using errcode = '40001';
  end if;
  update public.organization_domains d
  set verified_at = null, is_primary = false
  where d.organization_id = new.id and d.verified_at is not null;
  update public.api_keys k
  set revoked_at = clock_timestamp()
  where k.organization_id = new.id and k.revoked_at is null;
  update public.sessions s
  set ended_at = clock_timestamp(), end_reason = 'organization deleted'
  where s.organization_id = new.id and s.ended_at is null
    and not exists (
      select from public.sessions beside
      where beside.root_id = s.id and beside.organization_id <> new.id and beside.ended_at is null
    );
  return new;
end
$$;
create trigger organizations_close before update of deleted_at on organizations
  for each row
  when (old.deleted_at is null and new.deleted_at is not null)
  execute function close_organization();

-- nothing begins in an organization that was deleted since whoever does it came in: a policy would say so, could it wait
-- for whoever deletes. Asked behind the policies, so that whoever may not do it is told nothing
create function refuse_deleted_organization() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  gone timestamptz;
begin
  -- the key alone is held, as by a reference: whoever deletes the organization waits, and whoever changes it does not
  select o.deleted_at into gone from public.organizations o where o.id = new.organization_id for key share;
  if gone is not null then
    raise exception 'row-level security knows no row of an organization that was deleted meanwhile'
      using errcode = '42501';
  end if;
  return null;
end
$$;
create trigger payment_orders_refuse_deleted after insert on payment_orders
  for each row execute function refuse_deleted_organization();
create trigger organization_domains_refuse_deleted after update of verified_at on organization_domains
  for each row
  when (new.verified_at is not null and old.verified_at is null and current_user = 'tollhouse_member')
  execute function refuse_deleted_organization();

-- the doors -----------------------------------------------------------------------------------------------------------

-- deletes the scene's organization, for an owner who names its slug; answers when, or why not. Raises TH403 and 42501
create function delete_organization(confirmed text, told jsonb) returns table (refusal text, name text, gone timestamptz)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  deleter uuid := public.current_user_id();
  held record;
begin
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

-- what the scene's user has owned and may restore; nothing in a session that is good for one organization alone
create function deleted_organizations(retention_days integer)
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

-- opens a deleted organization that somebody owns, while its time lasts; answers its slug, which is another one when its
-- own was taken meanwhile, and null when there is no such organization
create function reopen_organization(organization uuid, retention_days integer) returns text
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

-- the same, for a member who owned it, and told in it; raises TH401 without a user, and TH409 in a session that is good
-- for one organization alone
create function restore_organization(organization uuid, retention_days integer, told jsonb) returns text
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

-- takes away so many rows at most of one organization whose time is over; answers how many, 0 when there is nothing to do
-- for whoever asks. What is left of it in the end is a row without a name.
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

-- the law -------------------------------------------------------------------------------------------------------------

grant execute on function
  has_open_money(uuid), tell_of_organization(uuid, text, text, jsonb, jsonb)
to tollhouse_doorkeeper;
grant execute on function
  delete_organization(text, jsonb), deleted_organizations(integer), restore_organization(uuid, integer, jsonb)
to tollhouse_member;
grant execute on function reopen_organization(uuid, integer) to tollhouse_operator;
grant execute on function purge_organization(integer, integer, jsonb) to tollhouse_worker;

-- organizations, and what goes when one is purged
grant update (name, slug, description, contact_email, address, metadata, purge_began_at, purged_at)
  on organizations to tollhouse_doorkeeper;
grant update (verified_at, is_primary), delete on organization_domains to tollhouse_doorkeeper;
create policy organization_domains_doorkeeper_update on organization_domains for update to tollhouse_doorkeeper
  using (true) with check (true);
create policy organization_domains_doorkeeper_delete on organization_domains for delete to tollhouse_doorkeeper
  using (true);
grant select, delete on organization_settings to tollhouse_doorkeeper;
create policy organization_settings_doorkeeper_select on organization_settings for select to tollhouse_doorkeeper
  using (true);
create policy organization_settings_doorkeeper_delete on organization_settings for delete to tollhouse_doorkeeper
  using (true);
grant select, delete on store_configurations to tollhouse_doorkeeper;
create policy store_configurations_doorkeeper_select on store_configurations for select to tollhouse_doorkeeper
  using (true);
create policy store_configurations_doorkeeper_delete on store_configurations for delete to tollhouse_doorkeeper
  using (true);
grant update (job_title, department) on memberships to tollhouse_doorkeeper;
grant delete on api_keys to tollhouse_doorkeeper;
create policy api_keys_doorkeeper_delete on api_keys for delete to tollhouse_doorkeeper using (true);

-- events: what becomes of an organization is told in it, wherever whoever does it works
alter policy events_doorkeeper_insert on events
  with check (
    type in (
      'user.merged', 'user.deleted', 'organization.created', 'organization.deleted', 'organization.undeleted',
      'organization.purged', 'membership.left'
    )
  );
alter policy events_doorkeeper_select on events using (true);

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function refuse_deleted_organization() owner to tollhouse_doorkeeper;
alter function delete_organization(text, jsonb) owner to tollhouse_doorkeeper;
alter function deleted_organizations(integer) owner to tollhouse_doorkeeper;
alter function reopen_organization(uuid, integer) owner to tollhouse_doorkeeper;
alter function restore_organization(uuid, integer, jsonb) owner to tollhouse_doorkeeper;
alter function purge_organization(integer, integer, jsonb) owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
