alter policy invitations_member_update on invitations
  using (
    organization_id = (select current_organization_id())
    and revoked_at is null
    and accepted_at is null
    and (select has_permission('members:write'))
  );

create or replace function require_fresh_proof() returns void
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from public.sessions asking
    join public.sessions s on s.id = coalesce(asking.root_id, asking.id)
    where asking.id = public.current_session_id()
      and asking.user_id = public.current_user_id()
      and s.proved_at > clock_timestamp() - interval '10 minutes'
  ) then
    raise exception 'this asks for a fresh proof' using errcode = 'TH428';
  end if;
end
$$;
grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
create or replace function delete_organization(confirmed text, told jsonb) returns table (refusal text, name text, gone timestamptz)
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
create or replace function confirm_api_key(key uuid) returns boolean
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
reset role;
revoke create on schema public from tollhouse_doorkeeper;
