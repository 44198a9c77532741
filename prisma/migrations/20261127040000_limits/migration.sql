-- What anybody can repeat is bounded: codes and tries of one client, proofs of one wallet, sessions and organizations of
-- one user. And an account is merged for a proved wallet alone.

alter table email_codes
  add column client_hash bytea not null default sha256('no client'),
  add constraint email_codes_client_hash_check check (octet_length(client_hash) = 32);
alter table email_codes alter column client_hash drop default;
create index email_codes_client_hash_created_at_idx on email_codes (client_hash, created_at);

-- the living sessions of a user are looked for at each sign-in, among all that there ever were
create index sessions_user_id_ended_at_expires_at_idx on sessions (user_id, ended_at, expires_at);
drop index sessions_user_id_idx;

drop function give_email_code(text, bytea, integer, integer), try_email_code(text, integer);
drop function create_organization(uuid, text, text, jsonb);

-- keeps a code of the scene's user for an address, unless user, address or client had as many within the hour as are
-- allowed; answers its id, or the seconds until there may be another one. Who waits for whom is always in this order, so
-- that nobody waits in a circle
create function give_email_code(
  address text, hash bytea, lifetime_seconds integer, allowed integer, client bytea, allowed_client integer
)
returns table (id uuid, expires_at timestamptz, wait integer)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  asking uuid := public.current_user_id();
  free_at timestamptz;
begin
  perform pg_advisory_xact_lock(hashtextextended('e-mail codes of ' || asking, 0));
  perform pg_advisory_xact_lock(hashtextextended('e-mail codes to ' || address, 0));
  perform pg_advisory_xact_lock(hashtextextended('e-mail codes from ' || encode(client, 'hex'), 0));
  select max(nth.created_at) + interval '1 hour' into free_at
  from (
    (select c.created_at from public.email_codes c where c.user_id = asking order by c.created_at desc
      offset allowed - 1 limit 1)
    union all
    (select c.created_at from public.email_codes c where c.email = address order by c.created_at desc
      offset allowed - 1 limit 1)
    union all
    (select c.created_at from public.email_codes c where c.client_hash = client order by c.created_at desc
      offset allowed_client - 1 limit 1)
  ) nth;
  if free_at > clock_timestamp() then
    return query select null::uuid, null::timestamptz,
      greatest(1, ceil(extract(epoch from free_at - clock_timestamp())))::integer;
    return;
  end if;
  return query
    insert into public.email_codes as made (user_id, email, code_hash, client_hash, created_at, expires_at)
    values (
      asking, address, hash, client, clock_timestamp(), clock_timestamp() + make_interval(secs => lifetime_seconds)
    )
    returning made.id, made.expires_at, 0;
end
$$;

-- counts one more try of the scene's user to guess a code for the address, and of the client to guess any, whatever
-- becomes of it, and answers the newest code; or none, and the seconds to wait, when there were too many within the hour.
-- Where no code was sent there is nothing to guess, and nothing is counted
create function try_email_code(address text, allowed integer, client bytea, allowed_client integer)
returns table (wait integer, id uuid, code_hash bytea)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  asking uuid := public.current_user_id();
begin
  wait := 0;
  if not exists (select from public.email_codes c where c.user_id = asking and c.email = address) then
    return next;
    return;
  end if;
  wait := public.take_rate_limit(
    sha256(convert_to('e-mail code tries ' || asking || ' ' || address, 'UTF8')), allowed, 3600
  );
  if wait = 0 then
    wait := public.take_rate_limit(
      sha256(convert_to('e-mail code tries from ' || encode(client, 'hex'), 'UTF8')), allowed_client, 3600
    );
  end if;
  if wait = 0 then
    select newest.id, newest.code_hash into id, code_hash
    from (
      select * from public.email_codes c
      where c.user_id = asking and c.email = address
      order by c.created_at desc, c.id desc
      limit 1
    ) newest
    where newest.used_at is null and newest.expires_at > clock_timestamp();
  end if;
  return next;
end
$$;

-- counts one more proof of the account that the scene has proved, within a minute; answers 0 when it is within the limit,
-- else the seconds to wait. No other account can be counted: only who has proved one uses up what it has
create function take_proof(allowed integer) returns integer
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  select public.take_rate_limit(
    sha256(convert_to(
      'proofs of ' || nullif(current_setting('app.identity_issuer', true), '')
        || ' ' || nullif(current_setting('app.identity_subject', true), ''),
      'UTF8'
    )),
    allowed, 60
  )
$$;

-- ends what the scene's user has too many of before one more session is begun: those that were switched to first, then
-- those that signing in began, the oldest of each first; answers how many. All may stay where nothing is allowed
create function make_room_for_session(allowed integer) returns integer
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  with ended as (
    update public.sessions
    set ended_at = clock_timestamp(), end_reason = 'too many sessions'
    where ended_at is null
      and id in (
        select s.id
        from public.sessions s
        where s.user_id = public.current_user_id() and s.ended_at is null and s.expires_at > clock_timestamp()
          and allowed is not null
        order by s.root_id is not null, s.created_at desc, s.id desc
        offset allowed - 1
      )
    returning id
  )
  select count(*)::integer from ended
$$;

-- makes an organization that the scene's user owns, and tells of it there; raises TH401 without a user, TH409 in a
-- session that is good for one organization alone, and TH465 with the seconds to wait after as many as are allowed
-- within a day
create function create_organization(organization uuid, called text, addressed text, told jsonb, allowed integer)
returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  founder uuid := public.current_user_id();
  wait integer := 0;
begin
  if founder is null then
    raise exception 'nobody is signed in' using errcode = 'TH401';
  elsif exists (
    select from public.sessions s where s.id = public.current_session_id() and s.domain_id is not null
  ) then
    raise exception 'the session is good for one organization alone' using errcode = 'TH409';
  end if;
  if allowed is not null then
    wait := public.take_rate_limit(sha256(convert_to('organizations of user ' || founder, 'UTF8')), allowed, 86400);
  end if;
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

-- the law ------------------------------------------------------------------------------------------------------------

grant insert (client_hash) on email_codes to tollhouse_doorkeeper;
grant execute on function take_proof(integer) to tollhouse_identity, tollhouse_member;
grant execute on function make_room_for_session(integer) to tollhouse_identity;
grant execute on function
  give_email_code(text, bytea, integer, integer, bytea, integer), try_email_code(text, integer, bytea, integer),
  create_organization(uuid, text, text, jsonb, integer)
to tollhouse_member;

-- owning and replacing a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function give_email_code(text, bytea, integer, integer, bytea, integer) owner to tollhouse_doorkeeper;
alter function try_email_code(text, integer, bytea, integer) owner to tollhouse_doorkeeper;
alter function take_proof(integer) owner to tollhouse_doorkeeper;
alter function make_room_for_session(integer) owner to tollhouse_doorkeeper;
alter function create_organization(uuid, text, text, jsonb, integer) owner to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
-- a ticket to merge with whoever has the wallet that the scene has proved; answers until when it is good, and null when
-- nobody else has it. Nothing but a wallet signs in, and so nothing else is worth an account
create or replace function give_merge_ticket(hash bytea, lifetime_seconds integer) returns timestamptz
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  insert into public.merge_tickets (ticket_hash, user_id, identity_id, other_user_id, expires_at)
  select hash, public.current_user_id(), i.id, i.user_id, clock_timestamp() + make_interval(secs => lifetime_seconds)
  from public.identities i
  where i.issuer = current_setting('app.identity_issuer', true)
    and i.subject = current_setting('app.identity_subject', true)
    and i.kind = 'WALLET'
    and i.user_id <> public.current_user_id()
  returning expires_at
$$;
reset role;
revoke create on schema public from tollhouse_doorkeeper;
