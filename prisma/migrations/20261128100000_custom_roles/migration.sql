-- Custom roles: sets of permissions that an organization names for itself. Whoever has one may do what it lists and
-- nothing else; entering reads it in the statement that enters, so that a change counts from the next statement on.

create table roles (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  name text not null,
  description text,
  permissions text[] not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint roles_pkey primary key (organization_id, id),
  constraint roles_name_check check (char_length(name) between 1 and 50),
  -- whoever reads a role's name knows whether it is a built-in one
  constraint roles_name_reserved check (lower(name) not in ('owner', 'admin', 'member')),
  constraint roles_description_check check (char_length(description) between 1 and 500),
  -- owners have all permissions that there are
  constraint roles_permissions_check check (
    cardinality(permissions) > 0 and permissions <@ string_to_array(permissions_of('OWNER'), ' ')
  ),
  constraint roles_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict
);
create unique index roles_organization_id_name_key on roles (organization_id, lower(name));
create index roles_organization_id_created_at_id_idx on roles (organization_id, created_at, id);

-- a role that somebody has, or is invited to, is not deleted; of the two at one instant the key lets one be
alter table memberships
  add column role_id uuid,
  add constraint memberships_role_id_check check (role_id is null or role = 'MEMBER'),
  add constraint memberships_role_id_fkey foreign key (organization_id, role_id)
    references roles (organization_id, id) on update restrict on delete restrict;
create index memberships_organization_id_role_id_idx on memberships (organization_id, role_id);
alter table invitations
  add column role_id uuid,
  add constraint invitations_role_id_check check (role_id is null or role = 'MEMBER'),
  add constraint invitations_role_id_fkey foreign key (organization_id, role_id)
    references roles (organization_id, id) on update restrict on delete restrict;
create index invitations_organization_id_role_id_idx on invitations (organization_id, role_id);

create trigger roles_touch before update on roles
  for each row execute function touch_updated_at();
create trigger roles_check_step_up before insert or update or delete on roles
  for each statement when (current_user = 'tollhouse_member') execute function check_step_up();
-- whoever has the role may do something else from now on
create trigger roles_tell_streams after update on roles
  for each row execute function tell_streams('organization', 'organization_id');
-- a trigger is made by whoever may call its function, for a moment
set local role tollhouse_auditor;
grant execute on function record_audit_entry() to tollhouse_owner;
reset role;
create trigger roles_audit after insert or update or delete on roles
  for each row execute function record_audit_entry();
set local role tollhouse_auditor;
revoke execute on function record_audit_entry() from tollhouse_owner;
reset role;

-- an organization has at most fifty; whoever adds some waits for each other, and then counts what the others have added
create function limit_roles() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('roles of ' || new.organization_id, 0));
  if (select count(*) from public.roles where organization_id = new.organization_id) > 50 then
    raise exception 'the organization would have too many roles' using errcode = 'TH468';
  end if;
  return null;
end
$$;
create trigger roles_limit after insert on roles
  for each row execute function limit_roles();

-- an invitation that nobody can accept any more keeps no role from going
create function let_go_of_role() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update public.invitations i
  set role_id = null
  where i.organization_id = old.organization_id and i.role_id = old.id
    and (i.accepted_at is not null or i.revoked_at is not null or i.expires_at <= clock_timestamp());
  return old;
end
$$;
create trigger roles_let_go before delete on roles
  for each row execute function let_go_of_role();

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

-- a membership that has ended has no custom role any more
create or replace function mark_membership() returns trigger
language plpgsql
as $$
begin
  new.left_at := case
    when new.status in ('LEFT', 'REMOVED') then coalesce(
      old.left_at,
      case when current_user = 'tollhouse_doorkeeper' then new.left_at end,
      clock_timestamp()
    )
  end;
  new.role_id := case when new.status not in ('LEFT', 'REMOVED') then new.role_id end;
  return new;
end
$$;

-- what a role may do: a custom one nothing but what it lists; null where it is not to be seen
create function permissions_held(organization uuid, role text, custom_role uuid) returns text
language sql stable parallel safe
as $$
  select case
    when custom_role is null then public.permissions_of(role)
    else (
      select array_to_string(r.permissions, ' ')
      from public.roles r
      where r.organization_id = organization and r.id = custom_role
    )
  end
$$;

-- nobody gives what they lack: whether whoever asks could do all that the role may when the scene was entered, and can
-- now. To be an owner is more than its permissions, which a custom role may list as well
create function may_grant(role text, custom_role uuid) returns boolean
language sql stable parallel safe
as $$
  select exists (
    select from public.memberships me
    cross join lateral string_to_array(
      public.permissions_held(me.organization_id, may_grant.role, may_grant.custom_role), ' '
    ) as given
    where me.organization_id = public.current_organization_id()
      and me.user_id = public.current_user_id()
      and me.status = 'ACTIVE'
      and (may_grant.role <> 'OWNER' or me.role = 'OWNER')
      and given <@ string_to_array(public.permissions_held(me.organization_id, me.role::text, me.role_id), ' ')
      and given <@ string_to_array(current_setting('app.permissions', true), ' ')
  )
$$;

-- whether whoever asks may leave a membership like that: who is removed keeps no custom role, and is given nothing
create function may_place(standing text, role text, custom_role uuid) returns boolean
language sql stable parallel safe
as $$
  select standing = 'REMOVED' and may_place.role = 'MEMBER' or public.may_grant(may_place.role, custom_role)
$$;

-- the doors, and what they are made of --------------------------------------------------------------------------------

-- whether whoever invited may still do so, and give that role
create function may_still_invite(organization uuid, inviter uuid, given text, given_role uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.memberships m
    join public.users u on u.id = m.user_id and u.status = 'ACTIVE' and u.deleted_at is null
    where m.organization_id = organization and m.user_id = inviter and m.status = 'ACTIVE'
      and (given <> 'OWNER' or m.role = 'OWNER')
      and string_to_array('members:write ' || public.permissions_held(organization, given, given_role), ' ')
        <@ string_to_array(public.permissions_held(m.organization_id, m.role::text, m.role_id), ' ')
  )
$$;
create or replace function is_open_invitation(invitation public.invitations) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select invitation.accepted_at is null and invitation.revoked_at is null
    and invitation.expires_at > clock_timestamp()
    and exists (
      select from public.organizations o
      where o.id = invitation.organization_id and o.status = 'ACTIVE' and o.deleted_at is null
    )
    and public.may_still_invite(
      invitation.organization_id, invitation.invited_by_id, invitation.role::text, invitation.role_id
    )
$$;
drop function may_still_invite(uuid, uuid, text);
create or replace function needed_payees(payee uuid, going uuid[])
returns table (organization_id uuid, identity_id uuid, address text)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select m.organization_id, own.id, own.address
  from public.identities own
  join public.memberships m
    on m.user_id = own.user_id and m.status = 'ACTIVE'
    and 'payments:write' = any (
      string_to_array(public.permissions_held(m.organization_id, m.role::text, m.role_id), ' ')
    )
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
        and 'payments:write' = any (
          string_to_array(public.permissions_held(om.organization_id, om.role::text, om.role_id), ' ')
        )
      where other.kind = 'WALLET' and other.address = own.address and other.id <> all (going)
        and (other.chain_id is null or other.chain_id = paid.chain_id)
    )
$$;

create or replace function merge_memberships(survivor uuid, merged uuid) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  -- a link that is being made by the other is waited for, and then found below
  select from public.memberships m where m.user_id = merged order by m.organization_id for update;
  insert into public.memberships as kept (
    organization_id, user_id, role, role_id, status, joined_at, left_at, job_title, department, invited_by_id
  )
  select
    m.organization_id, survivor, coalesce(after.role, m.role),
    case when coalesce(after.role, m.role) = 'MEMBER' then m.role_id end,
    m.status, m.joined_at, m.left_at, m.job_title, m.department, nullif(m.invited_by_id, survivor)
  from public.memberships m
  left join public.merged_memberships(survivor, merged) after on after.organization_id = m.organization_id
  where m.user_id = merged
  on conflict (organization_id, user_id) do update
    set role = excluded.role,
        -- of the lower role of the two; of two members the one who survives keeps theirs
        role_id = case
          when excluded.role <> 'MEMBER' then null
          when kept.status = 'ACTIVE' and kept.role = 'MEMBER' then kept.role_id
          else excluded.role_id
        end,
        status = 'ACTIVE',
        joined_at = least(kept.joined_at, excluded.joined_at),
        job_title = case
          when kept.status = 'ACTIVE' then coalesce(kept.job_title, excluded.job_title)
          else coalesce(excluded.job_title, kept.job_title)
        end,
        department = case
          when kept.status = 'ACTIVE' then coalesce(kept.department, excluded.department)
          else coalesce(excluded.department, kept.department)
        end,
        invited_by_id = case
          when kept.status = 'ACTIVE' then coalesce(kept.invited_by_id, excluded.invited_by_id)
          else coalesce(excluded.invited_by_id, kept.invited_by_id)
        end
    where excluded.status = 'ACTIVE';
  update public.payment_links l
  set created_by_id = survivor
  from public.memberships m
  where m.user_id = merged and l.organization_id = m.organization_id and l.created_by_id = merged;
  update public.memberships set status = 'LEFT' where user_id = merged and status in ('ACTIVE', 'INVITED')
$$;

-- the law -------------------------------------------------------------------------------------------------------------

grant execute on function permissions_held(uuid, text, uuid) to tollhouse_member, tollhouse_doorkeeper;
grant execute on function may_grant(text, uuid), may_place(text, text, uuid) to tollhouse_member;
grant execute on function may_still_invite(uuid, uuid, text, uuid) to tollhouse_doorkeeper;

-- roles: seen by who may read members, one's own by everybody; made, changed and deleted by who may write members,
-- within what they may do themselves, before and after, and deleted while nobody has them
alter table roles enable row level security;
alter table roles force row level security;
grant select, delete on roles to tollhouse_member, tollhouse_doorkeeper;
grant insert (organization_id, id, name, description, permissions) on roles to tollhouse_member;
grant update (name, description, permissions) on roles to tollhouse_member;
create policy roles_member_select on roles for select to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and (
      (select has_permission('members:read'))
      or exists (
        select from memberships m
        where m.organization_id = roles.organization_id
          and m.role_id = roles.id
          and m.user_id = (select current_user_id())
      )
    )
  );
create policy roles_member_insert on roles for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('members:write'))
    and permissions <@ (select string_to_array(current_setting('app.permissions', true), ' '))
  );
create policy roles_member_update on roles for update to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and (select has_permission('members:write'))
    and permissions <@ (select string_to_array(current_setting('app.permissions', true), ' '))
  )
  with check (
    organization_id = (select current_organization_id())
    and permissions <@ (select string_to_array(current_setting('app.permissions', true), ' '))
  );
create policy roles_member_delete on roles for delete to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and (select has_permission('members:write'))
    and permissions <@ (select string_to_array(current_setting('app.permissions', true), ' '))
    and not exists (
      select from memberships m
      where m.organization_id = roles.organization_id and m.role_id = roles.id
    )
  );
create policy roles_doorkeeper_select on roles for select to tollhouse_doorkeeper using (true);
create policy roles_doorkeeper_delete on roles for delete to tollhouse_doorkeeper
  using (
    not exists (
      select from memberships m
      where m.organization_id = roles.organization_id and m.role_id = roles.id
    )
  );

-- memberships and invitations: whoever gives a role may do all that it may, a custom one included; one's own place in
-- the organization is seen in a session that is bound to its domain as well
grant update (role_id) on memberships to tollhouse_member;
grant insert (role_id), update (role_id) on memberships to tollhouse_doorkeeper;
alter policy memberships_member_select on memberships
  using (
    organization_id = (select current_organization_id())
    and ((select has_permission('members:read')) or user_id = (select current_user_id()))
    or user_id = (select current_person_id())
  );
alter policy memberships_member_update on memberships
  using (
    organization_id = (select current_organization_id())
    and status = 'ACTIVE'
    and (select has_permission('members:write'))
    and may_grant(role::text, role_id)
  )
  with check (
    organization_id = (select current_organization_id())
    and status in ('ACTIVE', 'REMOVED')
    and may_place(status::text, role::text, role_id)
  );
grant select (role_id), insert (role_id) on invitations to tollhouse_member;
grant update (role_id) on invitations to tollhouse_doorkeeper;
alter policy invitations_member_insert on invitations
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('members:write'))
    and may_grant(role::text, role_id)
    and invited_by_id = (select current_user_id())
  );
alter policy invitations_member_update on invitations
  using (
    organization_id = (select current_organization_id())
    and revoked_at is null
    and accepted_at is null
    and (select has_permission('members:write'))
    and may_grant(role::text, role_id)
  );
drop function may_grant(text);

alter policy events_member_insert on events
  with check (
    actor = (select current_actor())
    and (
      organization_id = (select current_organization_id())
      and case type
        when 'payment-link.created' then (select has_permission('payments:write'))
        when 'membership.updated' then (select has_permission('members:write'))
        when 'membership.removed' then (select has_permission('members:write'))
        when 'invitation.created' then (select has_permission('members:write'))
        when 'invitation.revoked' then (select has_permission('members:write'))
        when 'role.created' then (select has_permission('members:write'))
        when 'role.updated' then (select has_permission('members:write'))
        when 'role.deleted' then (select has_permission('members:write'))
        when 'api-key.created' then (select has_permission('keys:write'))
        when 'api-key.updated' then (select has_permission('keys:write'))
        when 'api-key.confirmed' then (select has_permission('keys:write'))
        when 'api-key.revoked' then (select has_permission('keys:write'))
      end
      or type in ('wallet.linked', 'wallet.unlinked', 'wallet.primary-changed', 'identity.linked', 'identity.unlinked')
      and organization_id in (select id from organizations)
      and (select current_user_id()) is not null
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
alter function limit_roles() owner to tollhouse_doorkeeper;
alter function let_go_of_role() owner to tollhouse_doorkeeper;
alter function forget_roles() owner to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
-- who a session is now, and as which person; raises TH401 (ended), TH403 (no longer a member), TH409 (bound to another
-- organization) or TH423 (organization suspended)
create or replace function enter_session(session uuid, organization uuid)
returns table (user_id uuid, membership_role text, permissions text, person_id uuid)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_user uuid;
  found_role text;
  found_permissions text;
  found_status text;
  bound_to uuid;
begin
  select
      s.user_id,
      coalesce(array_to_string(r.permissions, ' '), public.permissions_of(m.role::text)),
      m.role::text,
      o.status::text,
      case when s.domain_id is not null then s.organization_id end
    into found_user, found_permissions, found_role, found_status, bound_to
    from public.sessions s
    join public.users u
      on u.id = s.user_id and u.status = 'ACTIVE' and u.deleted_at is null and u.merged_into_id is null
    left join public.memberships m
      on m.organization_id = organization and m.user_id = s.user_id and m.status = 'ACTIVE'
    left join public.roles r on r.organization_id = m.organization_id and r.id = m.role_id
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
    select found_user, found_role, found_permissions, case when bound_to is null then found_user end;
end
$$;

-- who a key is now, and what it may do
create or replace function enter_key(prefix_hash bytea, given_hash bytea, address text, origin text, counts boolean)
returns table (organization uuid, key uuid, responsible uuid, permissions text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_key public.api_keys;
  found_status text;
  found_permissions text;
  -- how long comparing takes tells nothing of what is compared: neither side can know what it looks like
  blind bytea := uuid_send(gen_random_uuid());
  this_month date := date_trunc('month', clock_timestamp() at time zone 'UTC');
begin
  select k.* into found_key
    from public.handles h
    join public.api_keys k on k.organization_id = h.organization_id and k.id = h.target_id
    where h.kind = 'api-key' and h.value_hash = prefix_hash;
  select o.status::text into found_status
    from public.organizations o
    where o.id = found_key.organization_id and o.deleted_at is null;
  if found_key.id is null or found_status is null
    or sha256(blind || found_key.secret_hash) <> sha256(blind || given_hash)
    or found_key.revoked_at is not null or found_key.expires_at <= clock_timestamp()
  then
    raise exception 'no such key' using errcode = 'TH451';
  elsif found_status <> 'ACTIVE' then
    raise exception 'the organization is suspended' using errcode = 'TH423';
  elsif cardinality(found_key.allowed_addresses) > 0
    and not coalesce(address::inet <<= any (found_key.allowed_addresses), false)
    or cardinality(found_key.allowed_origins) > 0
    and not coalesce(origin = any (found_key.allowed_origins), false)
  then
    raise exception 'the key is not good from there' using errcode = 'TH452';
  end if;
  select coalesce(array_to_string(r.permissions, ' '), public.permissions_of(m.role::text)) into found_permissions
    from public.memberships m
    left join public.roles r on r.organization_id = m.organization_id and r.id = m.role_id
    join public.users u on u.id = m.user_id and u.status = 'ACTIVE' and u.deleted_at is null
    where m.organization_id = found_key.organization_id and m.user_id = found_key.responsible_id
      and m.status = 'ACTIVE';
  if found_permissions is null then
    raise exception 'nobody answers for the key' using errcode = 'TH453';
  end if;
  if counts and found_key.monthly_limit is not null then
    update public.api_key_uses u
    set month = this_month,
        calls = case when u.month = this_month then u.calls + 1 else 1 end,
        last_used_at = date_trunc('hour', clock_timestamp())
    where u.organization_id = found_key.organization_id and u.id = found_key.id
      and (u.month is distinct from this_month or u.calls < found_key.monthly_limit);
    if not found then
      raise exception 'the month is used up for another %', ceil(
        extract(epoch from (this_month + interval '1 month') at time zone 'UTC' - clock_timestamp())
      )::integer using errcode = 'TH429';
    end if;
  elsif counts then
    -- once an hour, and nobody waits for it
    update public.api_key_uses u
    set last_used_at = date_trunc('hour', clock_timestamp())
    from (
      select s.organization_id, s.id
      from public.api_key_uses s
      where s.organization_id = found_key.organization_id and s.id = found_key.id
        and s.last_used_at is distinct from date_trunc('hour', clock_timestamp())
      for update skip locked
    ) as stale
    where u.organization_id = stale.organization_id and u.id = stale.id;
  end if;
  return query select found_key.organization_id, found_key.id, found_key.responsible_id, coalesce(
    (
      select string_agg(scope, ' ')
      from unnest(found_key.scopes) as scope
      where scope = any (string_to_array(found_permissions, ' '))
    ),
    ''
  );
end
$$;

create or replace function is_proved_payee(account text, on_chain bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.identities i
    join public.memberships m
      on m.user_id = i.user_id and m.organization_id = public.current_organization_id() and m.status = 'ACTIVE'
    where i.kind = 'WALLET' and i.address = account and (i.chain_id is null or i.chain_id = on_chain)
      and 'payments:write' = any (
        string_to_array(public.permissions_held(m.organization_id, m.role::text, m.role_id), ' ')
      )
  )
$$;

create or replace function accept_invitation(given_hash bytea, invitation uuid, told jsonb)
returns table (refusal text, organization uuid, membership uuid)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  accepter uuid := public.current_user_id();
  held public.invitations;
  standing record;
  joined uuid;
begin
  if accepter is null then
    raise exception 'nobody is signed in' using errcode = 'TH401';
  elsif exists (
    select from public.sessions s where s.id = public.current_session_id() and s.domain_id is not null
  ) then
    raise exception 'the session is good for one organization alone' using errcode = 'TH409';
  end if;
  if given_hash is not null then
    select i.* into held
      from public.handles h
      join public.invitations i on i.organization_id = h.organization_id and i.id = h.target_id
      where h.kind = 'invitation' and h.value_hash = given_hash;
  else
    select i.* into held
      from public.identities w
      join public.invitations i
        on i.address = w.subject and w.issuer = 'eip155' || coalesce(':' || i.chain_id, '')
      where w.user_id = accepter and w.kind = 'WALLET' and i.id = invitation
      limit 1;
  end if;
  if held.id is null then
    return query select 'UNKNOWN', null::uuid, null::uuid;
    return;
  end if;
  -- whoever lowers or removes the inviter, and whoever deletes the organization, is waited for
  perform pg_advisory_xact_lock(hashtextextended('owners of ' || held.organization_id, 0));
  select i.* into held
    from public.invitations i
    where i.organization_id = held.organization_id and i.id = held.id
    for update;
  select o.status::text, o.deleted_at into standing from public.organizations o where o.id = held.organization_id;
  refusal := case
    when held.id is null then 'UNKNOWN'
    when held.accepted_at is not null or held.claimed_by_id <> accepter then 'USED'
    when held.revoked_at is not null then 'REVOKED'
    when held.expires_at <= clock_timestamp() then 'EXPIRED'
    when standing.deleted_at is not null then 'VOID'
    when standing.status <> 'ACTIVE' then 'SUSPENDED'
    when not public.may_still_invite(
      held.organization_id, held.invited_by_id, held.role::text, held.role_id
    ) then 'VOID'
    when exists (
      select from public.memberships m
      where m.organization_id = held.organization_id and m.user_id = accepter and m.status = 'ACTIVE'
    ) then 'MEMBER'
  end;
  if refusal is not null then
    return next;
    return;
  end if;
  insert into public.memberships (organization_id, user_id, role, role_id, status, joined_at, invited_by_id)
  values (
    held.organization_id, accepter, held.role, held.role_id, 'ACTIVE', clock_timestamp(), held.invited_by_id
  )
  on conflict (organization_id, user_id) do update
    set role = excluded.role, role_id = excluded.role_id, status = excluded.status,
        joined_at = excluded.joined_at, invited_by_id = excluded.invited_by_id
  returning id into joined;
  update public.invitations i
  set accepted_at = clock_timestamp(), accepted_by_id = accepter
  where i.organization_id = held.organization_id and i.id = held.id;
  insert into public.events (
    organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
  )
  select
    held.organization_id, fact.type, fact.aggregate, fact.id,
    coalesce(
      (
        select max(e.aggregate_version)
        from public.events e
        where e.organization_id = held.organization_id and e.aggregate_type = fact.aggregate and e.aggregate_id = fact.id
      ),
      0
    ) + 1,
    'user:' || accepter,
    array['invitation:' || held.id, 'membership:' || joined, 'user:' || accepter],
    jsonb_strip_nulls(jsonb_build_object('role', held.role, 'roleId', held.role_id)),
    told
  from (
    values ('invitation.accepted', 'invitation', held.id), ('membership.added', 'membership', joined)
  ) as fact (type, aggregate, id);
  return query select null::text, held.organization_id, joined;
end
$$;

-- a function that answers more is another one
drop function own_invitations();
create function own_invitations()
returns table (
  id uuid, organization_name text, role text, custom_role_name text, inviter_name text, expires_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select i.id, o.name, i.role::text, r.name, u.display_name, i.expires_at
  from public.identities w
  join public.invitations i
    on i.address = w.subject and w.issuer = 'eip155' || coalesce(':' || i.chain_id, '')
  join public.organizations o on o.id = i.organization_id
  join public.users u on u.id = i.invited_by_id
  left join public.roles r on r.organization_id = i.organization_id and r.id = i.role_id
  where w.user_id = public.current_user_id() and w.kind = 'WALLET'
    and public.is_open_invitation(i)
    and not exists (
      select from public.memberships m
      where m.organization_id = i.organization_id and m.user_id = w.user_id and m.status = 'ACTIVE'
    )
    and not exists (
      select from public.sessions s where s.id = public.current_session_id() and s.domain_id is not null
    )
  order by i.created_at desc, i.id
  limit 100
$$;
revoke execute on function own_invitations() from public;
grant execute on function own_invitations() to tollhouse_member;
reset role;
revoke create on schema public from tollhouse_doorkeeper;
