alter policy events_member_insert on events
  with check (
    actor = (select current_actor())
    and (
      organization_id = (select current_organization_id())
      and case type
        when 'payment-link.created' then (select has_permission('payments:write'))
        when 'membership.added' then (select has_permission('members:write'))
        when 'membership.updated' then (select has_permission('members:write'))
        when 'membership.removed' then (select has_permission('members:write'))
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
alter policy events_doorkeeper_insert on events
  with check (
    type in (
      'user.merged', 'user.deleted', 'organization.created', 'organization.deleted', 'organization.undeleted',
      'organization.purged', 'membership.left'
    )
  );
grant insert on memberships to tollhouse_member;
create policy memberships_member_insert on memberships for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('members:write'))
    and may_grant(role::text)
  );
drop trigger organizations_forget_invitations on organizations;
set local role tollhouse_doorkeeper;
drop function claim_invitation(bytea), accept_invitation(bytea, uuid, jsonb), own_invitations(), forget_invitations();
reset role;
drop function is_open_invitation(invitations), may_still_invite(uuid, uuid, text);
drop table invitations;
set local role tollhouse_doorkeeper;
drop function equip_invitation();
reset role;
alter table handles no force row level security;
delete from handles where kind = 'invitation';
alter table handles force row level security;
alter table handles
  drop constraint handles_kind_check,
  add constraint handles_kind_check check (kind in ('payment-link', 'payment-order', 'domain', 'api-key'));
alter table memberships drop column invited_by_id;
