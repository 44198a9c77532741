-- A bound session reaches what is its organization's, and nothing of its user's but itself; and what a member's own
-- scene may not do to its user and organization even without the commands.

-- the person who asks, for what is a person's own: nobody in a bound session, and nobody for a key
create function current_person_id() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('app.person_id', true), '')::uuid $$;

-- raises TH409 in a bound session, whoever is planned behind it
create function require_person() returns void
language plpgsql stable
as $$
begin
  if public.current_user_id() is not null and public.current_person_id() is null then
    raise exception 'the session is bound to an organization' using errcode = 'TH409';
  end if;
end
$$;

-- who a session is now, and as which person; raises TH401 (ended), TH403 (no longer a member), TH409 (bound to another
-- organization) or TH423 (organization suspended). A function that answers more is another one, and is owned by another.
set local role tollhouse_doorkeeper;
drop function enter_session(uuid, uuid);
reset role;
create function enter_session(session uuid, organization uuid)
returns table (user_id uuid, membership_role text, permissions text, person_id uuid)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_user uuid;
  found_role text;
  found_status text;
  bound_to uuid;
begin
  select s.user_id, m.role::text, o.status::text, case when s.domain_id is not null then s.organization_id end
    into found_user, found_role, found_status, bound_to
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
  elsif bound_to <> organization then
    raise exception 'the session is bound to an organization' using errcode = 'TH409';
  elsif found_role is null or found_status is null then
    raise exception 'not a member of this organization' using errcode = 'TH403';
  elsif found_status <> 'ACTIVE' then
    raise exception 'the organization is suspended' using errcode = 'TH423';
  end if;
  return query
    select found_user, found_role, public.permissions_of(found_role), case when bound_to is null then found_user end;
end
$$;

-- what is a person's own is not written from a bound session, through whichever function; a function is hung on a
-- table by whoever may call it
set local role tollhouse_doorkeeper;
grant execute on function refuse_bound_session() to session_user;
reset role;
drop trigger users_refuse_bound on users;
create trigger users_refuse_bound before update on users
  for each statement execute function refuse_bound_session();
create trigger user_profiles_refuse_bound before insert or update or delete on user_profiles
  for each statement execute function refuse_bound_session();
create trigger email_codes_refuse_bound before insert or update or delete on email_codes
  for each statement execute function refuse_bound_session();
create trigger merge_tickets_refuse_bound before insert or update or delete on merge_tickets
  for each statement execute function refuse_bound_session();
-- what functions do to keys on account of memberships is no matter of the session's
create trigger api_keys_refuse_bound before insert or update on api_keys
  for each statement when (current_user = 'tollhouse_member') execute function refuse_bound_session();
set local role tollhouse_doorkeeper;
revoke execute on function refuse_bound_session() from session_user;
reset role;

-- who may sign in: a member's own scene gives up no last wallet and leaves none without a preferred one. It is asked when
-- the transaction ends, since preferring another wallet takes two statements.
create function keep_primary_wallet() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from public.identities where user_id = old.user_id and is_primary) then
    raise exception 'the user would be left without a preferred wallet' using errcode = 'check_violation';
  end if;
  return null;
end
$$;
create constraint trigger identities_keep_primary after update of is_primary or delete on identities
  deferrable initially deferred
  for each row when (old.kind = 'WALLET' and old.is_primary and current_user = 'tollhouse_member')
  execute function keep_primary_wallet();

-- whoever reads a version knows that nothing happened in between
create function keep_version_step() returns trigger
language plpgsql immutable
as $$
begin
  raise exception 'a version rises by one' using errcode = 'check_violation';
end
$$;
create trigger identities_keep_version before update of version on identities
  for each row when (new.version <> old.version and new.version <> old.version + 1)
  execute function keep_version_step();

-- names that would be taken for somebody who speaks for the house, as src/identity/model.ts has them
alter table user_profiles add constraint user_profiles_user_name_reserved check (
  user_name <> all (string_to_array(
    'about account accounts admin administrator all anonymous api app auth billing bot checkout contact demo dev '
    'everyone graphql help here info login logout mail me moderator null official operator owner pay payments root '
    'security settings sign_in sign_out staff status support sysadmin system team test tollhouse undefined unknown '
    'user users www', ' '))
);

-- whatever moves where money goes, or who may act, asks for the fresh proof in the table itself, where the organization
-- asks for one; ten minutes are src/identity/model.ts's. What functions do for their owner is theirs to guard.
create function check_step_up() returns trigger
language plpgsql stable
as $$
begin
  perform public.require_step_up(600);
  return null;
end
$$;
create trigger organizations_check_step_up before update on organizations
  for each statement when (current_user = 'tollhouse_member') execute function check_step_up();
create trigger organization_settings_check_step_up before update on organization_settings
  for each statement when (current_user = 'tollhouse_member') execute function check_step_up();
create trigger store_configurations_check_step_up before update on store_configurations
  for each statement when (current_user = 'tollhouse_member') execute function check_step_up();
create trigger organization_domains_check_step_up before insert or update or delete on organization_domains
  for each statement when (current_user = 'tollhouse_member') execute function check_step_up();
create trigger memberships_check_step_up before insert or update on memberships
  for each statement when (current_user = 'tollhouse_member') execute function check_step_up();
create trigger payment_links_check_step_up before insert on payment_links
  for each statement when (current_user = 'tollhouse_member') execute function check_step_up();
create trigger payment_link_accepts_check_step_up before insert on payment_link_accepts
  for each statement when (current_user = 'tollhouse_member') execute function check_step_up();
-- a key is revoked at any time
create trigger api_keys_check_step_up
  before insert or update of name, description, expires_at, allowed_addresses, allowed_origins, monthly_limit
  on api_keys
  for each statement when (current_user = 'tollhouse_member') execute function check_step_up();

-- which wallets of a user's a link pays to that takes payments, where nobody else could have asked for it once some of the
-- user's identities are gone: an active link of an organization whose payments the user may write, where no other member
-- who may has proved the wallet
create function needed_payees(payee uuid, going uuid[])
returns table (organization_id uuid, identity_id uuid, address text)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select m.organization_id, own.id, own.address
  from public.identities own
  join public.memberships m
    on m.user_id = own.user_id and m.status = 'ACTIVE'
    and 'payments:write' = any (string_to_array(public.permissions_of(m.role::text), ' '))
  join public.organizations o on o.id = m.organization_id and o.deleted_at is null
  join public.payment_link_accepts a on a.organization_id = m.organization_id and a.pay_to = own.address
  join public.payment_links l
    on l.organization_id = a.organization_id and l.id = a.payment_link_id
    and l.status = 'ACTIVE' and l.deleted_at is null
  join public.assets paid on paid.id = a.asset_id
  where own.user_id = payee
    and own.id = any (going)
    and (own.chain_id is null or own.chain_id = paid.chain_id)
    and not exists (
      select from public.identities other
      join public.memberships om
        on om.user_id = other.user_id and om.organization_id = l.organization_id and om.status = 'ACTIVE'
        and 'payments:write' = any (string_to_array(public.permissions_of(om.role::text), ' '))
      where other.kind = 'WALLET' and other.address = own.address and other.id <> all (going)
        and (other.chain_id is null or other.chain_id = paid.chain_id)
    )
$$;

-- whether this wallet of the scene's user is one
grant create on schema public to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
create or replace function is_needed_payee(identity uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (select from public.needed_payees(public.current_user_id(), array[identity]))
$$;
reset role;
revoke create on schema public from tollhouse_doorkeeper;

-- one of the user's, for a link that outlives the user
create or replace function needed_payee_of(leaver uuid) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select own.address
  from public.identities own
  join public.needed_payees(leaver, array(select i.id from public.identities i where i.user_id = leaver)) needed
    on needed.identity_id = own.id
  join public.left_behind(leaver) kept on kept.organization_id = needed.organization_id and not kept.is_alone
  order by own.created_at, own.id
  limit 1
$$;

-- the law ------------------------------------------------------------------------------------------------------------

grant execute on function enter_session(uuid, uuid) to tollhouse_gateway, tollhouse_identity;
grant execute on function current_person_id(), require_person() to tollhouse_member;
grant execute on function needed_payees(uuid, uuid[]) to tollhouse_doorkeeper;

alter policy users_member_update on users
  using (id = (select current_person_id()))
  with check (id = (select current_person_id()));

alter policy identities_member_select on identities
  using (
    user_id = (select current_person_id())
    or id = (select s.identity_id from sessions s where s.id = (select current_session_id()))
  );
alter policy identities_member_insert on identities
  with check (
    user_id = (select current_person_id())
    and nullif((select current_setting('app.identities', true)), '')::jsonb
      @> jsonb_build_array(jsonb_build_object('issuer', issuer, 'subject', subject))
  );
alter policy identities_member_update on identities
  using (user_id = (select current_person_id()))
  with check (user_id = (select current_person_id()));
alter policy identities_member_delete on identities
  using (user_id = (select current_person_id()));

alter policy sessions_member_select on sessions
  using (user_id = (select current_person_id()) or id = (select current_session_id()));
alter policy sessions_member_update on sessions
  using ((user_id = (select current_person_id()) or id = (select current_session_id())) and ended_at is null)
  with check ((user_id = (select current_person_id()) or id = (select current_session_id())) and ended_at is not null);

alter policy sign_in_attempts_member_insert on sign_in_attempts
  with check (user_id = (select current_person_id()) and purpose <> 'SIGN_IN' and outcome = 'OK');

alter policy user_profiles_member_select on user_profiles
  using (user_id = (select current_person_id()));
alter policy user_profiles_member_insert on user_profiles
  with check (user_id = (select current_person_id()));
alter policy user_profiles_member_update on user_profiles
  using (user_id = (select current_person_id()))
  with check (user_id = (select current_person_id()));

alter policy memberships_member_select on memberships
  using (
    organization_id = (select current_organization_id()) and (select has_permission('members:read'))
    or user_id = (select current_person_id())
  );

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function enter_session(uuid, uuid) owner to tollhouse_doorkeeper;
alter function keep_primary_wallet() owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
