-- People link, unlink and prefer wallets of their own, with a proof that is minutes old.

alter table identities
  add column is_primary boolean not null default false,
  add column version integer not null default 1,
  add constraint identities_version_check check (version > 0);
alter table sessions
  add column proved_at timestamptz(3) not null default transaction_timestamp();
alter table challenges
  add column user_id uuid,
  add constraint challenges_user_id_check check (purpose = 'SIGN_IN' or user_id is not null);
alter table sign_in_attempts
  add column purpose challenge_purpose not null default 'SIGN_IN';

-- FORCE binds the owner too, so it is lifted for what the rows that are there must say
alter table identities no force row level security;
alter table sessions no force row level security;
update identities
set is_primary = true
where id in (select distinct on (user_id) id from identities where kind = 'WALLET' order by user_id, created_at, id);
update sessions
set proved_at = created_at;
alter table identities force row level security;
alter table sessions force row level security;
create unique index identities_primary_key on identities (user_id) where is_primary;

-- a session outlives the wallet that began it only as a memory
alter table sessions
  alter column identity_id drop not null,
  drop constraint sessions_identity_id_fkey,
  add constraint sessions_identity_id_fkey foreign key (identity_id)
    references identities (id) on update restrict on delete set null,
  add constraint sessions_identity_id_check check (identity_id is not null or ended_at is not null);

-- the row is locked before this runs, so a sign-in that is under way is over by then, and one to come finds nothing
create function end_sessions_of_identity() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update public.sessions
  set ended_at = clock_timestamp(), end_reason = 'wallet unlinked'
  where identity_id = old.id and ended_at is null;
  return old;
end
$$;
create trigger identities_end_sessions before delete on identities
  for each row execute function end_sessions_of_identity();

-- makes the scene's session a fresh one, if the account that was just proved is its user's; answers since when; the
-- proof belongs to the session that signing in began, so that switching does not refresh it
create function step_up() returns timestamptz
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  update public.sessions s
  set proved_at = clock_timestamp()
  from public.sessions asking
  where asking.id = public.current_session_id()
    and s.id = coalesce(asking.root_id, asking.id)
    and s.ended_at is null
    and exists (
      select from public.identities i
      where i.user_id = s.user_id
        and i.issuer = current_setting('app.identity_issuer', true)
        and i.subject = current_setting('app.identity_subject', true)
    )
  returning s.proved_at
$$;

-- whether a link that takes payments pays to this wallet of the scene's user, and nobody else could have asked for it:
-- an active link of an organization whose payments the user may write, where no other member who may has proved it
create function is_needed_payee(identity uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.identities own
    join public.memberships m
      on m.user_id = own.user_id and m.status = 'ACTIVE'
      and 'payments:write' = any (string_to_array(public.permissions_of(m.role::text), ' '))
    join public.organizations o on o.id = m.organization_id and o.deleted_at is null
    join public.payment_link_accepts a on a.organization_id = m.organization_id and a.pay_to = own.address
    join public.payment_links l
      on l.organization_id = a.organization_id and l.id = a.payment_link_id
      and l.status = 'ACTIVE' and l.deleted_at is null
    join public.assets paid on paid.id = a.asset_id
    where own.id = identity
      and own.user_id = public.current_user_id()
      and (own.chain_id is null or own.chain_id = paid.chain_id)
      and not exists (
        select from public.identities other
        join public.memberships om
          on om.user_id = other.user_id and om.organization_id = l.organization_id and om.status = 'ACTIVE'
          and 'payments:write' = any (string_to_array(public.permissions_of(om.role::text), ' '))
        where other.kind = 'WALLET' and other.address = own.address and other.id <> own.id
          and (other.chain_id is null or other.chain_id = paid.chain_id)
      )
  )
$$;
create index payment_link_accepts_organization_id_pay_to_idx on payment_link_accepts (organization_id, pay_to);

-- the law

grant insert (id, user_id, kind, issuer, subject, address, chain_id, wallet_kind, wallet_source, is_primary)
  on identities to tollhouse_member;
grant update (is_primary, version) on identities to tollhouse_member;
grant delete on identities to tollhouse_member;
create policy identities_member_insert on identities for insert to tollhouse_member
  with check (
    user_id = (select current_user_id())
    and issuer = (select current_setting('app.identity_issuer', true))
    and subject = (select current_setting('app.identity_subject', true))
  );
create policy identities_member_update on identities for update to tollhouse_member
  using (user_id = (select current_user_id()))
  with check (user_id = (select current_user_id()));
create policy identities_member_delete on identities for delete to tollhouse_member
  using (user_id = (select current_user_id()));

grant select (proved_at) on sessions to tollhouse_member;
grant update (proved_at, ended_at, end_reason) on sessions to tollhouse_doorkeeper;
create policy sessions_doorkeeper_update on sessions for update to tollhouse_doorkeeper
  using (true) with check (true);

grant select on payment_links, payment_link_accepts to tollhouse_doorkeeper;
create policy payment_links_doorkeeper_select on payment_links for select to tollhouse_doorkeeper using (true);
create policy payment_link_accepts_doorkeeper_select on payment_link_accepts for select to tollhouse_doorkeeper
  using (true);
grant select (id, chain_id) on assets to tollhouse_doorkeeper;
create policy assets_doorkeeper_select on assets for select to tollhouse_doorkeeper using (true);

-- a proof in a session is in the trail if and only if the deed that it was for was done
grant insert (purpose, outcome, domain, chain_id, address, user_id, client_address, request_id)
  on sign_in_attempts to tollhouse_member;
create policy sign_in_attempts_member_insert on sign_in_attempts for insert to tollhouse_member
  with check (user_id = (select current_user_id()) and purpose <> 'SIGN_IN' and outcome = 'OK');

-- facts of a person's wallets are told in every organization that the person belongs to
alter policy events_member_insert on events
  with check (
    actor = 'user:' || (select current_user_id())
    and (
      organization_id = (select current_organization_id())
      and case type
        when 'payment-link.created' then (select has_permission('payments:write'))
        when 'membership.added' then (select has_permission('members:write'))
      end
      or type in ('wallet.linked', 'wallet.unlinked', 'wallet.primary-changed')
      and organization_id in (select id from organizations)
    )
  );

grant execute on function step_up(), is_needed_payee(uuid) to tollhouse_member;

-- last of all, since after this the owner of the tables may no longer grant these functions
grant create on schema public to tollhouse_doorkeeper;
alter function end_sessions_of_identity() owner to tollhouse_doorkeeper;
alter function step_up() owner to tollhouse_doorkeeper;
alter function is_needed_payee(uuid) owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
