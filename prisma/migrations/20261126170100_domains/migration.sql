-- Hosts that organizations say are theirs, and the proof: a record of the host's own name system.

create type domain_kind as enum ('SUBDOMAIN', 'CUSTOM');

create table organization_domains (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  kind domain_kind not null,
  host text not null,
  verification_token text not null,
  verified_at timestamptz(3),
  is_primary boolean not null default false,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint organization_domains_pkey primary key (organization_id, id),
  -- labels in lower case, as the name system knows them; the last one begins with a letter, so no address is a host
  constraint organization_domains_host_check check (
    host ~ '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$' and char_length(host) <= 253
  ),
  constraint organization_domains_verification_token_check check (verification_token ~ '^[0-9a-f]{32,64}$'),
  constraint organization_domains_is_primary_check check (verified_at is not null or not is_primary),
  constraint organization_domains_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict
);
create unique index organization_domains_organization_id_host_key on organization_domains (organization_id, host);
create unique index organization_domains_primary_key on organization_domains (organization_id) where is_primary;
create index organization_domains_organization_id_created_at_id_idx
  on organization_domains (organization_id, created_at, id);

alter table handles
  drop constraint handles_kind_check,
  add constraint handles_kind_check check (kind in ('payment-link', 'payment-order', 'domain'));

-- a trigger is made by whoever may call its function, for a moment
set local role tollhouse_auditor;
grant execute on function record_audit_entry() to tollhouse_owner;
reset role;
create trigger organization_domains_touch before update on organization_domains
  for each row execute function touch_updated_at();
create trigger organization_domains_audit after insert or update or delete on organization_domains
  for each row execute function record_audit_entry();
set local role tollhouse_auditor;
revoke execute on function record_audit_entry() from tollhouse_owner;
reset role;

-- a verified host is its organization's alone: the handle is unique among all of them, and goes with the proof
create function keep_domain_handle() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op <> 'INSERT' and old.verified_at is not null
    and (tg_op = 'DELETE' or new.verified_at is null or new.host <> old.host)
  then
    delete from public.handles
    where kind = 'domain' and value_hash = sha256(convert_to(old.host, 'UTF8'))
      and organization_id = old.organization_id and target_id = old.id;
  end if;
  if tg_op <> 'DELETE' and new.verified_at is not null
    and (tg_op = 'INSERT' or old.verified_at is null or new.host <> old.host)
  then
    insert into public.handles (kind, value_hash, organization_id, target_id)
    values ('domain', sha256(convert_to(new.host, 'UTF8')), new.organization_id, new.id);
  end if;
  return null;
end
$$;
create trigger organization_domains_handle after insert or update or delete on organization_domains
  for each row execute function keep_domain_handle();

-- the law ------------------------------------------------------------------------------------------------------------

-- organization_domains: seen by members, kept by who may write the organization
alter table organization_domains enable row level security;
alter table organization_domains force row level security;
grant select, delete on organization_domains to tollhouse_member;
grant insert (organization_id, id, kind, host, verification_token) on organization_domains to tollhouse_member;
grant update (is_primary, verified_at) on organization_domains to tollhouse_member;
grant select on organization_domains to tollhouse_operator;
create policy organization_domains_member_select on organization_domains for select to tollhouse_member
  using (organization_id = (select current_organization_id()));
create policy organization_domains_member_insert on organization_domains for insert to tollhouse_member
  with check (organization_id = (select current_organization_id()) and (select has_permission('organization:write')));
create policy organization_domains_member_update on organization_domains for update to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('organization:write')))
  with check (organization_id = (select current_organization_id()));
create policy organization_domains_member_delete on organization_domains for delete to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('organization:write')));
create policy organization_domains_operator_select on organization_domains for select to tollhouse_operator
  using (true);

-- handles: those of domains are kept by a trigger
grant insert, delete on handles to tollhouse_doorkeeper;
create policy handles_doorkeeper_insert on handles for insert to tollhouse_doorkeeper with check (true);
create policy handles_doorkeeper_delete on handles for delete to tollhouse_doorkeeper using (true);

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function keep_domain_handle() owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
