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
      or type in (
        'organization.updated', 'organization-settings.updated', 'store-configuration.updated',
        'domain.added', 'domain.verified', 'domain.primary-changed', 'domain.removed'
      )
      and organization_id = (select current_organization_id())
      and (select has_permission('organization:write'))
    )
  );
drop policy events_doorkeeper_select on events;
revoke select (organization_id, aggregate_type, aggregate_id, aggregate_version) on events from tollhouse_doorkeeper;
alter policy events_doorkeeper_insert on events with check (type in ('user.merged', 'user.deleted'));
drop policy organizations_doorkeeper_insert on organizations;
revoke insert (id, name, slug) on organizations from tollhouse_doorkeeper;
drop policy memberships_member_update on memberships;
revoke update (role, status, job_title, department) on memberships from tollhouse_member;
drop trigger memberships_keep_an_owner on memberships;
drop function keep_an_owner();
drop trigger memberships_mark on memberships;
drop function mark_membership();
set local role tollhouse_doorkeeper;
drop function leave_organization(jsonb), create_organization(uuid, text, text, jsonb), require_owner();
reset role;
alter table memberships
  drop constraint memberships_left_at_check,
  drop constraint memberships_department_check,
  drop constraint memberships_job_title_check,
  drop column department,
  drop column job_title,
  drop column left_at;
