-- an entry says which cluster it is of, by the rights of the trigger that writes it
grant execute on function current_event_epoch() to tollhouse_auditor;

-- audit_entries: written by the trigger alone, read by who may and by whoever seals and verifies, changed by nobody
alter table audit_entries enable row level security;
alter table audit_entries force row level security;
grant select, insert on audit_entries to tollhouse_auditor;
grant select on audit_entries to tollhouse_member, tollhouse_operator;
create policy audit_entries_auditor_select on audit_entries for select to tollhouse_auditor using (true);
create policy audit_entries_auditor_insert on audit_entries for insert to tollhouse_auditor with check (true);
create policy audit_entries_member_select on audit_entries for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('audit:read')));
create policy audit_entries_operator_select on audit_entries for select to tollhouse_operator using (true);

-- audit_seals: written by the function alone, read by who may read the entries, changed by nobody
grant execute on function seal_audit_entries(integer) to tollhouse_worker;

alter table audit_seals enable row level security;
alter table audit_seals force row level security;
grant select, insert on audit_seals to tollhouse_auditor;
grant select on audit_seals to tollhouse_member, tollhouse_operator;
create policy audit_seals_auditor_select on audit_seals for select to tollhouse_auditor using (true);
create policy audit_seals_auditor_insert on audit_seals for insert to tollhouse_auditor with check (true);
create policy audit_seals_member_select on audit_seals for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('audit:read')));
create policy audit_seals_operator_select on audit_seals for select to tollhouse_operator using (true);
