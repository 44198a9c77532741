alter policy events_member_insert on events
  with check (
    organization_id = (select current_organization_id())
    and actor = 'user:' || (select current_user_id())
    and case type
      when 'payment-link.created' then (select has_permission('payments:write'))
      when 'membership.added' then (select has_permission('members:write'))
    end
  );

drop policy sign_in_attempts_member_insert on sign_in_attempts;
revoke insert (outcome, domain, chain_id, address, user_id, client_address, request_id)
  on sign_in_attempts from tollhouse_member;

drop policy assets_doorkeeper_select on assets;
revoke select (id, chain_id) on assets from tollhouse_doorkeeper;
drop policy payment_link_accepts_doorkeeper_select on payment_link_accepts;
drop policy payment_links_doorkeeper_select on payment_links;
revoke select on payment_links, payment_link_accepts from tollhouse_doorkeeper;

drop policy sessions_doorkeeper_update on sessions;
revoke update (proved_at, ended_at, end_reason) on sessions from tollhouse_doorkeeper;

drop policy identities_member_delete on identities;
drop policy identities_member_update on identities;
drop policy identities_member_insert on identities;
revoke delete on identities from tollhouse_member;
revoke insert (id, user_id, kind, issuer, subject, address, chain_id, wallet_kind, wallet_source)
  on identities from tollhouse_member;

drop trigger identities_end_sessions on identities;
drop function is_needed_payee(uuid), step_up(), end_sessions_of_identity();
drop index payment_link_accepts_organization_id_pay_to_idx;

-- sessions of wallets that were unlinked have ended, and cannot be told without their wallet
alter table sessions no force row level security;
delete from sessions where identity_id is null;
alter table sessions force row level security;
alter table sessions
  drop constraint sessions_identity_id_check,
  drop constraint sessions_identity_id_fkey,
  alter column identity_id set not null,
  add constraint sessions_identity_id_fkey foreign key (identity_id)
    references identities (id) on update restrict on delete restrict,
  drop column proved_at;
alter table sign_in_attempts drop column purpose;
alter table challenges drop column user_id;
drop index identities_primary_key;
alter table identities drop column version, drop column is_primary;
