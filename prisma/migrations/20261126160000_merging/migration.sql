-- Two users who turn out to be one person become one: the older one is left, and the other's id goes on meaning it. And
-- users go, and leave nothing but an id.

alter table users
  add column merged_into_id uuid,
  add constraint users_merged_into_id_check check (merged_into_id <> id),
  add constraint users_merged_into_id_fkey foreign key (merged_into_id) references users (id)
    on update restrict on delete restrict;
create index users_merged_into_id_idx on users (merged_into_id);

-- the right to merge with whoever has an identity, of the user who has just proved it, as a digest
create table merge_tickets (
  id uuid not null default uuid_v7(),
  ticket_hash bytea not null,
  user_id uuid not null,
  identity_id uuid not null,
  other_user_id uuid not null,
  expires_at timestamptz(3) not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint merge_tickets_pkey primary key (id),
  constraint merge_tickets_ticket_hash_check check (octet_length(ticket_hash) = 32),
  constraint merge_tickets_other_user_id_check check (other_user_id <> user_id),
  constraint merge_tickets_user_id_fkey foreign key (user_id) references users (id)
    on update restrict on delete restrict,
  constraint merge_tickets_other_user_id_fkey foreign key (other_user_id) references users (id)
    on update restrict on delete restrict,
  constraint merge_tickets_identity_id_fkey foreign key (identity_id) references identities (id)
    on update restrict on delete cascade
);
create unique index merge_tickets_ticket_hash_key on merge_tickets (ticket_hash);
create index merge_tickets_user_id_idx on merge_tickets (user_id);
create index merge_tickets_other_user_id_idx on merge_tickets (other_user_id);
create index merge_tickets_identity_id_idx on merge_tickets (identity_id);
create index merge_tickets_expires_at_idx on merge_tickets (expires_at);
create trigger merge_tickets_touch before update on merge_tickets
  for each row execute function touch_updated_at();

-- a session is of the user whose identity began it: one that is being begun while the identity moves does not come to
-- be, and those that have ended move with it
alter table sessions
  drop constraint sessions_identity_id_fkey,
  add constraint sessions_identity_id_user_id_fkey foreign key (identity_id, user_id)
    references identities (id, user_id) on update cascade on delete set null (identity_id);

-- what the functions below are made of; they run as whoever calls them, which is the doorkeeper alone --------------------

-- the two users that a ticket of the scene's user makes one, the older first, and whether they may be; no row when the
-- ticket is unknown, used, foreign or expired, or its identity has changed hands
create function find_merge(hash bytea) returns table (survivor_id uuid, merged_id uuid, allowed boolean)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select pair.ids[1], pair.ids[2], pair.allowed
  from public.merge_tickets t
  join public.identities i on i.id = t.identity_id and i.user_id = t.other_user_id
  cross join lateral (
    select
      array_agg(u.id order by u.created_at, u.id) as ids,
      bool_and(u.status = 'ACTIVE' and u.deleted_at is null and u.merged_into_id is null) as allowed
    from public.users u
    where u.id in (t.user_id, t.other_user_id)
  ) pair
  where t.ticket_hash = hash and t.user_id = public.current_user_id() and t.expires_at > clock_timestamp()
$$;

-- where either is an active member, with what roles, and with which one the survivor is afterwards: the lower one,
-- unless that leaves nobody who owns the organization
create function merged_memberships(survivor uuid, merged uuid)
returns table (
  organization_id uuid, survivor_role public.membership_role, merged_role public.membership_role,
  role public.membership_role
)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select
    organization_id,
    s.role,
    m.role,
    case
      when s.role is null or m.role is null then coalesce(s.role, m.role)
      when 'OWNER' in (s.role, m.role) and not exists (
        select from public.memberships other
        join public.users u on u.id = other.user_id and u.status = 'ACTIVE' and u.deleted_at is null
        where other.organization_id = coalesce(s.organization_id, m.organization_id)
          and other.role = 'OWNER' and other.status = 'ACTIVE' and other.user_id not in (survivor, merged)
      ) then 'OWNER'
      -- the roles are declared from the highest to the lowest
      else greatest(s.role, m.role)
    end
  from (select * from public.memberships where user_id = survivor and status = 'ACTIVE') s
  full join (select * from public.memberships where user_id = merged and status = 'ACTIVE') m using (organization_id)
$$;

-- who decides about an organization's only owner waits for each other, in the order of the organizations
create function lock_owners(people uuid[]) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_xact_lock(hashtextextended('owners of ' || joined.organization_id, 0))
  from (
    select distinct m.organization_id from public.memberships m where m.user_id = any (people) order by 1
  ) joined
$$;

-- the survivor is a member wherever either was, and made what either made; the other has left
create function merge_memberships(survivor uuid, merged uuid) returns void
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

-- what the survivor has not told of itself is taken from the other, the user name too
create function merge_profiles(survivor uuid, merged uuid) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  other public.user_profiles;
begin
  update public.users s
  set avatar_url = m.avatar_url
  from public.users m
  where s.id = survivor and m.id = merged and s.avatar_url is null and m.avatar_url is not null;
  select * into other from public.user_profiles where user_id = merged for update;
  if not found then
    return;
  end if;
  update public.user_profiles set user_name = null where user_id = merged;
  insert into public.user_profiles (user_id, preferences) values (survivor, '{}') on conflict (user_id) do nothing;
  update public.user_profiles p
  set user_name = coalesce(p.user_name, other.user_name),
      given_name = coalesce(p.given_name, other.given_name),
      family_name = coalesce(p.family_name, other.family_name),
      bio = coalesce(p.bio, other.bio),
      time_zone = coalesce(p.time_zone, other.time_zone),
      language = coalesce(p.language, other.language),
      -- as many keys as a profile may have, and else the survivor's alone
      preferences = case
        when (select count(*) from jsonb_object_keys(other.preferences || p.preferences)) <= 50
        then other.preferences || p.preferences
        else p.preferences
      end
  where p.user_id = survivor;
end
$$;

-- how the user's going concerns each organization that it is an active member of
create function left_behind(leaver uuid)
returns table (organization_id uuid, name text, is_alone boolean, is_last_owner boolean, has_open_money boolean)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select
    o.id,
    o.name,
    others.owners is null,
    m.role = 'OWNER' and others.owners = 0,
    exists (
      select from public.payment_orders p
      where p.organization_id = o.id
        and (
          p.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'PAID')
          -- what came in and never sufficed, or came back after all
          or p.status = 'EXPIRED' and p.credited_units > 0
        )
    )
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

-- a wallet of the user's that a link pays to which outlives the user, and nobody else could have asked for; as
-- is_needed_payee says it
create function needed_payee_of(leaver uuid) returns text
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

-- leaves nothing of the user but an id, with those that have become it
create function forget_user(leaver uuid) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  delete from public.identities where user_id = leaver;
  delete from public.merge_tickets where user_id = leaver or other_user_id = leaver;
  delete from public.email_codes where user_id = leaver;
  update public.sessions
  set ended_at = clock_timestamp(), end_reason = 'user deleted'
  where user_id = leaver and ended_at is null;
  update public.memberships set status = 'LEFT' where user_id = leaver and status in ('ACTIVE', 'INVITED');
  update public.user_profiles p
  set user_name = null, given_name = null, family_name = null, bio = null, time_zone = null, language = null,
      preferences = '{}'
  where p.user_id in (select u.id from public.users u where leaver in (u.id, u.merged_into_id));
  update public.users
  set deleted_at = clock_timestamp(), display_name = 'Deleted user', avatar_url = null
  where leaver in (id, merged_into_id)
$$;

-- who waited for the locks of a user that is gone by now comes too late
create function refuse_gone_users() returns trigger
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
create trigger identities_refuse_gone_users before insert on identities
  for each row execute function refuse_gone_users();

-- the doors -----------------------------------------------------------------------------------------------------------

-- a ticket to merge with whoever has the account that the scene has proved; answers until when it is good, and null when
-- nobody else has it
create function give_merge_ticket(hash bytea, lifetime_seconds integer) returns timestamptz
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  insert into public.merge_tickets (ticket_hash, user_id, identity_id, other_user_id, expires_at)
  select hash, public.current_user_id(), i.id, i.user_id, clock_timestamp() + make_interval(secs => lifetime_seconds)
  from public.identities i
  where i.issuer = current_setting('app.identity_issuer', true)
    and i.subject = current_setting('app.identity_subject', true)
    and i.user_id <> public.current_user_id()
  returning expires_at
$$;

-- what merging with this ticket would make; null when the ticket is not good. API keys, once there are any, belong here
create function preview_merge(hash bytea) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select case
    when not pair.allowed then jsonb_build_object('allowed', false)
    else jsonb_build_object(
      'allowed', true,
      'viewerSurvives', asking.survives,
      'identities', (
        select coalesce(jsonb_agg(
          jsonb_build_object(
            'kind', i.kind, 'issuer', i.issuer, 'subject', i.subject,
            'isViewers', (i.user_id = pair.survivor_id) = asking.survives,
            'isPrimary', i.is_primary and (i.user_id = pair.survivor_id or not exists (
              select from public.identities p where p.user_id = pair.survivor_id and p.is_primary
            ))
          )
          order by i.created_at, i.id
        ), '[]')
        from public.identities i
        where i.user_id in (pair.survivor_id, pair.merged_id)
      ),
      'organizations', (
        select coalesce(jsonb_agg(
          jsonb_build_object(
            'name', o.name, 'role', m.role,
            'viewerRole', case when asking.survives then m.survivor_role else m.merged_role end,
            'otherRole', case when asking.survives then m.merged_role else m.survivor_role end
          )
          order by o.created_at, o.id
        ), '[]')
        from public.merged_memberships(pair.survivor_id, pair.merged_id) m
        join public.organizations o on o.id = m.organization_id and o.deleted_at is null
      )
    )
  end
  from public.find_merge(hash) pair
  cross join lateral (select pair.survivor_id = public.current_user_id() as survives) asking
$$;

-- makes one user of two, if the ticket is good and they may be; no row when it is not good. The locks are those of
-- lockWallets, in the order of the ids
create function merge_users(hash bytea, told jsonb) returns table (survivor_id uuid, allowed boolean)
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

-- deletes the scene's user, with the organizations that nobody else belongs to; answers why not, and on account of what
create function delete_user(told jsonb) returns table (refusal text, named text[])
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

-- the law -------------------------------------------------------------------------------------------------------------

grant execute on function
  find_merge(bytea), merged_memberships(uuid, uuid), lock_owners(uuid[]), merge_memberships(uuid, uuid),
  merge_profiles(uuid, uuid), left_behind(uuid), needed_payee_of(uuid), forget_user(uuid)
to tollhouse_doorkeeper;
grant execute on function
  give_merge_ticket(bytea, integer), preview_merge(bytea), merge_users(bytea, jsonb), delete_user(jsonb)
to tollhouse_member;

-- users: whose id means another is seen by whoever saw them, and by the other
grant select (merged_into_id) on users to tollhouse_member;
alter policy users_member_select on users
  using (
    id = (select current_user_id())
    or merged_into_id = (select current_user_id())
    or exists (
      select from memberships m
      where m.organization_id = (select current_organization_id()) and m.user_id = users.id
    )
  );
-- who signs up has become nobody
revoke insert on users from tollhouse_identity;
grant insert (id, display_name, status) on users to tollhouse_identity;
grant update (display_name, avatar_url, deleted_at, merged_into_id) on users to tollhouse_doorkeeper;
create policy users_doorkeeper_update on users for update to tollhouse_doorkeeper using (true) with check (true);

grant update (user_id, is_primary) on identities to tollhouse_doorkeeper;
grant delete on identities to tollhouse_doorkeeper;
create policy identities_doorkeeper_update on identities for update to tollhouse_doorkeeper
  using (true) with check (true);
create policy identities_doorkeeper_delete on identities for delete to tollhouse_doorkeeper using (true);

grant select on user_profiles to tollhouse_doorkeeper;
grant insert (user_id, preferences) on user_profiles to tollhouse_doorkeeper;
grant update (user_name, given_name, family_name, bio, time_zone, language, preferences)
  on user_profiles to tollhouse_doorkeeper;
create policy user_profiles_doorkeeper_select on user_profiles for select to tollhouse_doorkeeper using (true);
create policy user_profiles_doorkeeper_insert on user_profiles for insert to tollhouse_doorkeeper with check (true);
create policy user_profiles_doorkeeper_update on user_profiles for update to tollhouse_doorkeeper
  using (true) with check (true);

-- merge_tickets: given, read and used through functions alone; the worker sweeps what has expired
alter table merge_tickets enable row level security;
alter table merge_tickets force row level security;
grant select, insert, delete on merge_tickets to tollhouse_doorkeeper;
grant select, delete on merge_tickets to tollhouse_worker;
create policy merge_tickets_doorkeeper_select on merge_tickets for select to tollhouse_doorkeeper using (true);
create policy merge_tickets_doorkeeper_insert on merge_tickets for insert to tollhouse_doorkeeper with check (true);
create policy merge_tickets_doorkeeper_delete on merge_tickets for delete to tollhouse_doorkeeper using (true);
create policy merge_tickets_worker_select on merge_tickets for select to tollhouse_worker
  using (expires_at < transaction_timestamp());
create policy merge_tickets_worker_delete on merge_tickets for delete to tollhouse_worker
  using (expires_at < transaction_timestamp());

grant update (deleted_at) on organizations to tollhouse_doorkeeper;
create policy organizations_doorkeeper_update on organizations for update to tollhouse_doorkeeper
  using (true) with check (true);

grant insert (organization_id, user_id, role, status, joined_at) on memberships to tollhouse_doorkeeper;
grant update (role, status, joined_at) on memberships to tollhouse_doorkeeper;
create policy memberships_doorkeeper_insert on memberships for insert to tollhouse_doorkeeper with check (true);
create policy memberships_doorkeeper_update on memberships for update to tollhouse_doorkeeper
  using (true) with check (true);

grant update (created_by_id, updated_at) on payment_links to tollhouse_doorkeeper;
create policy payment_links_doorkeeper_update on payment_links for update to tollhouse_doorkeeper
  using (true) with check (true);

-- events: what becomes of a user is told in every organization that it is or was a member of
grant insert on events to tollhouse_doorkeeper;
create policy events_doorkeeper_insert on events for insert to tollhouse_doorkeeper
  with check (type in ('user.merged', 'user.deleted'));

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function give_merge_ticket(bytea, integer) owner to tollhouse_doorkeeper;
alter function preview_merge(bytea) owner to tollhouse_doorkeeper;
alter function merge_users(bytea, jsonb) owner to tollhouse_doorkeeper;
alter function delete_user(jsonb) owner to tollhouse_doorkeeper;
alter function refuse_gone_users() owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
