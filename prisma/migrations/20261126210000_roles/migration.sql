-- What each role may do, as src/kernel/permissions.ts says it: a test holds the two together. Reading asks for a
-- permission as well, since not everybody who will ask is a member.

create or replace function permissions_of(role text) returns text
language sql immutable parallel safe
as $$
  select case role
    when 'OWNER' then 'organization:read organization:write members:read members:write payment-links:read payments:read '
      'payments:write events:read audit:read'
    when 'ADMIN' then 'organization:read members:read members:write payment-links:read payments:read payments:write '
      'events:read audit:read'
    when 'MEMBER' then 'organization:read members:read payment-links:read payments:read events:read'
  end
$$;

-- nobody gives what they lack: whether whoever asks may do all that the role may
create function may_grant(role text) returns boolean
language sql stable parallel safe
as $$
  select string_to_array(permissions_of(role), ' ') <@ string_to_array(current_setting('app.permissions', true), ' ')
$$;

-- the law ------------------------------------------------------------------------------------------------------------

grant execute on function permissions_of(text), may_grant(text) to tollhouse_member;

alter policy memberships_member_select on memberships
  using (
    organization_id = (select current_organization_id()) and (select has_permission('members:read'))
    or user_id = (select current_user_id())
  );
alter policy memberships_member_insert on memberships
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('members:write'))
    and may_grant(role::text)
  );
alter policy store_configurations_member_select on store_configurations
  using (organization_id = (select current_organization_id()) and (select has_permission('organization:read')));
alter policy organization_domains_member_select on organization_domains
  using (organization_id = (select current_organization_id()) and (select has_permission('organization:read')));
alter policy payment_links_member_select on payment_links
  using (
    organization_id = (select current_organization_id())
    and deleted_at is null
    and (select has_permission('payment-links:read'))
  );
alter policy payment_link_accepts_member_select on payment_link_accepts
  using (organization_id = (select current_organization_id()) and (select has_permission('payment-links:read')));
alter policy payment_orders_member_select on payment_orders
  using (organization_id = (select current_organization_id()) and (select has_permission('payments:read')));
alter policy blockchain_transactions_member_select on blockchain_transactions
  using (organization_id = (select current_organization_id()) and (select has_permission('payments:read')));
alter policy payment_credits_member_select on payment_credits
  using (organization_id = (select current_organization_id()) and (select has_permission('payments:read')));
alter policy events_member_select on events
  using (organization_id = (select current_organization_id()) and (select has_permission('events:read')));
