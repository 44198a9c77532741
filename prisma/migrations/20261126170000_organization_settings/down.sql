alter policy events_member_insert on events
  with check (
    actor = 'user:' || (select current_user_id())
    and (
      organization_id = (select current_organization_id())
      and case type
        when 'payment-link.created' then (select has_permission('payments:write'))
        when 'membership.added' then (select has_permission('members:write'))
      end
      or type in ('wallet.linked', 'wallet.unlinked', 'wallet.primary-changed', 'identity.linked', 'identity.unlinked')
      and organization_id in (select id from organizations)
    )
  );

drop policy organizations_member_update on organizations;
revoke update (name, slug, description, contact_email, address, metadata) on organizations from tollhouse_member;
set local role tollhouse_doorkeeper;
revoke execute on function take_rate_limit(bytea, integer, integer) from tollhouse_public;
reset role;

drop trigger organizations_equip on organizations;
drop function equip_organization(), require_step_up(integer);
drop table store_configurations, organization_settings;
alter table organizations
  drop column metadata,
  drop column address,
  drop column contact_email,
  drop column description;
drop function is_flat_json(jsonb), is_document_json(jsonb);
