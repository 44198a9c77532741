-- audit_entries: written by the trigger alone, read by who may, changed by nobody
alter table audit_entries enable row level security;
alter table audit_entries force row level security;
grant insert on audit_entries to tollhouse_auditor;
grant select on audit_entries to tollhouse_member, tollhouse_operator;
create policy audit_entries_auditor_insert on audit_entries for insert to tollhouse_auditor with check (true);
create policy audit_entries_member_select on audit_entries for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('audit:read')));
create policy audit_entries_operator_select on audit_entries for select to tollhouse_operator using (true);
