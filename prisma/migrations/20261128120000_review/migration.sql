-- What a review of tenancy and identity found: what was half done is told and done again, what comes together comes one
-- after the other, and functions believe no more than they must.

-- invitations: when the mail was handed over; until then whoever invited may send it anew, with another token ---------

alter table invitations
  add column sent_at timestamptz(3),
  add constraint invitations_sent_at_check check (sent_at is null or token_hash is not null),
  -- the longest that INVITATION_DAYS may say, and a day for clocks
  add constraint invitations_expires_at_check check (
    case when isfinite(expires_at) then expires_at - created_at <= interval '91 days' else false end
  );
-- whoever merges asks what the user who goes has signed up by, wherever
create index invitations_claimed_by_id_idx on invitations (claimed_by_id) where claimed_by_id is not null;

-- what was made before this was sent, or was taken back
alter table invitations no force row level security;
alter table invitations disable trigger user;
update invitations set sent_at = created_at where token_hash is not null and revoked_at is null;
alter table invitations enable trigger user;
alter table invitations force row level security;

create function keep_sent_invitation() returns trigger
language plpgsql volatile
as $$
begin
  if old.sent_at is not null or new.invited_by_id is distinct from current_user_id() then
    raise exception 'whoever invited sends the mail, and once' using errcode = '42501';
  end if;
  return new;
end
$$;
create trigger invitations_keep_sent before update of token_hash, sent_at on invitations
  for each row
  when (
    current_user = 'tollhouse_member'
    and (new.token_hash is distinct from old.token_hash or new.sent_at is distinct from old.sent_at)
  )
  execute function keep_sent_invitation();

-- the token that was not sent is nobody's any more
create function renew_invitation_handle() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from public.handles h
  where h.kind = 'invitation' and h.value_hash = old.token_hash
    and h.organization_id = old.organization_id and h.target_id = old.id;
  insert into public.handles (kind, value_hash, organization_id, target_id)
  values ('invitation', new.token_hash, new.organization_id, new.id);
  return null;
end
$$;
create trigger invitations_renew_handle after update of token_hash on invitations
  for each row
  when (new.token_hash <> old.token_hash)
  execute function renew_invitation_handle();

-- counts one more invitation of the scene's organization, and one more of it to the same wallet or address, within an
-- hour; raises TH465 with the seconds until the next. What becomes of the transaction becomes of the count
create function take_invitation_limit(invited text, allowed integer, allowed_same integer) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization text := public.current_organization_id()::text;
  wait integer;
begin
  if not public.has_permission('members:write') then
    raise exception 'whoever may not invite uses nothing up' using errcode = '42501';
  end if;
  wait := greatest(
    public.take_rate_limit(sha256(convert_to('invitations organization ' || organization, 'UTF8')), allowed, 3600),
    public.take_rate_limit(
      sha256(convert_to('invitations organization ' || organization || ' to ' || invited, 'UTF8')), allowed_same, 3600
    )
  );
  if wait > 0 then
    raise exception 'too many were invited; seconds to wait: %', wait using errcode = 'TH465';
  end if;
end
$$;

-- whoever becomes another brings along what they have signed up by
create function move_claims() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update public.invitations i
  set claimed_by_id = new.merged_into_id
  where i.claimed_by_id = new.id and i.accepted_at is null;
  return null;
end
$$;
create trigger users_move_claims after update of merged_into_id on users
  for each row
  when (new.merged_into_id is distinct from old.merged_into_id)
  execute function move_claims();

-- API keys: whoever comes to answer for one is a member until that is committed ----------------------------------------

-- whoever ends the membership waits for this, and then finds the key; or was first, and then there is none
create function hold_responsible() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform from public.memberships m
  where m.organization_id = new.organization_id and m.user_id = new.responsible_id and m.status = 'ACTIVE'
  for share;
  if not found then
    raise exception 'not a member of this organization' using errcode = 'TH403';
  end if;
  return null;
end
$$;
create trigger api_keys_hold_responsible after insert on api_keys
  for each row
  when (new.responsible_id is not null)
  execute function hold_responsible();
create trigger api_keys_hold_new_responsible after update of responsible_id on api_keys
  for each row
  when (new.responsible_id is not null and new.responsible_id is distinct from old.responsible_id)
  execute function hold_responsible();

-- nobody lets a key reach further that may do more than they may; revoking it is free
create function check_key_reach() returns trigger
language plpgsql volatile
as $$
begin
  if (new.scopes <@ string_to_array(current_setting('app.permissions', true), ' ')) is not true then
    raise exception 'nobody lets a key reach further than they do' using errcode = '42501';
  end if;
  return new;
end
$$;
create trigger api_keys_check_reach
  before update of expires_at, allowed_addresses, allowed_origins, monthly_limit on api_keys
  for each row
  when (
    current_user = 'tollhouse_member'
    and (new.expires_at, new.allowed_addresses, new.allowed_origins, new.monthly_limit)
      is distinct from (old.expires_at, old.allowed_addresses, old.allowed_origins, old.monthly_limit)
  )
  execute function check_key_reach();

-- what merging with this ticket would make of API keys: those that the user who goes answers for stop, personal ones for
-- good, others until an owner confirms them; no row when the ticket is not good
create function preview_merged_keys(hash bytea)
returns table (name text, kind text, organization_name text, is_viewers boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select k.name, k.kind::text, o.name, pair.merged_id = public.current_user_id()
  from public.find_merge(hash) pair
  join public.memberships m on m.user_id = pair.merged_id and m.status = 'ACTIVE'
  join public.organizations o on o.id = m.organization_id and o.deleted_at is null
  join public.api_keys k on k.organization_id = m.organization_id and k.responsible_id = pair.merged_id
  where pair.allowed and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
  order by o.created_at, o.id, k.created_at, k.id
$$;

-- facts: from where somebody asked is told in the organization that they worked in, and in no other --------------------

create function forget_client_elsewhere() returns trigger
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
  new.metadata := new.metadata - 'clientAddress' - 'userAgent';
  return new;
end
$$;
create trigger events_forget_client_elsewhere before insert on events
  for each row
  when (
    new.metadata ?| array['clientAddress', 'userAgent']
    and new.organization_id is distinct from current_organization_id()
  )
  execute function forget_client_elsewhere();

-- operators: what they do is on record first, by raw statements too ----------------------------------------------------

create function is_on_record(organization uuid, done operator_deed) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.operator_actions a
    where a.organization_id = organization and a.deed = done
      and a.user_id = public.current_user_id() and a.session_id = public.current_session_id()
      and a.request_id = current_setting('app.request_id', true)
  )
$$;

-- what the trigger names, or what becomes of the status
create function require_record() returns trigger
language plpgsql volatile
as $$
begin
  if not is_on_record(
    new.id, coalesce(tg_argv[0], case new.status when 'SUSPENDED' then 'SUSPEND' else 'RESTORE' end)::operator_deed
  ) then
    raise exception 'an operator puts on record what it sets about' using errcode = '42501';
  end if;
  return new;
end
$$;
create trigger organizations_require_record before update of status on organizations
  for each row
  when (current_user = 'tollhouse_operator' and new.status <> old.status)
  execute function require_record();
create trigger organizations_require_record_of_subscription
  before update of subscription_tier, subscription_expires_at, max_members, max_links on organizations
  for each row
  when (
    current_user = 'tollhouse_operator'
    and (new.subscription_tier, new.subscription_expires_at, new.max_members, new.max_links)
      is distinct from (old.subscription_tier, old.subscription_expires_at, old.max_members, old.max_links)
  )
  execute function require_record('SUBSCRIBE');

-- organizations: one order of locks, and a time to be restored that has bounds -----------------------------------------

-- holds organizations for whoever closes or opens them. Whoever takes several locks takes them in this order: the wallets
-- of users (lockWallets) and the users' rows, by the users' ids; the owners of organizations (lockOwners), by the
-- organizations' ids; their domains; the organizations; and then what is theirs
create function hold_organizations(organizations uuid[]) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid;
begin
  for organization in select distinct id from unnest(organizations) as id order by id loop
    perform pg_advisory_xact_lock(hashtextextended('owners of ' || organization, 0));
  end loop;
  perform from public.organization_domains d
  where d.organization_id = any (organizations)
  order by d.organization_id, d.id
  for update;
  perform from public.organizations o where o.id = any (organizations) order by o.id for update;
end
$$;

-- since when what was deleted may be restored; how many days, within what ORGANIZATION_RETENTION_DAYS may say, is the
-- gateway's word
create function restorable_since(retention_days integer) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp
as $$ select clock_timestamp() - make_interval(days => least(greatest(retention_days, 1), 3650)) $$;

create function is_owner(organization uuid, person uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.memberships m
    where m.organization_id = organization and m.user_id = person and m.role = 'OWNER' and m.status = 'ACTIVE'
  )
$$;

grant execute on function hold_organizations(uuid[]), restorable_since(integer), is_owner(uuid, uuid)
  to tollhouse_doorkeeper;
grant execute on function is_on_record(uuid, operator_deed) to tollhouse_operator, tollhouse_doorkeeper;
grant execute on function take_invitation_limit(text, integer, integer), preview_merged_keys(bytea) to tollhouse_member;

-- a function is replaced by its owner, who may not make any in between
grant create on schema public to tollhouse_doorkeeper;
alter function renew_invitation_handle() owner to tollhouse_doorkeeper;
alter function take_invitation_limit(text, integer, integer) owner to tollhouse_doorkeeper;
alter function move_claims() owner to tollhouse_doorkeeper;
alter function hold_responsible() owner to tollhouse_doorkeeper;
alter function preview_merged_keys(bytea) owner to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;

create or replace function delete_organization(confirmed text, told jsonb) returns table (refusal text, name text, gone timestamptz)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  deleter uuid := public.current_user_id();
  held record;
begin
  perform public.require_fresh_proof();
  perform public.hold_organizations(array[organization]);
  select o.name, o.slug, o.deleted_at into held from public.organizations o where o.id = organization;
  if held.deleted_at is not null then
    raise exception 'not a member of this organization' using errcode = 'TH403';
  elsif not public.is_owner(organization, deleter) then
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

-- an organization that goes along is told of like any that is deleted
create or replace function delete_user(told jsonb) returns table (refusal text, named text[])
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  leaver uuid := public.current_user_id();
  found_names text[];
  closing uuid[];
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
  closing := array(select o.organization_id from public.left_behind(leaver) o where o.is_alone);
  perform public.hold_organizations(closing);
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
  update public.organizations o set deleted_at = clock_timestamp() where o.id = any (closing);
  perform public.tell_of_organization(
    o.id, 'organization.deleted', 'user:' || leaver, jsonb_build_object('slug', o.slug), told
  )
  from public.organizations o
  where o.id = any (closing)
  order by o.id;
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
    and o.deleted_at > public.restorable_since(retention_days)
    and o.purge_began_at is null
    and not exists (
      select from public.sessions s where s.id = public.current_session_id() and s.domain_id is not null
    )
  order by o.deleted_at desc, o.id
  limit 100
$$;

-- opens a deleted organization that somebody owns, while its time lasts; answers its slug, which is another one when its
-- own was taken meanwhile, and null when there is no such organization. An operator has that on record
create or replace function reopen_organization(organization uuid, retention_days integer) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  held record;
  wanted text;
  number integer := 1;
begin
  if current_setting('role') = 'tollhouse_operator' and not public.is_on_record(organization, 'RESTORE') then
    raise exception 'an operator puts on record what it sets about' using errcode = '42501';
  end if;
  perform public.hold_organizations(array[organization]);
  select o.slug, o.deleted_at, o.purge_began_at into held
    from public.organizations o where o.id = organization;
  if held.deleted_at is null or held.purge_began_at is not null
    or held.deleted_at <= public.restorable_since(retention_days)
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
  end if;
  -- nobody else holds anything; and again behind whoever decides about its owners
  if not public.is_owner(organization, restorer) then
    return null;
  end if;
  perform public.hold_organizations(array[organization]);
  if not public.is_owner(organization, restorer) then
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

-- of one user at most a thousand within a day, whatever is said to be allowed
create or replace function create_organization(organization uuid, called text, addressed text, told jsonb, allowed integer)
returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  founder uuid := public.current_user_id();
  wait integer;
begin
  if founder is null then
    raise exception 'nobody is signed in' using errcode = 'TH401';
  elsif exists (
    select from public.sessions s where s.id = public.current_session_id() and s.domain_id is not null
  ) then
    raise exception 'the session is good for one organization alone' using errcode = 'TH409';
  end if;
  wait := public.take_rate_limit(
    sha256(convert_to('organizations of user ' || founder, 'UTF8')), least(coalesce(allowed, 1000), 1000), 86400
  );
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
drop function purge_organization(integer, integer, jsonb);
reset role;

-- purging: invitations and roles go in batches as well, so that no transaction is longer than it is said to be
drop trigger organizations_forget_invitations on organizations;
drop trigger organizations_forget_roles on organizations;
set local role tollhouse_doorkeeper;
drop function forget_invitations(), forget_roles();
reset role;

-- purging: one that fails keeps no other from it ------------------------------------------------------------------------

-- takes away so many rows at most of an organization whose time is over; answers how many. What is left of it in the end
-- is a row without a name
create function take_from_organization(organization uuid, batch integer, told jsonb) returns integer
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  took integer;
  taken integer;
begin
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
  set job_title = null, department = null, role_id = null
  where m.organization_id = organization and m.id in (
    select few.id from public.memberships few
    where few.organization_id = organization
      and (few.job_title is not null or few.department is not null or few.role_id is not null)
    limit batch - taken
  );
  get diagnostics took = row_count;
  taken := taken + took;
  -- one to a wallet has no handle
  with gone as (
    delete from public.invitations i
    where i.organization_id = organization and i.id in (
      select few.id from public.invitations few where few.organization_id = organization limit batch - taken
    )
    returning i.id
  ), forgotten as (
    delete from public.handles h
    using gone
    where h.organization_id = organization and h.target_id = gone.id and h.kind = 'invitation'
  )
  select count(*) into took from gone;
  taken := taken + took;
  -- nobody has any of them any more, or is invited to one
  delete from public.roles r
  where r.organization_id = organization and r.id in (
    select few.id from public.roles few where few.organization_id = organization limit batch - taken
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

-- the same of the one that was deleted first, those passed over apart; no row when there is none for whoever asks. What
-- fails is undone and told
create function purge_organization(retention_days integer, batch integer, told jsonb, passed_over uuid[])
returns table (organization uuid, taken integer, fault text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  for organization in
    select o.id
    from public.organizations o
    where o.deleted_at <= public.restorable_since(retention_days) and o.purged_at is null
      and o.id <> all (passed_over)
    order by o.deleted_at, o.id
  loop
    -- in the order of hold_organizations; who is busy with it is left alone
    if pg_try_advisory_xact_lock(hashtextextended('owners of ' || organization, 0)) then
      perform from public.organizations o
      where o.id = organization and o.purged_at is null
        and o.deleted_at <= public.restorable_since(retention_days)
      for update skip locked;
      exit when found;
    end if;
    organization := null;
  end loop;
  if organization is null then
    return;
  end if;
  begin
    taken := public.take_from_organization(organization, batch, told);
  exception when others or query_canceled then
    fault := sqlstate || ' ' || sqlerrm;
  end;
  return next;
end
$$;

-- the law ---------------------------------------------------------------------------------------------------------------

grant execute on function take_from_organization(uuid, integer, jsonb) to tollhouse_doorkeeper;
grant execute on function purge_organization(integer, integer, jsonb, uuid[]) to tollhouse_worker;
alter function purge_organization(integer, integer, jsonb, uuid[]) owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;

-- invitations: whoever invited says that the mail was sent, or sends another
grant select (sent_at), update (token_hash, sent_at) on invitations to tollhouse_member;
