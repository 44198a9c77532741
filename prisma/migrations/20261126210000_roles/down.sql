alter policy events_member_select on events
  using (organization_id = (select current_organization_id()));
alter policy payment_credits_member_select on payment_credits
  using (organization_id = (select current_organization_id()));
alter policy blockchain_transactions_member_select on blockchain_transactions
  using (organization_id = (select current_organization_id()));
alter policy payment_orders_member_select on payment_orders
  using (organization_id = (select current_organization_id()));
alter policy payment_link_accepts_member_select on payment_link_accepts
  using (organization_id = (select current_organization_id()));
alter policy payment_links_member_select on payment_links
  using (organization_id = (select current_organization_id()) and deleted_at is null);
alter policy organization_domains_member_select on organization_domains
  using (organization_id = (select current_organization_id()));
alter policy store_configurations_member_select on store_configurations
  using (organization_id = (select current_organization_id()));
alter policy memberships_member_insert on memberships
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('members:write'))
    and (role <> 'OWNER' or (select has_permission('organization:write')))
  );
alter policy memberships_member_select on memberships
  using (organization_id = (select current_organization_id()) or user_id = (select current_user_id()));
revoke execute on function permissions_of(text) from tollhouse_member;
drop function may_grant(text);
create or replace function permissions_of(role text) returns text
language sql immutable parallel safe
as $$
  select case role
    when 'OWNER' then 'organization:write members:read members:write payments:read payments:write audit:read'
    when 'ADMIN' then 'members:read members:write payments:read payments:write audit:read'
    when 'MEMBER' then 'members:read payments:read'
  end
$$;
