drop policy organizations_auditor_select on organizations;
revoke select (id, slug) on organizations from tollhouse_auditor;
drop policy audit_entries_auditor_select on audit_entries;
revoke select on audit_entries from tollhouse_auditor;
set local role tollhouse_doorkeeper;
revoke execute on function current_event_epoch() from tollhouse_auditor;
reset role;

drop function seal_audit_entries(integer);
drop table audit_seals;
alter table audit_entries
  drop column log_position,
  drop column transaction_id,
  drop column epoch;
