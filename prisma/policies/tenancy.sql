-- The door for public values: an exact match and nothing else.
grant execute on function resolve_handle(text, bytea) to tollhouse_gateway;
-- The operator's doors: the one that makes the operator, and the one by which it looks into an organization.
grant execute on function enter_operator(uuid, integer) to tollhouse_operator_login;
grant execute on function enter_impersonation(uuid, uuid) to tollhouse_gateway;
-- The key's door; and how an owner answers for one.
grant execute on function enter_key(bytea, bytea, text, text, boolean) to tollhouse_gateway;
grant execute on function confirm_api_key(uuid) to tollhouse_member;
-- What a role may do, and whether whoever asks may give it, or leave a membership like that.
grant execute on function
  permissions_of(text), permissions_held(uuid, text, uuid), may_grant(text, uuid), may_place(text, text, uuid)
to tollhouse_member;
grant execute on function permissions_held(uuid, text, uuid) to tollhouse_doorkeeper;
-- Leaving, founding, and that no organization is left without an owner.
grant execute on function leave_organization(jsonb), create_organization(uuid, text, text, jsonb, integer), require_owner()
  to tollhouse_member;
-- Invitations: what they are made of is for their owner alone; accepted while signed in, and by whoever just proved who
-- they are; and claimed by whoever signs up.
grant execute on function may_still_invite(uuid, uuid, text, uuid), is_open_invitation(invitations)
  to tollhouse_doorkeeper;
grant execute on function own_invitations(), take_invitation_limit(text, integer, integer) to tollhouse_member;
grant execute on function accept_invitation(bytea, uuid, jsonb) to tollhouse_member, tollhouse_identity;
grant execute on function claim_invitation(bytea) to tollhouse_identity;
-- Deleting, restoring and purging; what the functions are made of is for their owner alone.
grant execute on function
  delete_organization(text, jsonb), deleted_organizations(integer), restore_organization(uuid, integer, jsonb)
to tollhouse_member;
grant execute on function reopen_organization(uuid, integer) to tollhouse_operator;
grant execute on function purge_organization(integer, integer, jsonb, uuid[]) to tollhouse_worker;
grant execute on function
  has_open_money(uuid), tell_of_organization(uuid, text, text, jsonb, jsonb), hold_organizations(uuid[]),
  restorable_since(integer), is_owner(uuid, uuid), take_from_organization(uuid, integer, jsonb)
to tollhouse_doorkeeper;
-- What an operator does is on record before.
grant execute on function is_on_record(uuid, operator_deed) to tollhouse_operator, tollhouse_doorkeeper;
-- What a command plans in front of its deeds, and what the checks of columns are made of.
grant execute on function require_step_up(integer) to tollhouse_member;
grant execute on function is_flat_json(jsonb) to tollhouse_operator;
grant execute on function is_flat_json(jsonb), is_document_json(jsonb)
  to tollhouse_identity, tollhouse_member, tollhouse_doorkeeper;
-- What an organization may have, of those that whoever asks sees.
grant execute on function subscription_of(uuid) to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper;

-- organizations: a member sees the active one and the others it belongs to, and changes the active one if it may; a
-- payer sees the name; an operator suspends and restores, and says what it may have
alter table organizations enable row level security;
alter table organizations force row level security;
grant select on organizations to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper;
grant select (id, name) on organizations to tollhouse_public;
grant select on organizations to tollhouse_identity;
grant insert (id, name, slug, status) on organizations to tollhouse_identity;
create policy organizations_member_select on organizations for select to tollhouse_member
  using (
    deleted_at is null
    and (
      id = (select current_organization_id())
      or exists (
        select from memberships m
        where m.organization_id = organizations.id
          and m.user_id = (select current_user_id())
          and m.status = 'ACTIVE'
      )
    )
  );
grant update (name, slug, description, contact_email, address, metadata) on organizations to tollhouse_member;
create policy organizations_member_update on organizations for update to tollhouse_member
  using (id = (select current_organization_id()) and (select has_permission('organization:write')))
  with check (id = (select current_organization_id()));
create policy organizations_public_select on organizations for select to tollhouse_public
  using (id = (select current_organization_id()) and deleted_at is null);
create policy organizations_identity_select on organizations for select to tollhouse_identity
  using (
    deleted_at is null
    and exists (
      select from memberships m
      where m.organization_id = organizations.id
        and m.user_id = (select current_user_id())
        and m.status = 'ACTIVE'
    )
  );
create policy organizations_identity_insert on organizations for insert to tollhouse_identity
  with check (id = (select current_organization_id()));
create policy organizations_operator_select on organizations for select to tollhouse_operator using (true);
grant update (status) on organizations to tollhouse_operator;
grant update (subscription_tier, subscription_expires_at, max_members, max_links) on organizations to tollhouse_operator;
create policy organizations_operator_update on organizations for update to tollhouse_operator
  using (true) with check (true);
create policy organizations_doorkeeper_select on organizations for select to tollhouse_doorkeeper using (true);
-- whoever verifies the audit is told an organization by its name in addresses
grant select (id, slug) on organizations to tollhouse_auditor;
create policy organizations_auditor_select on organizations for select to tollhouse_auditor using (true);
grant update (deleted_at, name, slug, description, contact_email, address, metadata, purge_began_at, purged_at)
  on organizations to tollhouse_doorkeeper;
create policy organizations_doorkeeper_update on organizations for update to tollhouse_doorkeeper
  using (true) with check (true);
-- a further one is made through its function alone
grant insert (id, name, slug) on organizations to tollhouse_doorkeeper;
create policy organizations_doorkeeper_insert on organizations for insert to tollhouse_doorkeeper with check (true);

-- memberships: a member sees those of the active organization and its own; who may write them changes and ends them, as
-- far as they may do themselves what the member may; founding and accepting an invitation make them, nobody else does
alter table memberships enable row level security;
alter table memberships force row level security;
grant select on memberships to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper;
grant select, insert on memberships to tollhouse_identity;
create policy memberships_member_select on memberships for select to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and ((select has_permission('members:read')) or user_id = (select current_user_id()))
    or user_id = (select current_person_id())
  );
grant update (role, role_id, status, job_title, department) on memberships to tollhouse_member;
create policy memberships_member_update on memberships for update to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and status = 'ACTIVE'
    and (select has_permission('members:write'))
    and may_grant(role::text, role_id)
  )
  with check (
    organization_id = (select current_organization_id())
    and status in ('ACTIVE', 'REMOVED')
    and may_place(status::text, role::text, role_id)
  );
create policy memberships_identity_select on memberships for select to tollhouse_identity
  using (user_id = (select current_user_id()));
create policy memberships_identity_insert on memberships for insert to tollhouse_identity
  with check (
    organization_id = (select current_organization_id()) and user_id = (select current_user_id()) and role = 'OWNER'
  );
create policy memberships_operator_select on memberships for select to tollhouse_operator using (true);
create policy memberships_doorkeeper_select on memberships for select to tollhouse_doorkeeper using (true);
grant insert (organization_id, user_id, role, role_id, status, joined_at, left_at, job_title, department, invited_by_id)
  on memberships to tollhouse_doorkeeper;
grant update (role, role_id, status, joined_at, job_title, department, invited_by_id)
  on memberships to tollhouse_doorkeeper;
create policy memberships_doorkeeper_insert on memberships for insert to tollhouse_doorkeeper with check (true);
create policy memberships_doorkeeper_update on memberships for update to tollhouse_doorkeeper
  using (true) with check (true);

-- invitations: seen by who may read members; made and revoked by who may write them, within what they may do themselves
alter table invitations enable row level security;
alter table invitations force row level security;
grant select (organization_id, id, role, role_id, email, address, chain_id, invited_by_id, expires_at, revoked_at,
  accepted_at, accepted_by_id, created_at, updated_at) on invitations to tollhouse_member;
grant insert (organization_id, id, role, role_id, email, token_hash, address, chain_id, invited_by_id, expires_at)
  on invitations to tollhouse_member;
-- whoever invited says that the mail was sent, or sends another token; a trigger keeps it so
grant select (sent_at), update (revoked_at, token_hash, sent_at) on invitations to tollhouse_member;
create policy invitations_member_select on invitations for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('members:read')));
create policy invitations_member_insert on invitations for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('members:write'))
    and may_grant(role::text, role_id)
    and invited_by_id = (select current_user_id())
  );
create policy invitations_member_update on invitations for update to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and revoked_at is null
    and accepted_at is null
    and (select has_permission('members:write'))
    and may_grant(role::text, role_id)
  )
  with check (organization_id = (select current_organization_id()));
grant select, delete on invitations to tollhouse_doorkeeper;
grant update (role_id, accepted_at, accepted_by_id, claimed_by_id) on invitations to tollhouse_doorkeeper;
create policy invitations_doorkeeper_select on invitations for select to tollhouse_doorkeeper using (true);
create policy invitations_doorkeeper_update on invitations for update to tollhouse_doorkeeper
  using (true) with check (true);
create policy invitations_doorkeeper_delete on invitations for delete to tollhouse_doorkeeper using (true);

-- roles: custom ones are seen by who may read members, one's own by everybody; made, changed and deleted by who may write
-- members, within what they may do themselves, before and after, and deleted while nobody has them
alter table roles enable row level security;
alter table roles force row level security;
grant select, delete on roles to tollhouse_member, tollhouse_doorkeeper;
grant insert (organization_id, id, name, description, permissions) on roles to tollhouse_member;
grant update (name, description, permissions) on roles to tollhouse_member;
create policy roles_member_select on roles for select to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and (
      (select has_permission('members:read'))
      or exists (
        select from memberships m
        where m.organization_id = roles.organization_id
          and m.role_id = roles.id
          and m.user_id = (select current_user_id())
      )
    )
  );
create policy roles_member_insert on roles for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('members:write'))
    and permissions <@ (select string_to_array(current_setting('app.permissions', true), ' '))
  );
create policy roles_member_update on roles for update to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and (select has_permission('members:write'))
    and permissions <@ (select string_to_array(current_setting('app.permissions', true), ' '))
  )
  with check (
    organization_id = (select current_organization_id())
    and permissions <@ (select string_to_array(current_setting('app.permissions', true), ' '))
  );
create policy roles_member_delete on roles for delete to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and (select has_permission('members:write'))
    and permissions <@ (select string_to_array(current_setting('app.permissions', true), ' '))
    and not exists (
      select from memberships m
      where m.organization_id = roles.organization_id and m.role_id = roles.id
    )
  );
create policy roles_doorkeeper_select on roles for select to tollhouse_doorkeeper using (true);
create policy roles_doorkeeper_delete on roles for delete to tollhouse_doorkeeper
  using (
    not exists (
      select from memberships m
      where m.organization_id = roles.organization_id and m.role_id = roles.id
    )
  );

-- handles: added beside what they name, looked up through resolve_handle alone; those of domains are kept by a trigger
alter table handles enable row level security;
alter table handles force row level security;
grant select, insert, delete on handles to tollhouse_doorkeeper;
grant insert on handles to tollhouse_member, tollhouse_public;
create policy handles_member_insert on handles for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and kind = 'payment-link'
    and (select has_permission('payments:write'))
  );
-- That the order is one of this link's is not asked: who made an order does not see it before it comes back with the
-- token. A handle of another order of the tenant needs that order's id, which the public is never shown.
create policy handles_public_insert on handles for insert to tollhouse_public
  with check (organization_id = (select current_organization_id()) and kind = 'payment-order');
create policy handles_doorkeeper_select on handles for select to tollhouse_doorkeeper using (true);
create policy handles_doorkeeper_insert on handles for insert to tollhouse_doorkeeper with check (true);
create policy handles_doorkeeper_delete on handles for delete to tollhouse_doorkeeper using (true);

-- organization_settings: made with the organization, changed by who may write it; read whatever one may do, since they
-- say what every deed is asked for
alter table organization_settings enable row level security;
alter table organization_settings force row level security;
grant select on organization_settings to tollhouse_member, tollhouse_operator;
grant update (require_step_up, redirect_origins) on organization_settings to tollhouse_member;
grant insert on organization_settings to tollhouse_doorkeeper;
create policy organization_settings_member_select on organization_settings for select to tollhouse_member
  using (organization_id = (select current_organization_id()));
create policy organization_settings_member_update on organization_settings for update to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('organization:write')))
  with check (organization_id = (select current_organization_id()));
create policy organization_settings_operator_select on organization_settings for select to tollhouse_operator
  using (true);
create policy organization_settings_doorkeeper_insert on organization_settings for insert to tollhouse_doorkeeper
  with check (true);
-- purging takes them away
grant select, delete on organization_settings to tollhouse_doorkeeper;
create policy organization_settings_doorkeeper_select on organization_settings for select to tollhouse_doorkeeper
  using (true);
create policy organization_settings_doorkeeper_delete on organization_settings for delete to tollhouse_doorkeeper
  using (true);

-- store_configurations: the same; a payer sees how the store of whoever it pays looks
alter table store_configurations enable row level security;
alter table store_configurations force row level security;
grant select on store_configurations to tollhouse_member, tollhouse_operator;
grant update (config, theme, layout, features) on store_configurations to tollhouse_member;
grant insert on store_configurations to tollhouse_doorkeeper;
create policy store_configurations_member_select on store_configurations for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('organization:read')));
create policy store_configurations_member_update on store_configurations for update to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('organization:write')))
  with check (organization_id = (select current_organization_id()));
grant select (organization_id, theme) on store_configurations to tollhouse_public;
create policy store_configurations_public_select on store_configurations for select to tollhouse_public
  using (organization_id = (select current_organization_id()));
create policy store_configurations_operator_select on store_configurations for select to tollhouse_operator
  using (true);
create policy store_configurations_doorkeeper_insert on store_configurations for insert to tollhouse_doorkeeper
  with check (true);
grant select, delete on store_configurations to tollhouse_doorkeeper;
create policy store_configurations_doorkeeper_select on store_configurations for select to tollhouse_doorkeeper
  using (true);
create policy store_configurations_doorkeeper_delete on store_configurations for delete to tollhouse_doorkeeper
  using (true);

-- organization_domains: seen by members, kept by who may write the organization
alter table organization_domains enable row level security;
alter table organization_domains force row level security;
grant select, delete on organization_domains to tollhouse_member;
grant insert (organization_id, id, kind, host, verification_token) on organization_domains to tollhouse_member;
grant update (is_primary, verified_at) on organization_domains to tollhouse_member;
grant select on organization_domains to tollhouse_operator, tollhouse_doorkeeper;
create policy organization_domains_member_select on organization_domains for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('organization:read')));
create policy organization_domains_member_insert on organization_domains for insert to tollhouse_member
  with check (organization_id = (select current_organization_id()) and (select has_permission('organization:write')));
create policy organization_domains_member_update on organization_domains for update to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('organization:write')))
  with check (organization_id = (select current_organization_id()));
create policy organization_domains_member_delete on organization_domains for delete to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('organization:write')));
create policy organization_domains_operator_select on organization_domains for select to tollhouse_operator
  using (true);
create policy organization_domains_doorkeeper_select on organization_domains for select to tollhouse_doorkeeper
  using (true);
-- they are free when the organization is deleted, and gone when it is purged
grant update (verified_at, is_primary), delete on organization_domains to tollhouse_doorkeeper;
create policy organization_domains_doorkeeper_update on organization_domains for update to tollhouse_doorkeeper
  using (true) with check (true);
create policy organization_domains_doorkeeper_delete on organization_domains for delete to tollhouse_doorkeeper
  using (true);

-- operators: kept by whoever has the machine, as the doorkeeper, and looked at while entering
alter table operators enable row level security;
alter table operators force row level security;
grant select, insert on operators to tollhouse_doorkeeper;
grant update (revoked_at, revoked_by, revoke_reason) on operators to tollhouse_doorkeeper;
create policy operators_doorkeeper_select on operators for select to tollhouse_doorkeeper using (true);
create policy operators_doorkeeper_insert on operators for insert to tollhouse_doorkeeper with check (true);
create policy operators_doorkeeper_update on operators for update to tollhouse_doorkeeper using (true) with check (true);

-- operator_actions: added by an operator in its own name, read by who may read the audit, changed by nobody
alter table operator_actions enable row level security;
alter table operator_actions force row level security;
grant select on operator_actions to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper;
grant insert (organization_id, id, deed, user_id, user_name, session_id, reason, request_id, expires_at)
  on operator_actions to tollhouse_operator;
create policy operator_actions_member_select on operator_actions for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('audit:read')));
create policy operator_actions_operator_select on operator_actions for select to tollhouse_operator using (true);
create policy operator_actions_operator_insert on operator_actions for insert to tollhouse_operator
  with check (user_id = (select current_user_id()) and session_id = (select current_session_id()));
create policy operator_actions_doorkeeper_select on operator_actions for select to tollhouse_doorkeeper using (true);

-- api_keys: seen by who may read them, each by itself; made by who may write them, within what they may do themselves;
-- nobody but the door reads the hash, and what was revoked stays so
alter table api_keys enable row level security;
alter table api_keys force row level security;
grant select (organization_id, id, kind, name, description, prefix, scopes, created_by_id, responsible_id, expires_at,
  allowed_addresses, allowed_origins, monthly_limit, revoked_at, created_at, updated_at) on api_keys to tollhouse_member;
grant insert (organization_id, id, kind, name, description, prefix, secret_hash, scopes, created_by_id, responsible_id,
  expires_at, allowed_addresses, allowed_origins, monthly_limit) on api_keys to tollhouse_member;
grant update (name, description, expires_at, allowed_addresses, allowed_origins, monthly_limit, revoked_at)
  on api_keys to tollhouse_member;
grant select on api_keys to tollhouse_doorkeeper;
grant update (responsible_id, revoked_at) on api_keys to tollhouse_doorkeeper;
grant delete on api_keys to tollhouse_doorkeeper;
create policy api_keys_doorkeeper_delete on api_keys for delete to tollhouse_doorkeeper using (true);
create policy api_keys_member_select on api_keys for select to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and ((select has_permission('keys:read')) or id = (select current_key_id()))
  );
create policy api_keys_member_insert on api_keys for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('keys:write'))
    and created_by_id = (select current_user_id())
    and responsible_id = (select current_user_id())
    and scopes <@ (select string_to_array(current_setting('app.permissions', true), ' '))
  );
create policy api_keys_member_update on api_keys for update to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and revoked_at is null
    and (select has_permission('keys:write'))
  )
  with check (organization_id = (select current_organization_id()));
create policy api_keys_doorkeeper_select on api_keys for select to tollhouse_doorkeeper using (true);
create policy api_keys_doorkeeper_update on api_keys for update to tollhouse_doorkeeper using (true) with check (true);

-- api_key_uses: kept by the door alone, seen like the keys
alter table api_key_uses enable row level security;
alter table api_key_uses force row level security;
grant select on api_key_uses to tollhouse_member;
grant select on api_key_uses to tollhouse_doorkeeper;
grant insert (organization_id, id) on api_key_uses to tollhouse_doorkeeper;
grant update (last_used_at, month, calls) on api_key_uses to tollhouse_doorkeeper;
create policy api_key_uses_member_select on api_key_uses for select to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and ((select has_permission('keys:read')) or id = (select current_key_id()))
  );
create policy api_key_uses_doorkeeper_select on api_key_uses for select to tollhouse_doorkeeper using (true);
create policy api_key_uses_doorkeeper_insert on api_key_uses for insert to tollhouse_doorkeeper with check (true);
create policy api_key_uses_doorkeeper_update on api_key_uses for update to tollhouse_doorkeeper
  using (true) with check (true);

-- subscription_defaults: kept by the processes that work, read by whoever is asked about a limit
alter table subscription_defaults enable row level security;
alter table subscription_defaults force row level security;
grant select on subscription_defaults to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper, tollhouse_worker;
grant update (tier, max_members, max_links) on subscription_defaults to tollhouse_worker;
create policy subscription_defaults_member_select on subscription_defaults for select to tollhouse_member using (true);
create policy subscription_defaults_operator_select on subscription_defaults for select to tollhouse_operator
  using (true);
create policy subscription_defaults_doorkeeper_select on subscription_defaults for select to tollhouse_doorkeeper
  using (true);
create policy subscription_defaults_worker_select on subscription_defaults for select to tollhouse_worker using (true);
create policy subscription_defaults_worker_update on subscription_defaults for update to tollhouse_worker
  using (true) with check (true);
