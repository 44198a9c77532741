drop trigger sessions_tell_streams on sessions;
drop trigger organizations_tell_streams on organizations;
drop trigger memberships_tell_streams on memberships;
drop trigger identities_tell_streams on identities;
drop trigger user_profiles_tell_streams on user_profiles;
drop trigger users_tell_streams on users;
drop function tell_streams();
