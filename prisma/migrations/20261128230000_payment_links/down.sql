alter policy events_member_insert on events
  with check (
    actor = (select current_actor())
    and (
      organization_id = (select current_organization_id())
      and case type
        when 'payment-link.created' then (select has_permission('payments:write'))
        when 'membership.updated' then (select has_permission('members:write'))
        when 'membership.removed' then (select has_permission('members:write'))
        when 'invitation.created' then (select has_permission('members:write'))
        when 'invitation.revoked' then (select has_permission('members:write'))
        when 'role.created' then (select has_permission('members:write'))
        when 'role.updated' then (select has_permission('members:write'))
        when 'role.deleted' then (select has_permission('members:write'))
        when 'api-key.created' then (select has_permission('keys:write'))
        when 'api-key.updated' then (select has_permission('keys:write'))
        when 'api-key.confirmed' then (select has_permission('keys:write'))
        when 'api-key.revoked' then (select has_permission('keys:write'))
      end
      or type in ('wallet.linked', 'wallet.unlinked', 'wallet.primary-changed', 'identity.linked', 'identity.unlinked')
      and organization_id in (select id from organizations)
      and (select current_user_id()) is not null
      or type in (
        'organization.updated', 'organization-settings.updated', 'store-configuration.updated',
        'domain.added', 'domain.verified', 'domain.primary-changed', 'domain.removed'
      )
      and organization_id = (select current_organization_id())
      and (select has_permission('organization:write'))
    )
  );

alter policy payment_orders_public_insert on payment_orders
  with check (
    organization_id = (select current_organization_id())
    and payment_link_id = (select current_target_id())
    and status = 'CREATED'
    and credited_units = 0
    and exists (
      select from payment_link_accepts a
      where a.organization_id = payment_orders.organization_id
        and a.payment_link_id = payment_orders.payment_link_id
        and a.asset_id = payment_orders.asset_id
        and a.units = payment_orders.due_units
        and a.pay_to = payment_orders.pay_to
    )
  );
revoke select (field_values, line_items), insert (field_values) on payment_orders from tollhouse_public;
grant insert (required_confirmations, expires_at) on payment_orders to tollhouse_public;

drop policy payment_link_accepts_doorkeeper_update on payment_link_accepts;
revoke update (total_units, exhausted) on payment_link_accepts from tollhouse_doorkeeper;
revoke select (organization_id, id, payment_link_id, position, asset_id, units, min_units, max_units, exhausted, pay_to)
  on payment_link_accepts from tollhouse_public;
grant select on payment_link_accepts to tollhouse_public;
drop policy payment_link_accepts_member_delete on payment_link_accepts;
revoke delete, insert (organization_id, id, payment_link_id, position, asset_id, units, min_units, max_units,
  max_total_units, pay_to) on payment_link_accepts from tollhouse_member;
grant insert on payment_link_accepts to tollhouse_member;

revoke update (uses, exhausted, deleted_at) on payment_links from tollhouse_doorkeeper;
revoke select (pricing, line_items, starts_at, expires_at, custom_fields, success_url, cancel_url, inactive_message,
  exhausted) on payment_links from tollhouse_public;
drop policy payment_links_member_update on payment_links;
revoke
  update (title, description, status, order_lifetime_minutes, pricing, line_items, starts_at, expires_at, max_uses,
    max_per_wallet, tolerance_basis_points, under_policy, over_policy, late_policy, late_window_minutes, finality,
    finality_confirmations, custom_fields, allowed_payers, success_url, cancel_url, inactive_message, metadata),
  insert (organization_id, id, slug, title, description, status, order_lifetime_minutes, pricing, line_items,
    starts_at, expires_at, max_uses, max_per_wallet, tolerance_basis_points, under_policy, over_policy, late_policy,
    late_window_minutes, finality, finality_confirmations, custom_fields, allowed_payers, success_url, cancel_url,
    inactive_message, metadata, created_by_id)
on payment_links from tollhouse_member;
grant insert on payment_links to tollhouse_member;

drop trigger payment_link_accepts_check_step_up on payment_link_accepts;
create trigger payment_link_accepts_check_step_up before insert on payment_link_accepts
  for each statement when (current_user = 'tollhouse_member') execute function check_step_up();
drop trigger payment_links_check_step_up on payment_links;
create trigger payment_links_check_step_up before insert on payment_links
  for each statement when (current_user = 'tollhouse_member') execute function check_step_up();

revoke execute on function require_step_up(integer) from tollhouse_doorkeeper;
drop trigger payment_links_redirects_again on payment_links;
drop trigger payment_links_redirects on payment_links;
drop trigger payment_links_guard on payment_links;
drop trigger payment_links_keep on payment_links;
drop trigger payment_link_accepts_keep on payment_link_accepts;
drop trigger payment_orders_terms_of_chain on payment_orders;
drop trigger payment_orders_terms on payment_orders;
drop trigger payment_orders_count_use_again on payment_orders;
drop trigger payment_orders_count_use on payment_orders;
drop function
  delete_payment_link(uuid), next_link_version(uuid), hold_payment_link(uuid), refuse_contract_payees(text[], bigint[]), check_redirects(),
  guard_link(), take_chain_terms(), take_terms(), keep_link(), keep_accepts(), recount_uses(uuid, uuid),
  count_order_use(), is_exhausted(uuid, uuid), is_limited(uuid, uuid), hold_uses(uuid), share_uses(uuid),
  check_prices(uuid, uuid), is_price(numeric, numeric, numeric, numeric), sum_of_line_items(jsonb, uuid);

revoke update (redirect_origins) on organization_settings from tollhouse_member;
alter table organization_settings drop redirect_origins;
drop index payment_orders_payer_idx;
alter table payment_orders drop constraint payment_orders_field_values_size_check;
alter table payment_link_accepts drop exhausted;
alter table payment_links
  drop constraint payment_links_metadata_size_check,
  drop constraint payment_links_custom_fields_size_check,
  drop constraint payment_links_cancel_url_origin_check,
  drop constraint payment_links_success_url_origin_check,
  drop constraint payment_links_slug_word_check,
  drop exhausted,
  drop line_items;
