-- The doors of identity. Entering is done by the bare login, before it becomes anyone.
grant execute on function enter_session(uuid, uuid), enter_identity(text, text) to tollhouse_gateway;
grant execute on function enter_session(uuid, uuid) to tollhouse_identity;
grant execute on function permissions_of(text) to tollhouse_doorkeeper;
grant execute on function take_rate_limit(bytea, integer, integer) to tollhouse_identity, tollhouse_public;
grant execute on function
  lockout_seconds(bytea, integer, integer, integer), record_sign_in_failure(bytea, integer),
  forget_sign_in_failures(bytea)
to tollhouse_identity;
grant execute on function step_up(), is_needed_payee(uuid) to tollhouse_member;
grant execute on function take_proof(integer) to tollhouse_identity, tollhouse_member;
grant execute on function make_room_for_session(integer) to tollhouse_identity;
grant execute on function
  give_email_code(text, bytea, integer, integer, bytea, integer), take_back_email_code(uuid),
  try_email_code(text, integer, bytea, integer), use_email_code(uuid)
to tollhouse_member;
grant execute on function
  give_merge_ticket(bytea, integer), preview_merge(bytea), preview_merged_keys(bytea), merge_users(bytea, jsonb),
  delete_user(jsonb)
to tollhouse_member;
-- What these are made of.
grant execute on function
  find_merge(bytea), merged_memberships(uuid, uuid), lock_owners(uuid[]), merge_memberships(uuid, uuid),
  merge_profiles(uuid, uuid), left_behind(uuid), needed_payees(uuid, uuid[]),
  needed_payee_of(uuid), forget_user(uuid), require_fresh_proof()
to tollhouse_doorkeeper;

-- Who asks, for what is a person's own; nobody in a session that is bound to an organization's own domain.
grant execute on function current_person_id(), require_person() to tollhouse_member;

-- users: a member sees itself, whom it was before, and the co-members of the active organization, and of each only what the API shows, and
-- changes its own name and picture;
-- signing in sees and makes one user. Who has left, or was removed, is still seen by its membership, whatever that
-- one's status: links and records go on naming who made them, and a name without a face would be a broken one.
alter table users enable row level security;
alter table users force row level security;
grant select (id, display_name, avatar_url, created_at, merged_into_id) on users to tollhouse_member;
grant select on users to tollhouse_operator, tollhouse_doorkeeper;
grant select on users to tollhouse_identity;
grant insert (id, display_name, status) on users to tollhouse_identity;
create policy users_member_select on users for select to tollhouse_member
  using (
    id = (select current_user_id())
    or merged_into_id = (select current_user_id())
    or exists (
      select from memberships m
      where m.organization_id = (select current_organization_id()) and m.user_id = users.id
    )
  );
grant update (display_name, avatar_url) on users to tollhouse_member;
create policy users_member_update on users for update to tollhouse_member
  using (id = (select current_person_id()))
  with check (id = (select current_person_id()));
create policy users_identity_select on users for select to tollhouse_identity
  using (id = (select current_user_id()));
create policy users_identity_insert on users for insert to tollhouse_identity
  with check (id = (select current_user_id()));
create policy users_operator_select on users for select to tollhouse_operator using (true);
create policy users_doorkeeper_select on users for select to tollhouse_doorkeeper using (true);
grant update (display_name, avatar_url, deleted_at, merged_into_id) on users to tollhouse_doorkeeper;
create policy users_doorkeeper_update on users for update to tollhouse_doorkeeper using (true) with check (true);

-- identities: a member sees, prefers and gives up its own, and adds what its scene has just proved; a bound session sees
-- the one that it was begun with; signing in sees the
-- one that was just proved, and makes it and those that were proved with it
alter table identities enable row level security;
alter table identities force row level security;
grant select on identities to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper;
grant insert (id, user_id, kind, issuer, subject, address, chain_id, wallet_kind, wallet_source, is_primary, email,
  email_verified, phone, controlled_by_id) on identities to tollhouse_member;
grant update (is_primary, version) on identities to tollhouse_member;
grant delete on identities to tollhouse_member;
grant select, insert on identities to tollhouse_identity;
create policy identities_member_select on identities for select to tollhouse_member
  using (
    user_id = (select current_person_id())
    or id = (select s.identity_id from sessions s where s.id = (select current_session_id()))
  );
create policy identities_member_insert on identities for insert to tollhouse_member
  with check (
    user_id = (select current_person_id())
    and nullif((select current_setting('app.identities', true)), '')::jsonb
      @> jsonb_build_array(jsonb_build_object('issuer', issuer, 'subject', subject))
  );
create policy identities_member_update on identities for update to tollhouse_member
  using (user_id = (select current_person_id()))
  with check (user_id = (select current_person_id()));
create policy identities_member_delete on identities for delete to tollhouse_member
  using (user_id = (select current_person_id()));
create policy identities_identity_select on identities for select to tollhouse_identity
  using (
    issuer = (select current_setting('app.identity_issuer', true))
    and subject = (select current_setting('app.identity_subject', true))
  );
create policy identities_identity_insert on identities for insert to tollhouse_identity
  with check (
    user_id = (select current_user_id())
    and nullif((select current_setting('app.identities', true)), '')::jsonb
      @> jsonb_build_array(jsonb_build_object('issuer', issuer, 'subject', subject))
  );
create policy identities_operator_select on identities for select to tollhouse_operator using (true);
create policy identities_doorkeeper_select on identities for select to tollhouse_doorkeeper using (true);
grant update (user_id, is_primary) on identities to tollhouse_doorkeeper;
grant delete on identities to tollhouse_doorkeeper;
create policy identities_doorkeeper_update on identities for update to tollhouse_doorkeeper
  using (true) with check (true);
create policy identities_doorkeeper_delete on identities for delete to tollhouse_doorkeeper using (true);

-- sessions: a member sees and ends its own, a bound one itself; refreshing sees and rotates the one that was named; none begins again, and
-- none becomes fresh but by step_up
alter table sessions enable row level security;
alter table sessions force row level security;
grant select (id, user_id, identity_id, organization_id, root_id, generation, rotations, client_address, user_agent,
  proved_at, expires_at, ended_at, end_reason, created_at, updated_at, domain_id) on sessions to tollhouse_member;
grant update (ended_at, end_reason) on sessions to tollhouse_member;
grant select, insert on sessions to tollhouse_identity;
grant update (root_id, refresh_hash, generation, rotations, ended_at, end_reason) on sessions to tollhouse_identity;
grant select on sessions to tollhouse_doorkeeper;
grant update (proved_at, ended_at, end_reason) on sessions to tollhouse_doorkeeper;
create policy sessions_member_select on sessions for select to tollhouse_member
  using (user_id = (select current_person_id()) or id = (select current_session_id()));
create policy sessions_member_update on sessions for update to tollhouse_member
  using ((user_id = (select current_person_id()) or id = (select current_session_id())) and ended_at is null)
  with check ((user_id = (select current_person_id()) or id = (select current_session_id())) and ended_at is not null);
create policy sessions_identity_select on sessions for select to tollhouse_identity
  using (id = (select current_session_id()));
create policy sessions_identity_insert on sessions for insert to tollhouse_identity
  with check (id = (select current_session_id()) and user_id = (select current_user_id()));
create policy sessions_identity_update on sessions for update to tollhouse_identity
  using (id = (select current_session_id()) and ended_at is null)
  with check (id = (select current_session_id()));
create policy sessions_doorkeeper_select on sessions for select to tollhouse_doorkeeper using (true);
create policy sessions_doorkeeper_update on sessions for update to tollhouse_doorkeeper
  using (true) with check (true);

-- challenges: made, read by their nonce and burnt while signing in; the worker sweeps what has expired
alter table challenges enable row level security;
alter table challenges force row level security;
grant select, insert, delete on challenges to tollhouse_identity;
grant select, delete on challenges to tollhouse_worker;
create policy challenges_identity_select on challenges for select to tollhouse_identity using (true);
create policy challenges_identity_insert on challenges for insert to tollhouse_identity
  with check (expires_at > transaction_timestamp());
create policy challenges_identity_delete on challenges for delete to tollhouse_identity using (true);
create policy challenges_worker_select on challenges for select to tollhouse_worker
  using (expires_at < transaction_timestamp());
create policy challenges_worker_delete on challenges for delete to tollhouse_worker
  using (expires_at < transaction_timestamp());

-- sign_in_attempts: written while signing in, and by a member of its own proofs; read by the operator alone
alter table sign_in_attempts enable row level security;
alter table sign_in_attempts force row level security;
grant insert on sign_in_attempts to tollhouse_identity;
grant insert (purpose, outcome, domain, chain_id, address, user_id, client_address, request_id)
  on sign_in_attempts to tollhouse_member;
grant select on sign_in_attempts to tollhouse_operator;
create policy sign_in_attempts_identity_insert on sign_in_attempts for insert to tollhouse_identity with check (true);
create policy sign_in_attempts_member_insert on sign_in_attempts for insert to tollhouse_member
  with check (user_id = (select current_person_id()) and purpose <> 'SIGN_IN' and outcome = 'OK');
create policy sign_in_attempts_operator_select on sign_in_attempts for select to tollhouse_operator using (true);

-- rate_limits: counted through take_rate_limit alone; the worker sweeps windows that ended a day ago
alter table rate_limits enable row level security;
alter table rate_limits force row level security;
grant select, insert, update on rate_limits to tollhouse_doorkeeper;
grant select, delete on rate_limits to tollhouse_worker;
create policy rate_limits_doorkeeper_select on rate_limits for select to tollhouse_doorkeeper using (true);
create policy rate_limits_doorkeeper_insert on rate_limits for insert to tollhouse_doorkeeper with check (true);
create policy rate_limits_doorkeeper_update on rate_limits for update to tollhouse_doorkeeper
  using (true) with check (true);
create policy rate_limits_worker_select on rate_limits for select to tollhouse_worker
  using (window_start < transaction_timestamp() - interval '1 day');
create policy rate_limits_worker_delete on rate_limits for delete to tollhouse_worker
  using (window_start < transaction_timestamp() - interval '1 day');

-- user_profiles: of the user alone, and not from a bound session
alter table user_profiles enable row level security;
alter table user_profiles force row level security;
grant select on user_profiles to tollhouse_member, tollhouse_operator;
grant insert on user_profiles to tollhouse_member;
grant update (user_name, given_name, family_name, bio, time_zone, language, preferences)
  on user_profiles to tollhouse_member;
create policy user_profiles_member_select on user_profiles for select to tollhouse_member
  using (user_id = (select current_person_id()));
create policy user_profiles_member_insert on user_profiles for insert to tollhouse_member
  with check (user_id = (select current_person_id()));
create policy user_profiles_member_update on user_profiles for update to tollhouse_member
  using (user_id = (select current_person_id()))
  with check (user_id = (select current_person_id()));
create policy user_profiles_operator_select on user_profiles for select to tollhouse_operator using (true);
grant select on user_profiles to tollhouse_doorkeeper;
grant insert (user_id, preferences) on user_profiles to tollhouse_doorkeeper;
grant update (user_name, given_name, family_name, bio, time_zone, language, preferences)
  on user_profiles to tollhouse_doorkeeper;
create policy user_profiles_doorkeeper_select on user_profiles for select to tollhouse_doorkeeper using (true);
create policy user_profiles_doorkeeper_insert on user_profiles for insert to tollhouse_doorkeeper with check (true);
create policy user_profiles_doorkeeper_update on user_profiles for update to tollhouse_doorkeeper
  using (true) with check (true);

-- merge_tickets: given, read and used through functions alone; the worker sweeps what has expired
alter table merge_tickets enable row level security;
alter table merge_tickets force row level security;
grant select, insert, delete on merge_tickets to tollhouse_doorkeeper;
grant select, delete on merge_tickets to tollhouse_worker;
create policy merge_tickets_doorkeeper_select on merge_tickets for select to tollhouse_doorkeeper using (true);
create policy merge_tickets_doorkeeper_insert on merge_tickets for insert to tollhouse_doorkeeper with check (true);
create policy merge_tickets_doorkeeper_delete on merge_tickets for delete to tollhouse_doorkeeper using (true);
create policy merge_tickets_worker_select on merge_tickets for select to tollhouse_worker
  using (expires_at < transaction_timestamp());
create policy merge_tickets_worker_delete on merge_tickets for delete to tollhouse_worker
  using (expires_at < transaction_timestamp());

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

-- email_codes: given, tried and used through functions alone; the worker sweeps those that count no more
alter table email_codes enable row level security;
alter table email_codes force row level security;
grant select, delete on email_codes to tollhouse_doorkeeper, tollhouse_worker;
grant insert (user_id, email, code_hash, client_hash, created_at, expires_at) on email_codes to tollhouse_doorkeeper;
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
