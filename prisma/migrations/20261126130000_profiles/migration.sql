-- What people tell of themselves, for nobody else; and who failed to sign in how often.

-- members see each other's users; column grants cannot say "this column of one's own row", so it is another table
create table user_profiles (
  id uuid not null default uuid_v7(),
  user_id uuid not null,
  user_name text,
  given_name text,
  family_name text,
  bio text,
  time_zone text,
  language text,
  preferences jsonb not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint user_profiles_pkey primary key (id),
  constraint user_profiles_user_name_check check (user_name ~ '^[a-z0-9_]{3,30}$'),
  constraint user_profiles_given_name_check check (char_length(given_name) between 1 and 100),
  constraint user_profiles_family_name_check check (char_length(family_name) between 1 and 100),
  constraint user_profiles_bio_check check (char_length(bio) between 1 and 2000),
  constraint user_profiles_time_zone_check check (char_length(time_zone) between 1 and 64),
  constraint user_profiles_language_check check (char_length(language) between 2 and 35),
  -- at most 50 keys of 500 characters, with a text of 500 characters, a number or a boolean for each
  constraint user_profiles_preferences_check check (
    jsonb_typeof(preferences) = 'object'
    and jsonb_array_length(jsonb_path_query_array(preferences, '$.keyvalue()')) <= 50
    and not jsonb_path_exists(preferences, '$.keyvalue() ? (
      @.key like_regex "^.{250}.{250}." flag "s"
      || @.value like_regex "^.{250}.{250}." flag "s"
      || @.value.type() == "object"
      || @.value.type() == "array"
      || @.value.type() == "null"
    )')
  ),
  constraint user_profiles_user_id_fkey foreign key (user_id) references users (id)
    on update restrict on delete restrict
);
create unique index user_profiles_user_id_key on user_profiles (user_id);
create unique index user_profiles_user_name_key on user_profiles (user_name);

alter table users
  add constraint users_avatar_url_check check (avatar_url ~ '^https://\S+$' and char_length(avatar_url) <= 2000);

-- whoever failed to prove a wallet, as a hash: a client alone, or a client with the wallet that it tried
create table sign_in_failures (
  id uuid not null default uuid_v7(),
  key_hash bytea not null,
  failures integer not null,
  failed_at timestamptz(3) not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint sign_in_failures_pkey primary key (id),
  constraint sign_in_failures_key_hash_check check (octet_length(key_hash) = 32),
  constraint sign_in_failures_failures_check check (failures > 0)
);
create unique index sign_in_failures_key_hash_key on sign_in_failures (key_hash);
create index sign_in_failures_failed_at_idx on sign_in_failures (failed_at);

create trigger user_profiles_touch before update on user_profiles
  for each row execute function touch_updated_at();
create trigger sign_in_failures_touch before update on sign_in_failures
  for each row execute function touch_updated_at();

-- how many seconds are still to be waited: null for whoever has not failed, 0 for who may try again; each failure beyond
-- the allowed ones doubles the wait, and as long a time as the longest wait without one makes all of them forgotten
create function lockout_seconds(failed_hash bytea, allowed integer, first_seconds integer, longest_seconds integer)
returns integer
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select case
    when failures < allowed then 0
    else greatest(0, ceil(
      extract(epoch from failed_at - clock_timestamp())
      + least(longest_seconds, first_seconds * power(2, least(failures - allowed, 30)))
    )::integer)
  end
  from public.sign_in_failures
  where key_hash = failed_hash and failed_at > clock_timestamp() - make_interval(secs => longest_seconds)
$$;

create function record_sign_in_failure(failed_hash bytea, longest_seconds integer) returns integer
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  insert into public.sign_in_failures as kept (key_hash, failures, failed_at)
  values (failed_hash, 1, clock_timestamp())
  on conflict (key_hash) do update
    set failures = case
          when kept.failed_at <= clock_timestamp() - make_interval(secs => longest_seconds) then 1
          else least(kept.failures, 1000000) + 1
        end,
        failed_at = clock_timestamp()
  returning failures
$$;

create function forget_sign_in_failures(failed_hash bytea) returns integer
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  with forgotten as (delete from public.sign_in_failures where key_hash = failed_hash returning failures)
  select coalesce(sum(failures), 0)::integer from forgotten
$$;

-- the law: identity --------------------------------------------------------------------------------------------------

grant execute on function
  lockout_seconds(bytea, integer, integer, integer), record_sign_in_failure(bytea, integer),
  forget_sign_in_failures(bytea)
to tollhouse_identity;

-- users: a member changes how it is shown to the others
grant update (display_name, avatar_url) on users to tollhouse_member;
create policy users_member_update on users for update to tollhouse_member
  using (id = (select current_user_id()))
  with check (id = (select current_user_id()));

-- user_profiles: of the user alone
alter table user_profiles enable row level security;
alter table user_profiles force row level security;
grant select on user_profiles to tollhouse_member, tollhouse_operator;
grant insert on user_profiles to tollhouse_member;
grant update (user_name, given_name, family_name, bio, time_zone, language, preferences)
  on user_profiles to tollhouse_member;
create policy user_profiles_member_select on user_profiles for select to tollhouse_member
  using (user_id = (select current_user_id()));
create policy user_profiles_member_insert on user_profiles for insert to tollhouse_member
  with check (user_id = (select current_user_id()));
create policy user_profiles_member_update on user_profiles for update to tollhouse_member
  using (user_id = (select current_user_id()))
  with check (user_id = (select current_user_id()));
create policy user_profiles_operator_select on user_profiles for select to tollhouse_operator using (true);

-- sign_in_failures: counted through functions alone; the worker sweeps what is a day old
alter table sign_in_failures enable row level security;
alter table sign_in_failures force row level security;
grant select, insert, update, delete on sign_in_failures to tollhouse_doorkeeper;
grant select, delete on sign_in_failures to tollhouse_worker;
create policy sign_in_failures_doorkeeper_select on sign_in_failures for select to tollhouse_doorkeeper using (true);
create policy sign_in_failures_doorkeeper_insert on sign_in_failures for insert to tollhouse_doorkeeper
  with check (true);
create policy sign_in_failures_doorkeeper_update on sign_in_failures for update to tollhouse_doorkeeper
  using (true) with check (true);
create policy sign_in_failures_doorkeeper_delete on sign_in_failures for delete to tollhouse_doorkeeper using (true);
create policy sign_in_failures_worker_select on sign_in_failures for select to tollhouse_worker
  using (failed_at < transaction_timestamp() - interval '1 day');
create policy sign_in_failures_worker_delete on sign_in_failures for delete to tollhouse_worker
  using (failed_at < transaction_timestamp() - interval '1 day');

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function lockout_seconds(bytea, integer, integer, integer) owner to tollhouse_doorkeeper;
alter function record_sign_in_failure(bytea, integer) owner to tollhouse_doorkeeper;
alter function forget_sign_in_failures(bytea) owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
