-- People link e-mail addresses of their own, by a code that is sent there.

-- the codes that were sent, and are still to be used or still count, as digests under a key that is not in here
create table email_codes (
  id uuid not null default uuid_v7(),
  user_id uuid not null,
  email text not null,
  code_hash bytea not null,
  used_at timestamptz(3),
  expires_at timestamptz(3) not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint email_codes_pkey primary key (id),
  constraint email_codes_email_check check (email ~ '^[^\s@]+@[^\s@]+$' and char_length(email) <= 254),
  constraint email_codes_code_hash_check check (octet_length(code_hash) = 32),
  constraint email_codes_expires_at_check check (expires_at > created_at),
  constraint email_codes_user_id_fkey foreign key (user_id) references users (id)
    on update restrict on delete restrict
);
create index email_codes_user_id_created_at_idx on email_codes (user_id, created_at);
create index email_codes_email_created_at_idx on email_codes (email, created_at);
create index email_codes_created_at_idx on email_codes (created_at);
create trigger email_codes_touch before update on email_codes
  for each row execute function touch_updated_at();

-- keeps a code of the scene's user for an address, unless either had as many within the hour as are allowed; answers its
-- id, or the seconds until there may be another one. Who waits for whom is always in this order, so that nobody waits in
-- a circle
create function give_email_code(address text, hash bytea, allowed integer, lifetime_seconds integer)
returns table (id uuid, expires_at timestamptz, wait integer)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  asking uuid := public.current_user_id();
  free_at timestamptz;
begin
  perform pg_advisory_xact_lock(hashtextextended('e-mail codes of ' || asking, 0));
  perform pg_advisory_xact_lock(hashtextextended('e-mail codes to ' || address, 0));
  select max(nth.created_at) + interval '1 hour' into free_at
  from (
    (select c.created_at from public.email_codes c where c.user_id = asking order by c.created_at desc
      offset allowed - 1 limit 1)
    union all
    (select c.created_at from public.email_codes c where c.email = address order by c.created_at desc
      offset allowed - 1 limit 1)
  ) nth;
  if free_at > clock_timestamp() then
    return query select null::uuid, null::timestamptz,
      greatest(1, ceil(extract(epoch from free_at - clock_timestamp())))::integer;
    return;
  end if;
  return query
    insert into public.email_codes as made (user_id, email, code_hash, created_at, expires_at)
    values (asking, address, hash, clock_timestamp(), clock_timestamp() + make_interval(secs => lifetime_seconds))
    returning made.id, made.expires_at, 0;
end
$$;

-- takes back a code of the scene's user that was never sent; it does not count then
create function take_back_email_code(code uuid) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  delete from public.email_codes where id = code and user_id = public.current_user_id() and used_at is null
$$;

-- counts one more try of the scene's user to guess a code for the address, whatever becomes of it, and answers the newest
-- code; or none, and the seconds to wait, when there were too many within the hour
create function try_email_code(address text, allowed integer)
returns table (wait integer, id uuid, code_hash bytea)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  asking uuid := public.current_user_id();
begin
  wait := public.take_rate_limit(
    sha256(convert_to('e-mail code tries ' || asking || ' ' || address, 'UTF8')), allowed, 3600
  );
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

-- uses a code of the scene's user up; of many at one instant one has it
create function use_email_code(code uuid) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  with used as (
    update public.email_codes
    set used_at = clock_timestamp()
    where id = code and user_id = public.current_user_id() and used_at is null and expires_at > clock_timestamp()
    returning id
  )
  select exists (select from used)
$$;

-- the law

-- facts of a person's identities are told in every organization that the person belongs to, like those of wallets
alter policy events_member_insert on events
  with check (
    actor = 'user:' || (select current_user_id())
    and (
      organization_id = (select current_organization_id())
      and case type
        when 'payment-link.created' then (select has_permission('payments:write'))
        when 'membership.added' then (select has_permission('members:write'))
      end
      or type in ('wallet.linked', 'wallet.unlinked', 'wallet.primary-changed', 'identity.linked', 'identity.unlinked')
      and organization_id in (select id from organizations)
    )
  );

alter table email_codes enable row level security;
alter table email_codes force row level security;
grant select, delete on email_codes to tollhouse_doorkeeper, tollhouse_worker;
grant insert (user_id, email, code_hash, created_at, expires_at) on email_codes to tollhouse_doorkeeper;
grant update (used_at) on email_codes to tollhouse_doorkeeper;
create policy email_codes_doorkeeper_select on email_codes for select to tollhouse_doorkeeper using (true);
create policy email_codes_doorkeeper_insert on email_codes for insert to tollhouse_doorkeeper with check (true);
create policy email_codes_doorkeeper_update on email_codes for update to tollhouse_doorkeeper
  using (true) with check (true);
create policy email_codes_doorkeeper_delete on email_codes for delete to tollhouse_doorkeeper using (true);
create policy email_codes_worker_select on email_codes for select to tollhouse_worker
  using (created_at < transaction_timestamp() - interval '1 hour');
create policy email_codes_worker_delete on email_codes for delete to tollhouse_worker
  using (created_at < transaction_timestamp() - interval '1 hour');

grant execute on function
  give_email_code(text, bytea, integer, integer), take_back_email_code(uuid), try_email_code(text, integer),
  use_email_code(uuid)
to tollhouse_member;

-- last of all, since after this the owner of the tables may no longer grant these functions
grant create on schema public to tollhouse_doorkeeper;
alter function give_email_code(text, bytea, integer, integer) owner to tollhouse_doorkeeper;
alter function take_back_email_code(uuid) owner to tollhouse_doorkeeper;
alter function try_email_code(text, integer) owner to tollhouse_doorkeeper;
alter function use_email_code(uuid) owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
