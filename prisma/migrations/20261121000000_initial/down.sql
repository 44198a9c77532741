-- Undoes the first migration. The roles stay: they are of the whole cluster, perhaps of other databases too.

drop table
  audit_entries, events, event_epochs, payment_credits, blockchain_transactions, payment_orders, payment_link_accepts,
  payment_links, watched_accounts, chain_transfers, chain_blocks, assets, chain_incarnations, chains, handles, sessions,
  memberships, organizations, rate_limits, sign_in_attempts, challenges, identities, users;

drop function
  record_audit_entry(), current_event_epoch(), enter_session(uuid, uuid), enter_identity(text, text),
  resolve_handle(text, bytea), take_rate_limit(bytea, integer, integer), count_open_orders(uuid, bytea),
  is_proved_payee(text), permissions_of(text), has_permission(text), current_target_id(), current_session_id(),
  current_user_id(), current_organization_id(), touch_updated_at(), uuid_v7();

drop type
  user_status, identity_kind, wallet_kind, wallet_source, challenge_purpose, organization_status, membership_role,
  membership_status, payment_link_status, payment_order_status, payment_order_exception, payment_matching,
  blockchain_transaction_status;

alter default privileges grant execute on functions to public;
revoke usage on schema public from
  tollhouse_gateway, tollhouse_public, tollhouse_identity, tollhouse_member, tollhouse_worker, tollhouse_operator,
  tollhouse_doorkeeper, tollhouse_auditor;
grant usage on schema public to public;
