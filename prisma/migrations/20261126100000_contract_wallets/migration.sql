-- Contract wallets sign in: each is an identity of one chain, and is asked again whenever its session is refreshed.

alter table identities
  add constraint identities_chain_check check ((wallet_kind = 'CONTRACT') = (chain_id is not null));

-- What a contract wallet proved itself with. A member has no right to these columns, and those who have are named.
alter table sessions
  add column proof_message text,
  add column proof_signature bytea,
  add constraint sessions_proof_check check ((proof_message is null) = (proof_signature is null)),
  add constraint sessions_proof_message_check check (octet_length(proof_message) <= 4096),
  add constraint sessions_proof_signature_check check (octet_length(proof_signature) <= 16384);

-- A contract's address may be somebody else's on another chain: it is a payee on its own chain alone.
create function is_proved_payee(account text, on_chain bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.identities i
    join public.memberships m
      on m.user_id = i.user_id and m.organization_id = public.current_organization_id() and m.status = 'ACTIVE'
    where i.kind = 'WALLET' and i.address = account and (i.chain_id is null or i.chain_id = on_chain)
      and 'payments:write' = any (string_to_array(public.permissions_of(m.role::text), ' '))
  )
$$;
grant execute on function is_proved_payee(text, bigint) to tollhouse_member;

alter policy payment_link_accepts_member_insert on payment_link_accepts
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('payments:write'))
    and is_proved_payee(pay_to, (select chain_id from assets where assets.id = asset_id))
  );
drop function is_proved_payee(text);

-- last of all, since after this the owner of the tables may no longer grant the function
grant create on schema public to tollhouse_doorkeeper;
alter function is_proved_payee(text, bigint) owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
