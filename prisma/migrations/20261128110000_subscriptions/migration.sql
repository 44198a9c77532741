-- What an organization may have: a subscription that operators set, with its end and its limits, and for everybody else
-- what the installation gives. The limits are held here, so that of many at one instant exactly so many come to be.

-- without a tier it has what the installation gives
alter table organizations
  add column subscription_tier text,
  add column subscription_expires_at timestamptz(3),
  add column max_members integer,
  add column max_links integer,
  add constraint organizations_subscription_tier_check check (
    subscription_tier ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$'
  ),
  add constraint organizations_max_members_check check (max_members between 1 and 1000000),
  add constraint organizations_max_links_check check (max_links between 0 and 1000000),
  add constraint organizations_subscription_check check (
    subscription_tier is not null
    or subscription_expires_at is null and max_members is null and max_links is null
  );

-- what the installation gives: one row, kept by whatever process starts with other settings
create table subscription_defaults (
  id uuid not null default uuid_v7(),
  is_only boolean not null default true,
  tier text not null,
  max_members integer,
  max_links integer,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint subscription_defaults_pkey primary key (id),
  constraint subscription_defaults_is_only_check check (is_only),
  constraint subscription_defaults_tier_check check (tier ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$'),
  constraint subscription_defaults_max_members_check check (max_members between 1 and 1000000),
  constraint subscription_defaults_max_links_check check (max_links between 0 and 1000000)
);
create unique index subscription_defaults_is_only_key on subscription_defaults (is_only);
insert into subscription_defaults (tier) values ('FREE');
create trigger subscription_defaults_touch before update on subscription_defaults
  for each row execute function touch_updated_at();

-- deeds that operators put on record
alter type operator_deed add value 'SUBSCRIBE';

-- what holds for an organization at this moment: its own subscription until that ends, by the database's clock, and then
-- what the installation gives; nothing for an organization that whoever asks does not see
create function subscription_of(organization uuid)
returns table (tier text, expires_at timestamptz, is_expired boolean, max_members integer, max_links integer)
language sql stable
as $$
  select
    case when own.holds then o.subscription_tier else given.tier end,
    o.subscription_expires_at,
    o.subscription_tier is not null and not own.holds,
    case when own.holds then o.max_members else given.max_members end,
    case when own.holds then o.max_links else given.max_links end
  from public.organizations o
  cross join public.subscription_defaults given
  cross join lateral (
    select o.subscription_tier is not null
      and (o.subscription_expires_at is null or o.subscription_expires_at > clock_timestamp()) as holds
  ) own
  where o.id = organization
$$;

-- whoever accepts an invitation takes a seat, and waits for who accepts another one, by the lock that accepting holds
-- already. Founding takes the first seat, and merging takes one over: neither asks.
create function limit_members() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  most integer;
begin
  perform pg_advisory_xact_lock(hashtextextended('owners of ' || new.organization_id, 0));
  select s.max_members into most from public.subscription_of(new.organization_id) s;
  if most <= (
    select count(*)
    from public.memberships m
    where m.organization_id = new.organization_id and m.status = 'ACTIVE' and m.user_id <> new.accepted_by_id
  ) then
    raise exception 'the organization has as many members as it may' using errcode = 'TH463';
  end if;
  return null;
end
$$;
create trigger invitations_limit_members after update of accepted_at on invitations
  for each row
  when (old.accepted_at is null and new.accepted_at is not null)
  execute function limit_members();

-- a link counts until it is archived or deleted; without a limit nobody waits
create function limit_links() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  most integer;
begin
  select s.max_links into most from public.subscription_of(new.organization_id) s;
  if most is null then
    return null;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('links of ' || new.organization_id, 0));
  if most < (
    select count(*)
    from public.payment_links l
    where l.organization_id = new.organization_id and l.status <> 'ARCHIVED' and l.deleted_at is null
  ) then
    -- the last word is the fact that is told of it
    raise exception 'the organization would have more links than %', most using errcode = 'TH464';
  end if;
  return null;
end
$$;
create trigger payment_links_limit after insert on payment_links
  for each row
  when (new.status <> 'ARCHIVED' and new.deleted_at is null)
  execute function limit_links();
create trigger payment_links_limit_again after update of status, deleted_at on payment_links
  for each row
  when (
    new.status <> 'ARCHIVED' and new.deleted_at is null
    and (old.status = 'ARCHIVED' or old.deleted_at is not null)
  )
  execute function limit_links();

-- when an organization begins to be purged, what it might have had is forgotten
create function forget_subscription() returns trigger
language plpgsql
as $$
begin
  new.subscription_tier := null;
  new.subscription_expires_at := null;
  new.max_members := null;
  new.max_links := null;
  return new;
end
$$;
create trigger organizations_forget_subscription before update of purge_began_at on organizations
  for each row
  when (old.purge_began_at is null and new.purge_began_at is not null)
  execute function forget_subscription();

-- the law -------------------------------------------------------------------------------------------------------------

grant execute on function subscription_of(uuid) to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper;

-- organizations: operators say what they may have, and nobody who signs up
grant update (subscription_tier, subscription_expires_at, max_members, max_links) on organizations to tollhouse_operator;
revoke insert on organizations from tollhouse_identity;
grant insert (id, name, slug, status) on organizations to tollhouse_identity;

-- subscription_defaults: kept by the processes that work, read by whoever is asked about a limit
alter table subscription_defaults enable row level security;
alter table subscription_defaults force row level security;
grant select on subscription_defaults to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper, tollhouse_worker;
grant update (tier, max_members, max_links) on subscription_defaults to tollhouse_worker;
create policy subscription_defaults_member_select on subscription_defaults for select to tollhouse_member using (true);
create policy subscription_defaults_operator_select on subscription_defaults for select to tollhouse_operator
  using (true);
create policy subscription_defaults_doorkeeper_select on subscription_defaults for select to tollhouse_doorkeeper
  using (true);
create policy subscription_defaults_worker_select on subscription_defaults for select to tollhouse_worker using (true);
create policy subscription_defaults_worker_update on subscription_defaults for update to tollhouse_worker
  using (true) with check (true);

alter policy events_operator_insert on events
  with check (
    actor = 'operator:' || (select current_user_id())
    and type in (
      'organization.suspended', 'organization.restored', 'organization.impersonated',
      'organization.subscription-changed'
    )
  );

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function limit_members() owner to tollhouse_doorkeeper;
alter function limit_links() owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
