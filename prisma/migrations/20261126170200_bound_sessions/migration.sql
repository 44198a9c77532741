-- A sign-in on an organization's own domain begins a session that is bound to it: good there, and for nothing of the user.

alter table sessions
  add column domain_id uuid,
  add constraint sessions_domain_id_check check (domain_id is null or root_id is null);
create index sessions_domain_id_idx on sessions (domain_id);

-- raises TH409 in the scene of a bound session
create function refuse_bound_session() returns trigger
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select from public.sessions where id = public.current_session_id() and domain_id is not null
  ) then
    raise exception 'the session is bound to an organization' using errcode = 'TH409';
  end if;
  return null;
end
$$;
create trigger identities_refuse_bound before insert or update or delete on identities
  for each statement execute function refuse_bound_session();
create trigger users_refuse_bound before update of status, deleted_at on users
  for each statement execute function refuse_bound_session();

-- a session is bound to a verified domain of the organization that it works in; nothing is switched from it, and no
-- proof makes it fresh. The lock is against the domain's going at this very moment.
create function check_session_binding() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' then
    if new.domain_id is not null and new.proved_at <> old.proved_at then
      raise exception 'the session is bound to an organization' using errcode = 'TH409';
    end if;
    return new;
  end if;
  if exists (select from public.sessions where id = new.root_id and domain_id is not null) then
    raise exception 'the session is bound to an organization' using errcode = 'TH409';
  end if;
  if new.domain_id is not null then
    perform pg_advisory_xact_lock_shared(hashtextextended('domain ' || new.domain_id, 0));
    if not exists (
      select from public.organization_domains
      where organization_id = new.organization_id and id = new.domain_id and verified_at is not null
    ) then
      raise exception 'the domain is not the organization’s any more' using errcode = 'TH401';
    end if;
  end if;
  return new;
end
$$;
create trigger sessions_check_binding before insert or update of proved_at on sessions
  for each row execute function check_session_binding();

-- whoever signed in on a domain is out when it goes, or its proof does
create function end_sessions_of_domain() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if old.verified_at is not null and (tg_op = 'DELETE' or new.verified_at is null) then
    perform pg_advisory_xact_lock(hashtextextended('domain ' || old.id, 0));
    update public.sessions
    set ended_at = clock_timestamp(), end_reason = 'domain removed'
    where domain_id = old.id and organization_id = old.organization_id and ended_at is null;
  end if;
  return null;
end
$$;
create trigger organization_domains_end_sessions after update of verified_at or delete on organization_domains
  for each row execute function end_sessions_of_domain();

-- the law ------------------------------------------------------------------------------------------------------------

grant select (domain_id) on sessions to tollhouse_member;
grant select on organization_domains to tollhouse_doorkeeper;
create policy organization_domains_doorkeeper_select on organization_domains for select to tollhouse_doorkeeper
  using (true);

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function refuse_bound_session() owner to tollhouse_doorkeeper;
alter function check_session_binding() owner to tollhouse_doorkeeper;
alter function end_sessions_of_domain() owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
