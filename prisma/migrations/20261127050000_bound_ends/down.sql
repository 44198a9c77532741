create or replace function needed_payee_of(leaver uuid) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select own.address
  from public.identities own
  join public.memberships m
    on m.user_id = own.user_id and m.status = 'ACTIVE'
    and 'payments:write' = any (string_to_array(public.permissions_of(m.role::text), ' '))
  join public.left_behind(leaver) kept on kept.organization_id = m.organization_id and not kept.is_alone
  join public.payment_link_accepts a on a.organization_id = m.organization_id and a.pay_to = own.address
  join public.payment_links l
    on l.organization_id = a.organization_id and l.id = a.payment_link_id
    and l.status = 'ACTIVE' and l.deleted_at is null
  join public.assets paid on paid.id = a.asset_id
  where own.user_id = leaver
    and (own.chain_id is null or own.chain_id = paid.chain_id)
    and not exists (
      select from public.identities other
      join public.memberships om
        on om.user_id = other.user_id and om.organization_id = l.organization_id and om.status = 'ACTIVE'
        and 'payments:write' = any (string_to_array(public.permissions_of(om.role::text), ' '))
      where other.kind = 'WALLET' and other.address = own.address and other.user_id <> leaver
        and (other.chain_id is null or other.chain_id = paid.chain_id)
    )
  order by own.created_at, own.id
  limit 1
$$;
grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
create or replace function is_needed_payee(identity uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.identities own
    join public.memberships m
      on m.user_id = own.user_id and m.status = 'ACTIVE'
      and 'payments:write' = any (string_to_array(public.permissions_of(m.role::text), ' '))
    join public.organizations o on o.id = m.organization_id and o.deleted_at is null
    join public.payment_link_accepts a on a.organization_id = m.organization_id and a.pay_to = own.address
    join public.payment_links l
      on l.organization_id = a.organization_id and l.id = a.payment_link_id
      and l.status = 'ACTIVE' and l.deleted_at is null
    join public.assets paid on paid.id = a.asset_id
    where own.id = identity
      and own.user_id = public.current_user_id()
      and (own.chain_id is null or own.chain_id = paid.chain_id)
      and not exists (
        select from public.identities other
        join public.memberships om
          on om.user_id = other.user_id and om.organization_id = l.organization_id and om.status = 'ACTIVE'
          and 'payments:write' = any (string_to_array(public.permissions_of(om.role::text), ' '))
        where other.kind = 'WALLET' and other.address = own.address and other.id <> own.id
          and (other.chain_id is null or other.chain_id = paid.chain_id)
      )
  )
$$;
reset role;
revoke create on schema public from tollhouse_doorkeeper;
drop function needed_payees(uuid, uuid[]);

alter policy memberships_member_select on memberships
  using (
    organization_id = (select current_organization_id()) and (select has_permission('members:read'))
    or user_id = (select current_user_id())
  );
alter policy user_profiles_member_update on user_profiles
  using (user_id = (select current_user_id()))
  with check (user_id = (select current_user_id()));
alter policy user_profiles_member_insert on user_profiles
  with check (user_id = (select current_user_id()));
alter policy user_profiles_member_select on user_profiles
  using (user_id = (select current_user_id()));
alter policy sign_in_attempts_member_insert on sign_in_attempts
  with check (user_id = (select current_user_id()) and purpose <> 'SIGN_IN' and outcome = 'OK');
alter policy sessions_member_update on sessions
  using (user_id = (select current_user_id()) and ended_at is null)
  with check (user_id = (select current_user_id()) and ended_at is not null);
alter policy sessions_member_select on sessions
  using (user_id = (select current_user_id()));
alter policy identities_member_delete on identities
  using (user_id = (select current_user_id()));
alter policy identities_member_update on identities
  using (user_id = (select current_user_id()))
  with check (user_id = (select current_user_id()));
alter policy identities_member_insert on identities
  with check (
    user_id = (select current_user_id())
    and nullif((select current_setting('app.identities', true)), '')::jsonb
      @> jsonb_build_array(jsonb_build_object('issuer', issuer, 'subject', subject))
  );
alter policy identities_member_select on identities
  using (user_id = (select current_user_id()));
alter policy users_member_update on users
  using (id = (select current_user_id()))
  with check (id = (select current_user_id()));

drop trigger api_keys_check_step_up on api_keys;
drop trigger payment_link_accepts_check_step_up on payment_link_accepts;
drop trigger payment_links_check_step_up on payment_links;
drop trigger memberships_check_step_up on memberships;
drop trigger organization_domains_check_step_up on organization_domains;
drop trigger store_configurations_check_step_up on store_configurations;
drop trigger organization_settings_check_step_up on organization_settings;
drop trigger organizations_check_step_up on organizations;
alter table user_profiles drop constraint user_profiles_user_name_reserved;
drop trigger identities_keep_version on identities;
drop trigger identities_keep_primary on identities;
drop trigger api_keys_refuse_bound on api_keys;
drop trigger merge_tickets_refuse_bound on merge_tickets;
drop trigger email_codes_refuse_bound on email_codes;
drop trigger user_profiles_refuse_bound on user_profiles;
drop trigger users_refuse_bound on users;
set local role tollhouse_doorkeeper;
grant execute on function refuse_bound_session() to session_user;
reset role;
create trigger users_refuse_bound before update of status, deleted_at on users
  for each statement execute function refuse_bound_session();
set local role tollhouse_doorkeeper;
revoke execute on function refuse_bound_session() from session_user;
reset role;
drop function check_step_up(), keep_version_step(), keep_primary_wallet(), require_person(), current_person_id();

-- a function that answers less is another one
set local role tollhouse_doorkeeper;
drop function enter_session(uuid, uuid);
reset role;
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
    join public.users u
      on u.id = s.user_id and u.status = 'ACTIVE' and u.deleted_at is null and u.merged_into_id is null
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
grant execute on function enter_session(uuid, uuid) to tollhouse_gateway, tollhouse_identity;
grant create on schema public to tollhouse_doorkeeper;
alter function enter_session(uuid, uuid) owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
