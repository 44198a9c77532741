-- Open streams hear of changes that concern whom they are for, and so end or go on at once. It is a hint and no more:
-- it names who or what has changed, and whoever hears it reads again under their own role.

create function tell_streams() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('tollhouse_streams', tg_argv[0] || ':' || (to_jsonb(coalesce(new, old)) ->> tg_argv[1]));
  return null;
end
$$;

create trigger users_tell_streams after update on users
  for each row execute function tell_streams('user', 'id');
create trigger user_profiles_tell_streams after insert or update on user_profiles
  for each row execute function tell_streams('user', 'user_id');
create trigger identities_tell_streams after insert or update or delete on identities
  for each row execute function tell_streams('user', 'user_id');
create trigger memberships_tell_streams after insert or update or delete on memberships
  for each row execute function tell_streams('user', 'user_id');
create trigger organizations_tell_streams after update on organizations
  for each row execute function tell_streams('organization', 'id');
-- neither beginning nor refreshing a session concerns another stream, and those are what happens most
create trigger sessions_tell_streams after update on sessions
  for each row
  when (old.ended_at is distinct from new.ended_at or old.proved_at is distinct from new.proved_at)
  execute function tell_streams('user', 'user_id');
