-- Audit entries are sealed into a chain of hashes for each organization, so that whoever alters one is found out.

-- the order of the chain: the cluster, the transaction, and the place in it; what was there before comes first
alter table audit_entries
  add column epoch integer not null default 0,
  add column transaction_id xid8 not null default pg_current_xact_id(),
  add column log_position bigint not null generated always as identity;
alter table audit_entries alter column epoch set default current_event_epoch();
create index audit_entries_chain_idx
  on audit_entries (organization_id, epoch, transaction_id, log_position);
create index audit_entries_order_idx
  on audit_entries (epoch, transaction_id, log_position);

-- A seal has its entry's id. There is no foreign key: an entry that is gone is what the seal is there to tell.
create table audit_seals (
  organization_id uuid not null,
  id uuid not null,
  position bigint not null,
  hash bytea not null,
  epoch integer not null,
  transaction_id xid8 not null,
  log_position bigint not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  constraint audit_seals_pkey primary key (organization_id, id),
  constraint audit_seals_position_check check (position > 0),
  constraint audit_seals_hash_check check (octet_length(hash) = 32)
);
create unique index audit_seals_organization_id_position_key on audit_seals (organization_id, position);
create index audit_seals_order_idx on audit_seals (epoch, transaction_id, log_position);

-- Seals at most so many entries, the oldest first, and says how many; null when somebody else is sealing. Below the
-- oldest transaction that is still running nothing can be added any more, so nobody has to wait and nothing is skipped.
create function seal_audit_entries(batch integer) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  known public.audit_seals;
  head public.audit_seals;
  entry public.audit_entries;
  sealed integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('seal audit entries', 0)) then
    return null;
  end if;
  select * into known
  from public.audit_seals
  order by epoch desc, transaction_id desc, log_position desc
  limit 1;
  for entry in
    select *
    from public.audit_entries e
    where (e.epoch, e.transaction_id, e.log_position)
        > (coalesce(known.epoch, -1), coalesce(known.transaction_id, '0'), coalesce(known.log_position, 0))
      and (
        e.epoch < public.current_event_epoch()
        or e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
      )
    order by e.epoch, e.transaction_id, e.log_position
    limit least(batch, 1000)
  loop
    select * into head
    from public.audit_seals
    where organization_id = entry.organization_id
    order by position desc
    limit 1;
    head.position := coalesce(head.position, 0) + 1;
    insert into public.audit_seals (organization_id, id, position, hash, epoch, transaction_id, log_position)
    values (
      entry.organization_id,
      entry.id,
      head.position,
      -- docs/domains/audit.md says this text byte for byte
      sha256(coalesce(head.hash, decode(repeat('00', 32), 'hex')) || convert_to(
        jsonb_build_array(
          'tollhouse-audit-1',
          entry.organization_id::text,
          head.position::text,
          entry.id::text,
          entry.epoch::text,
          entry.transaction_id::text,
          entry.log_position::text,
          to_char(entry.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          entry.role,
          entry.user_id::text,
          entry.session_id::text,
          entry.request_id,
          entry.table_name,
          entry.row_id::text,
          entry.verb,
          entry.before,
          entry.after
        )::text,
        'UTF8'
      )),
      entry.epoch,
      entry.transaction_id,
      entry.log_position
    );
    sealed := sealed + 1;
  end loop;
  return sealed;
end
$$;

-- the law ------------------------------------------------------------------------------------------------------------

-- the trigger's entries say which cluster they are of
set local role tollhouse_doorkeeper;
grant execute on function current_event_epoch() to tollhouse_auditor;
reset role;
grant execute on function seal_audit_entries(integer) to tollhouse_worker;

-- audit_entries: read by whoever seals and verifies them, too
grant select on audit_entries to tollhouse_auditor;
create policy audit_entries_auditor_select on audit_entries for select to tollhouse_auditor using (true);

-- audit_seals: written by the function alone, read by who may read the entries, changed by nobody
alter table audit_seals enable row level security;
alter table audit_seals force row level security;
grant select, insert on audit_seals to tollhouse_auditor;
grant select on audit_seals to tollhouse_member, tollhouse_operator;
create policy audit_seals_auditor_select on audit_seals for select to tollhouse_auditor using (true);
create policy audit_seals_auditor_insert on audit_seals for insert to tollhouse_auditor with check (true);
create policy audit_seals_member_select on audit_seals for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('audit:read')));
create policy audit_seals_operator_select on audit_seals for select to tollhouse_operator using (true);

-- organizations: whoever verifies is told one by its name in addresses
grant select (id, slug) on organizations to tollhouse_auditor;
create policy organizations_auditor_select on organizations for select to tollhouse_auditor using (true);

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_auditor;
alter function seal_audit_entries(integer) owner to tollhouse_auditor;
revoke create on schema public from tollhouse_auditor;
