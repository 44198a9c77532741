drop policy users_member_update on users;
revoke update (display_name, avatar_url) on users from tollhouse_member;
alter table users drop constraint users_avatar_url_check;
drop function
  lockout_seconds(bytea, integer, integer, integer), record_sign_in_failure(bytea, integer),
  forget_sign_in_failures(bytea);
drop table sign_in_failures, user_profiles;
