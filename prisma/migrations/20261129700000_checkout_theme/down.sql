drop policy store_configurations_public_select on store_configurations;
revoke select (organization_id, theme) on store_configurations from tollhouse_public;
