-- Payers see how the store of whoever they pay looks, and nothing else of its configuration.
grant select (organization_id, theme) on store_configurations to tollhouse_public;
create policy store_configurations_public_select on store_configurations for select to tollhouse_public
  using (organization_id = (select current_organization_id()));
