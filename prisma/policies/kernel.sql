-- The plain words of the database that defaults and policies use; none of them reads a table.
grant execute on function uuid_v7() to
  tollhouse_public, tollhouse_identity, tollhouse_member, tollhouse_worker, tollhouse_operator,
  tollhouse_doorkeeper, tollhouse_auditor;
grant execute on function
  current_organization_id(), current_user_id(), current_session_id(), current_target_id(), current_key_id(),
  current_responsible_id(), current_actor(), has_permission(text)
to
  tollhouse_public, tollhouse_identity, tollhouse_member, tollhouse_worker, tollhouse_operator,
  tollhouse_doorkeeper, tollhouse_auditor;
