-- Switching to another organization opens a session beside the one that signing in began, and lives no longer than it.

alter table sessions
  add column root_id uuid,
  add constraint sessions_root_id_check check (root_id <> id),
  add constraint sessions_root_id_fkey foreign key (root_id)
    references sessions (id) on update restrict on delete restrict;
create index sessions_root_id_idx on sessions (root_id);

grant select (root_id) on sessions to tollhouse_member;
grant update (root_id) on sessions to tollhouse_identity;

-- a function is replaced by its owner, who may not make any in between
grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
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
