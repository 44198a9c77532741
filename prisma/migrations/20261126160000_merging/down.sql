drop policy events_doorkeeper_insert on events;
revoke insert on events from tollhouse_doorkeeper;
drop policy payment_links_doorkeeper_update on payment_links;
revoke update (created_by_id, updated_at) on payment_links from tollhouse_doorkeeper;
drop policy organizations_doorkeeper_update on organizations;
revoke update (deleted_at) on organizations from tollhouse_doorkeeper;
drop policy memberships_doorkeeper_update on memberships;
drop policy memberships_doorkeeper_insert on memberships;
revoke update (role, status, joined_at) on memberships from tollhouse_doorkeeper;
revoke insert (organization_id, user_id, role, status, joined_at) on memberships from tollhouse_doorkeeper;
drop policy user_profiles_doorkeeper_update on user_profiles;
drop policy user_profiles_doorkeeper_insert on user_profiles;
drop policy user_profiles_doorkeeper_select on user_profiles;
revoke update (user_name, given_name, family_name, bio, time_zone, language, preferences)
  on user_profiles from tollhouse_doorkeeper;
revoke insert (user_id, preferences) on user_profiles from tollhouse_doorkeeper;
revoke select on user_profiles from tollhouse_doorkeeper;
drop policy identities_doorkeeper_delete on identities;
drop policy identities_doorkeeper_update on identities;
revoke delete on identities from tollhouse_doorkeeper;
revoke update (user_id, is_primary) on identities from tollhouse_doorkeeper;
drop policy users_doorkeeper_update on users;
revoke update (display_name, avatar_url, deleted_at, merged_into_id) on users from tollhouse_doorkeeper;

drop trigger identities_refuse_gone_users on identities;
drop function
  delete_user(jsonb), refuse_gone_users(), forget_user(uuid), needed_payee_of(uuid), left_behind(uuid),
  merge_users(bytea, jsonb), preview_merge(bytea), give_merge_ticket(bytea, integer), merge_profiles(uuid, uuid),
  merge_memberships(uuid, uuid), lock_owners(uuid[]), merged_memberships(uuid, uuid), find_merge(bytea);

alter table sessions
  drop constraint sessions_identity_id_user_id_fkey,
  add constraint sessions_identity_id_fkey foreign key (identity_id)
    references identities (id) on update restrict on delete set null;
drop table merge_tickets;
revoke insert (id, display_name, status) on users from tollhouse_identity;
grant insert on users to tollhouse_identity;
alter policy users_member_select on users
  using (
    id = (select current_user_id())
    or exists (
      select from memberships m
      where m.organization_id = (select current_organization_id()) and m.user_id = users.id
    )
  );
alter table users drop column merged_into_id;
