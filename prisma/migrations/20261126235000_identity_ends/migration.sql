-- How many identities and domains there may be at most, and who made a link that was made while its maker was merged.

-- what proves a user is at most a hundred identities, by whatever way they came; whoever adds some waits for each other,
-- by the lock of lockWallets, and then counts what the others have added
create function limit_identities() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('wallets of ' || new.user_id, 0));
  if (select count(*) from public.identities where user_id = new.user_id) > 100 then
    raise exception 'the user would have too many identities' using errcode = 'TH461';
  end if;
  return null;
end
$$;
create trigger identities_limit after insert or update of user_id on identities
  for each row execute function limit_identities();

-- an organization has at most fifty domains, verified or not; likewise
create function limit_domains() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('domains of ' || new.organization_id, 0));
  if (select count(*) from public.organization_domains where organization_id = new.organization_id) > 50 then
    raise exception 'the organization would have too many domains' using errcode = 'TH462';
  end if;
  return null;
end
$$;
create trigger organization_domains_limit after insert on organization_domains
  for each row execute function limit_domains();

-- a link whose maker was merged or deleted while it was being made does not come to be: the check of the foreign key has
-- waited for that, and comes first, since triggers fire in the order of their names
create function refuse_gone_creators() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select from public.users u
    where u.id = new.created_by_id and (u.deleted_at is not null or u.merged_into_id is not null)
  ) then
    raise exception 'the session has ended' using errcode = 'TH401';
  end if;
  return null;
end
$$;
create trigger payment_links_refuse_gone_creators after insert on payment_links
  for each row execute function refuse_gone_creators();

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function limit_identities() owner to tollhouse_doorkeeper;
alter function limit_domains() owner to tollhouse_doorkeeper;
alter function refuse_gone_creators() owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
