alter policy events_operator_insert on events
  with check (
    actor = 'operator:' || (select current_user_id())
    and type in ('organization.suspended', 'organization.restored', 'organization.impersonated')
  );

revoke insert (id, name, slug, status) on organizations from tollhouse_identity;
grant insert on organizations to tollhouse_identity;

drop trigger organizations_forget_subscription on organizations;
drop function forget_subscription();
drop trigger payment_links_limit_again on payment_links;
drop trigger payment_links_limit on payment_links;
drop trigger invitations_limit_members on invitations;
drop function limit_links();
drop function limit_members();
drop function subscription_of(uuid);

-- a deed that nobody knows any more has no place in the book; the audit keeps that it was there
alter table operator_actions no force row level security;
delete from operator_actions where deed = 'SUBSCRIBE';
alter table operator_actions force row level security;
create type operator_deed_before as enum ('SUSPEND', 'RESTORE', 'IMPERSONATE');
alter table operator_actions
  drop constraint operator_actions_expires_at_check,
  alter column deed type operator_deed_before using deed::text::operator_deed_before;
drop type operator_deed;
alter type operator_deed_before rename to operator_deed;
alter table operator_actions
  add constraint operator_actions_expires_at_check check (
    case deed
      when 'IMPERSONATE' then expires_at between created_at and created_at + interval '10 minutes'
      else expires_at is null
    end
  );

drop table subscription_defaults;

alter table organizations
  drop column subscription_tier,
  drop column subscription_expires_at,
  drop column max_members,
  drop column max_links;
