-- What an organization says of itself, its settings and its store's configuration: one row of each, always.

-- at most 50 keys of 500 characters, with a text of 500 characters, a number or a boolean for each
create function is_flat_json(value jsonb) returns boolean
language sql immutable parallel safe
as $$
  select jsonb_typeof(value) = 'object'
    and jsonb_array_length(jsonb_path_query_array(value, '$.keyvalue()')) <= 50
    and not jsonb_path_exists(value, '$.keyvalue() ? (
      @.key like_regex "^.{250}.{250}." flag "s"
      || @.value like_regex "^.{250}.{250}." flag "s"
      || @.value.type() == "object"
      || @.value.type() == "array"
      || @.value.type() == "null"
    )')
$$;

-- an object of at most 32 KB, as PostgreSQL writes it, and of at most five levels
create function is_document_json(value jsonb) returns boolean
language sql immutable parallel safe
as $$
  select jsonb_typeof(value) = 'object'
    and octet_length(value::text) <= 32768
    and not jsonb_path_exists(value, 'strict $.**{6 to last}')
$$;

alter table organizations
  add column description text,
  add column contact_email text,
  add column address text,
  add column metadata jsonb,
  add constraint organizations_description_check check (char_length(description) between 1 and 2000),
  add constraint organizations_contact_email_check check (
    contact_email ~ '^[^\s@]+@[^\s@]+$' and char_length(contact_email) <= 254
  ),
  add constraint organizations_address_check check (char_length(address) between 1 and 1000),
  add constraint organizations_metadata_check check (is_flat_json(metadata));

create table organization_settings (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  require_step_up boolean not null default false,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint organization_settings_pkey primary key (organization_id, id),
  constraint organization_settings_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict
);
create unique index organization_settings_organization_id_key on organization_settings (organization_id);

create table store_configurations (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  config jsonb not null,
  theme jsonb not null,
  layout jsonb not null,
  features jsonb not null,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint store_configurations_pkey primary key (organization_id, id),
  constraint store_configurations_config_check check (is_document_json(config)),
  constraint store_configurations_theme_check check (is_flat_json(theme)),
  constraint store_configurations_layout_check check (is_document_json(layout)),
  constraint store_configurations_features_check check (
    is_flat_json(features) and not jsonb_path_exists(features, '$.keyvalue() ? (@.value.type() != "boolean")')
  ),
  constraint store_configurations_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict
);
create unique index store_configurations_organization_id_key on store_configurations (organization_id);

-- FORCE binds the owner too, so it is lifted for the organizations that are there already
alter table organizations no force row level security;
insert into organization_settings (organization_id) select id from organizations;
insert into store_configurations (organization_id, config, theme, layout, features)
select id, '{}', '{}', '{}', '{}' from organizations;
alter table organizations force row level security;

-- a trigger is made by whoever may call its function, for a moment
set local role tollhouse_auditor;
grant execute on function record_audit_entry() to tollhouse_owner;
reset role;
create trigger organization_settings_touch before update on organization_settings
  for each row execute function touch_updated_at();
create trigger organization_settings_audit after insert or update or delete on organization_settings
  for each row execute function record_audit_entry();
create trigger store_configurations_touch before update on store_configurations
  for each row execute function touch_updated_at();
create trigger store_configurations_audit after insert or update or delete on store_configurations
  for each row execute function record_audit_entry();

set local role tollhouse_auditor;
revoke execute on function record_audit_entry() from tollhouse_owner;
reset role;

-- whoever founds an organization, and however: nobody can forget its rows, and nobody may add or delete any
create function equip_organization() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.organization_settings (organization_id) values (new.id);
  insert into public.store_configurations (organization_id, config, theme, layout, features)
  values (new.id, '{}', '{}', '{}', '{}');
  return null;
end
$$;
create trigger organizations_equip after insert on organizations
  for each row execute function equip_organization();

-- raises TH428 when the scene's organization asks for a fresh proof, and its session has none; the proof belongs to the
-- session that signing in began
create function require_step_up(fresh_seconds integer) returns void
language plpgsql stable
as $$
begin
  if exists (
    select from public.organization_settings o
    where o.organization_id = public.current_organization_id() and o.require_step_up
  ) and not exists (
    select from public.sessions asking
    join public.sessions s on s.id = coalesce(asking.root_id, asking.id)
    where asking.id = public.current_session_id()
      and s.proved_at > clock_timestamp() - make_interval(secs => fresh_seconds)
  ) then
    raise exception 'the organization asks for a fresh proof' using errcode = 'TH428';
  end if;
end
$$;

-- the law ------------------------------------------------------------------------------------------------------------

grant execute on function is_flat_json(jsonb), is_document_json(jsonb)
  to tollhouse_identity, tollhouse_member, tollhouse_doorkeeper;
grant execute on function require_step_up(integer) to tollhouse_member;
-- orders are counted for the organization, too
set local role tollhouse_doorkeeper;
grant execute on function take_rate_limit(bytea, integer, integer) to tollhouse_public;
reset role;

-- organizations: changed by who may write them
grant update (name, slug, description, contact_email, address, metadata) on organizations to tollhouse_member;
create policy organizations_member_update on organizations for update to tollhouse_member
  using (id = (select current_organization_id()) and (select has_permission('organization:write')))
  with check (id = (select current_organization_id()));

-- organization_settings: made with the organization, read by its members, changed by who may write it
alter table organization_settings enable row level security;
alter table organization_settings force row level security;
grant select on organization_settings to tollhouse_member, tollhouse_operator;
grant update (require_step_up) on organization_settings to tollhouse_member;
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

-- store_configurations: the same
alter table store_configurations enable row level security;
alter table store_configurations force row level security;
grant select on store_configurations to tollhouse_member, tollhouse_operator;
grant update (config, theme, layout, features) on store_configurations to tollhouse_member;
grant insert on store_configurations to tollhouse_doorkeeper;
create policy store_configurations_member_select on store_configurations for select to tollhouse_member
  using (organization_id = (select current_organization_id()));
create policy store_configurations_member_update on store_configurations for update to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('organization:write')))
  with check (organization_id = (select current_organization_id()));
create policy store_configurations_operator_select on store_configurations for select to tollhouse_operator
  using (true);
create policy store_configurations_doorkeeper_insert on store_configurations for insert to tollhouse_doorkeeper
  with check (true);

-- events: who may write the organization tells what it changed
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

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function equip_organization() owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
