set local role tollhouse_doorkeeper;
drop function
  purge_organization(integer, integer, jsonb), restore_organization(uuid, integer, jsonb),
  reopen_organization(uuid, integer), deleted_organizations(integer), delete_organization(text, jsonb);
reset role;
alter policy events_doorkeeper_select on events using (organization_id = (select current_organization_id()));
alter policy events_doorkeeper_insert on events
  with check (type in ('user.merged', 'user.deleted', 'organization.created', 'membership.left'));
drop policy api_keys_doorkeeper_delete on api_keys;
revoke delete on api_keys from tollhouse_doorkeeper;
revoke update (job_title, department) on memberships from tollhouse_doorkeeper;
drop policy store_configurations_doorkeeper_delete on store_configurations;
drop policy store_configurations_doorkeeper_select on store_configurations;
revoke select, delete on store_configurations from tollhouse_doorkeeper;
drop policy organization_settings_doorkeeper_delete on organization_settings;
drop policy organization_settings_doorkeeper_select on organization_settings;
revoke select, delete on organization_settings from tollhouse_doorkeeper;
drop policy organization_domains_doorkeeper_delete on organization_domains;
drop policy organization_domains_doorkeeper_update on organization_domains;
revoke update (verified_at, is_primary), delete on organization_domains from tollhouse_doorkeeper;
revoke update (name, slug, description, contact_email, address, metadata)
  on organizations from tollhouse_doorkeeper;

drop trigger organization_domains_refuse_deleted on organization_domains;
drop trigger payment_orders_refuse_deleted on payment_orders;
drop trigger organizations_close on organizations;
set local role tollhouse_doorkeeper;
drop function refuse_deleted_organization();
reset role;
drop function close_organization(), tell_of_organization(uuid, text, text, jsonb, jsonb);

create or replace function left_behind(leaver uuid)
returns table (organization_id uuid, name text, is_alone boolean, is_last_owner boolean, has_open_money boolean)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select
    o.id,
    o.name,
    others.owners is null,
    m.role = 'OWNER' and others.owners = 0,
    exists (
      select from public.payment_orders p
      where p.organization_id = o.id
        and (
          p.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'PAID')
          -- what came in and never sufficed, or came back after all
          or p.status = 'EXPIRED' and p.credited_units > 0
        )
    )
  from public.memberships m
  join public.organizations o on o.id = m.organization_id and o.deleted_at is null
  -- null where there is nobody else
  cross join lateral (
    select sum((other.role = 'OWNER')::integer) as owners
    from public.memberships other
    join public.users u on u.id = other.user_id and u.status = 'ACTIVE' and u.deleted_at is null
    where other.organization_id = m.organization_id and other.user_id <> leaver and other.status = 'ACTIVE'
  ) others
  where m.user_id = leaver and m.status = 'ACTIVE'
$$;
drop function has_open_money(uuid);

alter table organizations
  drop column purged_at,
  drop column purge_began_at;
