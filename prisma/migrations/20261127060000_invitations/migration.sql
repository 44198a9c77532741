-- Invitations: whoever may write members invites a wallet or whoever reads an e-mail address, and nobody is made a
-- member in any other way but by founding.

create table invitations (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  role membership_role not null,
  -- who is invited: whoever has the token that was sent to an e-mail address, or an account; of a contract's, on its chain
  email text,
  token_hash bytea,
  address text,
  chain_id bigint,
  invited_by_id uuid not null,
  expires_at timestamptz(3) not null,
  revoked_at timestamptz(3),
  accepted_at timestamptz(3),
  accepted_by_id uuid,
  -- the user who signed up by the token, and who alone may accept it then; it may come to be later in the transaction
  claimed_by_id uuid,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint invitations_pkey primary key (organization_id, id),
  constraint invitations_email_check check (char_length(email) between 3 and 254),
  constraint invitations_token_hash_check check (octet_length(token_hash) = 32),
  constraint invitations_address_check check (address ~ '^0x[0-9a-f]{40}$'),
  constraint invitations_chain_id_check check (chain_id is null or chain_id > 0 and address is not null),
  constraint invitations_invited_check check (
    (email is null) <> (address is null) and (email is null) = (token_hash is null)
  ),
  constraint invitations_accepted_check check ((accepted_at is null) = (accepted_by_id is null)),
  constraint invitations_ended_check check (accepted_at is null or revoked_at is null),
  constraint invitations_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict,
  constraint invitations_invited_by_id_fkey foreign key (organization_id, invited_by_id)
    references memberships (organization_id, user_id) on update restrict on delete restrict,
  constraint invitations_accepted_by_id_fkey foreign key (organization_id, accepted_by_id)
    references memberships (organization_id, user_id) on update restrict on delete restrict
);
create index invitations_organization_id_created_at_id_idx on invitations (organization_id, created_at, id);
create index invitations_organization_id_invited_by_id_idx on invitations (organization_id, invited_by_id);
create index invitations_organization_id_accepted_by_id_idx on invitations (organization_id, accepted_by_id);
-- whoever signs in asks what their wallets are invited to, wherever
create index invitations_address_idx on invitations (address) where address is not null;

alter table memberships
  add column invited_by_id uuid,
  add constraint memberships_invited_by_id_fkey foreign key (organization_id, invited_by_id)
    references memberships (organization_id, user_id) on update restrict on delete restrict;
create index memberships_organization_id_invited_by_id_idx on memberships (organization_id, invited_by_id);

alter table handles
  drop constraint handles_kind_check,
  add constraint handles_kind_check check (kind in ('payment-link', 'payment-order', 'domain', 'api-key', 'invitation'));

create trigger invitations_touch before update on invitations
  for each row execute function touch_updated_at();
-- who may act asks for a fresh proof where the organization does
create trigger invitations_check_step_up before insert or update on invitations
  for each statement when (current_user = 'tollhouse_member') execute function check_step_up();
-- a trigger is made by whoever may call its function, for a moment
set local role tollhouse_auditor;
grant execute on function record_audit_entry() to tollhouse_owner;
reset role;
create trigger invitations_audit after insert or update or delete on invitations
  for each row execute function record_audit_entry('token_hash');
set local role tollhouse_auditor;
revoke execute on function record_audit_entry() from tollhouse_owner;
reset role;

-- an invitation is found by its token, before its organization is known
create function equip_invitation() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.handles (kind, value_hash, organization_id, target_id)
  values ('invitation', new.token_hash, new.organization_id, new.id);
  return null;
end
$$;
create trigger invitations_equip after insert on invitations
  for each row
  when (new.token_hash is not null)
  execute function equip_invitation();

-- when an organization begins to be purged, whom it invited is forgotten
create function forget_invitations() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from public.handles h where h.organization_id = new.id and h.kind = 'invitation';
  delete from public.invitations i where i.organization_id = new.id;
  return null;
end
$$;
create trigger organizations_forget_invitations after update of purge_began_at on organizations
  for each row
  when (old.purge_began_at is null and new.purge_began_at is not null)
  execute function forget_invitations();

-- what the doors below are made of; they run as whoever calls them, which is the doorkeeper alone ---------------------

-- whether whoever invited may still do so, and give that role
create function may_still_invite(organization uuid, inviter uuid, given text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.memberships m
    join public.users u on u.id = m.user_id and u.status = 'ACTIVE' and u.deleted_at is null
    where m.organization_id = organization and m.user_id = inviter and m.status = 'ACTIVE'
      and string_to_array('members:write ' || public.permissions_of(given), ' ')
        <@ string_to_array(public.permissions_of(m.role::text), ' ')
  )
$$;

-- whether an invitation can be accepted, as far as the invitation, its organization and its inviter go
create function is_open_invitation(invitation public.invitations) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select invitation.accepted_at is null and invitation.revoked_at is null
    and invitation.expires_at > clock_timestamp()
    and exists (
      select from public.organizations o
      where o.id = invitation.organization_id and o.status = 'ACTIVE' and o.deleted_at is null
    )
    and public.may_still_invite(invitation.organization_id, invitation.invited_by_id, invitation.role::text)
$$;

-- the doors -----------------------------------------------------------------------------------------------------------

-- what the wallets of the scene's user are invited to; nothing in a session that is good for one organization alone
create function own_invitations()
returns table (id uuid, organization_name text, role text, inviter_name text, expires_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select i.id, o.name, i.role::text, u.display_name, i.expires_at
  from public.identities w
  join public.invitations i
    on i.address = w.subject and w.issuer = 'eip155' || coalesce(':' || i.chain_id, '')
  join public.organizations o on o.id = i.organization_id
  join public.users u on u.id = i.invited_by_id
  where w.user_id = public.current_user_id() and w.kind = 'WALLET'
    and public.is_open_invitation(i)
    and not exists (
      select from public.memberships m
      where m.organization_id = i.organization_id and m.user_id = w.user_id and m.status = 'ACTIVE'
    )
    and not exists (
      select from public.sessions s where s.id = public.current_session_id() and s.domain_id is not null
    )
  order by i.created_at desc, i.id
  limit 100
$$;

-- makes the scene's user a member by an invitation: by its token, or by its id if it is for a wallet of theirs. Answers
-- the membership, or why not; raises TH401 without a user, and TH409 in a session that is good for one organization alone
create function accept_invitation(given_hash bytea, invitation uuid, told jsonb)
returns table (refusal text, organization uuid, membership uuid)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  accepter uuid := public.current_user_id();
  held public.invitations;
  standing record;
  joined uuid;
begin
  if accepter is null then
    raise exception 'nobody is signed in' using errcode = 'TH401';
  elsif exists (
    select from public.sessions s where s.id = public.current_session_id() and s.domain_id is not null
  ) then
    raise exception 'the session is good for one organization alone' using errcode = 'TH409';
  end if;
  if given_hash is not null then
    select i.* into held
      from public.handles h
      join public.invitations i on i.organization_id = h.organization_id and i.id = h.target_id
      where h.kind = 'invitation' and h.value_hash = given_hash;
  else
    select i.* into held
      from public.identities w
      join public.invitations i
        on i.address = w.subject and w.issuer = 'eip155' || coalesce(':' || i.chain_id, '')
      where w.user_id = accepter and w.kind = 'WALLET' and i.id = invitation
      limit 1;
  end if;
  if held.id is null then
    return query select 'UNKNOWN', null::uuid, null::uuid;
    return;
  end if;
  -- whoever lowers or removes the inviter, and whoever deletes the organization, is waited for
  perform pg_advisory_xact_lock(hashtextextended('owners of ' || held.organization_id, 0));
  select i.* into held
    from public.invitations i
    where i.organization_id = held.organization_id and i.id = held.id
    for update;
  select o.status::text, o.deleted_at into standing from public.organizations o where o.id = held.organization_id;
  refusal := case
    when held.id is null then 'UNKNOWN'
    when held.accepted_at is not null or held.claimed_by_id <> accepter then 'USED'
    when held.revoked_at is not null then 'REVOKED'
    when held.expires_at <= clock_timestamp() then 'EXPIRED'
    when standing.deleted_at is not null then 'VOID'
    when standing.status <> 'ACTIVE' then 'SUSPENDED'
    when not public.may_still_invite(held.organization_id, held.invited_by_id, held.role::text) then 'VOID'
    when exists (
      select from public.memberships m
      where m.organization_id = held.organization_id and m.user_id = accepter and m.status = 'ACTIVE'
    ) then 'MEMBER'
  end;
  if refusal is not null then
    return next;
    return;
  end if;
  insert into public.memberships (organization_id, user_id, role, status, joined_at, invited_by_id)
  values (held.organization_id, accepter, held.role, 'ACTIVE', clock_timestamp(), held.invited_by_id)
  on conflict (organization_id, user_id) do update
    set role = excluded.role, status = excluded.status, joined_at = excluded.joined_at,
        invited_by_id = excluded.invited_by_id
  returning id into joined;
  update public.invitations i
  set accepted_at = clock_timestamp(), accepted_by_id = accepter
  where i.organization_id = held.organization_id and i.id = held.id;
  insert into public.events (
    organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
  )
  select
    held.organization_id, fact.type, fact.aggregate, fact.id,
    coalesce(
      (
        select max(e.aggregate_version)
        from public.events e
        where e.organization_id = held.organization_id and e.aggregate_type = fact.aggregate and e.aggregate_id = fact.id
      ),
      0
    ) + 1,
    'user:' || accepter,
    array['invitation:' || held.id, 'membership:' || joined, 'user:' || accepter],
    jsonb_build_object('role', held.role),
    told
  from (
    values ('invitation.accepted', 'invitation', held.id), ('membership.added', 'membership', joined)
  ) as fact (type, aggregate, id);
  return query select null::text, held.organization_id, joined;
end
$$;

-- whether the scene's newcomer, whose accounts were just proved, is invited: by one of them, or by a token that nobody
-- has signed up with and that from now on is theirs alone
create function claim_invitation(given_hash bytea) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select
    from jsonb_to_recordset(nullif(current_setting('app.identities', true), '')::jsonb)
      as proved (issuer text, subject text)
    join public.invitations i
      on i.address = proved.subject and proved.issuer = 'eip155' || coalesce(':' || i.chain_id, '')
    where public.is_open_invitation(i)
  ) then
    return true;
  end if;
  update public.invitations i
  set claimed_by_id = public.current_user_id()
  from public.handles h
  where h.kind = 'invitation' and h.value_hash = given_hash
    and i.organization_id = h.organization_id and i.id = h.target_id
    and i.claimed_by_id is null
    and public.is_open_invitation(i);
  return found;
end
$$;

-- the law -------------------------------------------------------------------------------------------------------------

grant execute on function may_still_invite(uuid, uuid, text), is_open_invitation(invitations) to tollhouse_doorkeeper;
grant execute on function own_invitations() to tollhouse_member;
grant execute on function accept_invitation(bytea, uuid, jsonb) to tollhouse_member, tollhouse_identity;
grant execute on function claim_invitation(bytea) to tollhouse_identity;

-- invitations: seen by who may read members; made and revoked by who may write them, within what they may do themselves
alter table invitations enable row level security;
alter table invitations force row level security;
grant select (organization_id, id, role, email, address, chain_id, invited_by_id, expires_at, revoked_at, accepted_at,
  accepted_by_id, created_at, updated_at) on invitations to tollhouse_member;
grant insert (organization_id, id, role, email, token_hash, address, chain_id, invited_by_id, expires_at)
  on invitations to tollhouse_member;
grant update (revoked_at) on invitations to tollhouse_member;
create policy invitations_member_select on invitations for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('members:read')));
create policy invitations_member_insert on invitations for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('members:write'))
    and may_grant(role::text)
    and invited_by_id = (select current_user_id())
  );
create policy invitations_member_update on invitations for update to tollhouse_member
  using (
    organization_id = (select current_organization_id())
    and revoked_at is null
    and accepted_at is null
    and (select has_permission('members:write'))
  )
  with check (organization_id = (select current_organization_id()));
grant select, delete on invitations to tollhouse_doorkeeper;
grant update (accepted_at, accepted_by_id, claimed_by_id) on invitations to tollhouse_doorkeeper;
create policy invitations_doorkeeper_select on invitations for select to tollhouse_doorkeeper using (true);
create policy invitations_doorkeeper_update on invitations for update to tollhouse_doorkeeper
  using (true) with check (true);
create policy invitations_doorkeeper_delete on invitations for delete to tollhouse_doorkeeper using (true);

-- memberships: nobody adds one by a user's id any more
drop policy memberships_member_insert on memberships;
revoke insert on memberships from tollhouse_member;
grant insert (invited_by_id), update (invited_by_id) on memberships to tollhouse_doorkeeper;

alter policy events_doorkeeper_insert on events
  with check (
    type in (
      'user.merged', 'user.deleted', 'organization.created', 'organization.deleted', 'organization.undeleted',
      'organization.purged', 'membership.added', 'membership.left', 'invitation.accepted'
    )
  );
alter policy events_member_insert on events
  with check (
    actor = (select current_actor())
    and (
      organization_id = (select current_organization_id())
      and case type
        when 'payment-link.created' then (select has_permission('payments:write'))
        when 'membership.updated' then (select has_permission('members:write'))
        when 'membership.removed' then (select has_permission('members:write'))
        when 'invitation.created' then (select has_permission('members:write'))
        when 'invitation.revoked' then (select has_permission('members:write'))
        when 'api-key.created' then (select has_permission('keys:write'))
        when 'api-key.updated' then (select has_permission('keys:write'))
        when 'api-key.confirmed' then (select has_permission('keys:write'))
        when 'api-key.revoked' then (select has_permission('keys:write'))
      end
      or type in ('wallet.linked', 'wallet.unlinked', 'wallet.primary-changed', 'identity.linked', 'identity.unlinked')
      and organization_id in (select id from organizations)
      and (select current_user_id()) is not null
      or type in (
        'organization.updated', 'organization-settings.updated', 'store-configuration.updated',
        'domain.added', 'domain.verified', 'domain.primary-changed', 'domain.removed'
      )
      and organization_id = (select current_organization_id())
      and (select has_permission('organization:write'))
    )
  );

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function equip_invitation() owner to tollhouse_doorkeeper;
alter function forget_invitations() owner to tollhouse_doorkeeper;
alter function own_invitations() owner to tollhouse_doorkeeper;
alter function accept_invitation(bytea, uuid, jsonb) owner to tollhouse_doorkeeper;
alter function claim_invitation(bytea) owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
