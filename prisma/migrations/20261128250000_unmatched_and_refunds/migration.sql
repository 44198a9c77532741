-- The inbox of money that no order took, refunds, and what providers say. A transfer to an account that an organization is paid at is its
-- order's, or it stands in its inbox: the database sees to it, whatever judged the transfer.

create type unmatched_payment_reason as enum (
  'WRONG_CHAIN', 'WRONG_ASSET', 'LATE', 'DUPLICATE', 'UNKNOWN_SENDER', 'AMBIGUOUS', 'NO_ORDER'
);
create type unmatched_payment_status as enum ('OPEN', 'ASSIGNED', 'REFUNDED', 'IGNORED', 'TAKEN', 'REVERSED');
create type payment_refund_status as enum ('REQUESTED', 'PENDING', 'SENT', 'COMPLETED', 'CANCELED');
create type payment_refund_cause as enum ('MEMBER', 'SURPLUS', 'PART', 'LATE');
create type payment_refund_destination_source as enum ('SENDER', 'OWNER');
create type provider_transaction_kind as enum ('PAYMENT', 'REFUND');
create type provider_transaction_status as enum ('CLAIMED', 'CONFIRMED', 'REVERSED');

create table unmatched_payments (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  blockchain_transaction_id uuid not null,
  reason unmatched_payment_reason not null,
  status unmatched_payment_status not null default 'OPEN',
  payment_order_id uuid,
  note text,
  resolved_by_id uuid,
  resolved_at timestamptz(3),
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint unmatched_payments_pkey primary key (organization_id, id),
  constraint unmatched_payments_assigned_check check (status <> 'ASSIGNED' or payment_order_id is not null),
  constraint unmatched_payments_note_check check (char_length(note) between 1 and 1000),
  constraint unmatched_payments_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict,
  constraint unmatched_payments_blockchain_transaction_id_fkey foreign key (organization_id, blockchain_transaction_id)
    references blockchain_transactions (organization_id, id) on update restrict on delete restrict,
  constraint unmatched_payments_payment_order_id_fkey foreign key (organization_id, payment_order_id)
    references payment_orders (organization_id, id) on update restrict on delete restrict,
  constraint unmatched_payments_resolved_by_id_fkey foreign key (organization_id, resolved_by_id)
    references memberships (organization_id, user_id) on update restrict on delete restrict
);
create unique index unmatched_payments_blockchain_transaction_id_key
  on unmatched_payments (organization_id, blockchain_transaction_id);
create index unmatched_payments_organization_id_created_at_id_idx
  on unmatched_payments (organization_id, created_at desc, id desc);
create index unmatched_payments_organization_id_payment_order_id_idx
  on unmatched_payments (organization_id, payment_order_id);
create index unmatched_payments_organization_id_resolved_by_id_idx on unmatched_payments (organization_id, resolved_by_id);
-- the worker asks what came late
create index unmatched_payments_late_idx on unmatched_payments (created_at) where status = 'OPEN' and reason = 'LATE';

create table payment_refunds (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  payment_order_id uuid,
  unmatched_payment_id uuid,
  incarnation_id uuid not null,
  asset_id uuid not null,
  units numeric(78, 0) not null,
  -- the account that the money came to, and that it has to come back from
  pay_from text not null,
  status payment_refund_status not null default 'REQUESTED',
  cause payment_refund_cause not null default 'MEMBER',
  reason text,
  requested_by_id uuid,
  destination text,
  destination_source payment_refund_destination_source,
  destination_reason text,
  destination_by_id uuid,
  -- the last block that was read when the destination was known; only later ones can complete it
  head_number bigint,
  addressed_at timestamptz(3),
  finality payment_finality not null,
  required_confirmations integer not null,
  blockchain_transaction_id uuid,
  completed_at timestamptz(3),
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint payment_refunds_pkey primary key (organization_id, id),
  constraint payment_refunds_subject_check check ((payment_order_id is null) <> (unmatched_payment_id is null)),
  constraint payment_refunds_units_check check (units > 0),
  constraint payment_refunds_pay_from_check check (pay_from ~ '^0x[0-9a-f]{40}$'),
  constraint payment_refunds_reason_check check (char_length(reason) between 1 and 500),
  constraint payment_refunds_destination_check check (destination ~ '^0x[0-9a-f]{40}$' and destination <> pay_from),
  constraint payment_refunds_destination_source_check check (
    (destination is null) = (destination_source is null)
    and (destination is null) = (head_number is null)
    and (destination is null) = (addressed_at is null)
    and (destination_source is not distinct from 'OWNER') = (destination_reason is not null)
    and (destination_source is not distinct from 'OWNER') = (destination_by_id is not null)
  ),
  constraint payment_refunds_destination_reason_check check (char_length(destination_reason) between 1 and 500),
  constraint payment_refunds_required_confirmations_check check (required_confirmations >= 1),
  constraint payment_refunds_status_check check (
    case status
      when 'REQUESTED' then destination is null and blockchain_transaction_id is null
      when 'PENDING' then destination is not null and blockchain_transaction_id is null
      when 'CANCELED' then blockchain_transaction_id is null
      else destination is not null and blockchain_transaction_id is not null
    end
  ),
  constraint payment_refunds_completed_at_check check ((status = 'COMPLETED') = (completed_at is not null)),
  constraint payment_refunds_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict,
  constraint payment_refunds_payment_order_id_fkey foreign key (organization_id, payment_order_id)
    references payment_orders (organization_id, id) on update restrict on delete restrict,
  constraint payment_refunds_unmatched_payment_id_fkey foreign key (organization_id, unmatched_payment_id)
    references unmatched_payments (organization_id, id) on update restrict on delete restrict,
  constraint payment_refunds_incarnation_id_fkey foreign key (incarnation_id)
    references chain_incarnations (id) on update restrict on delete restrict,
  constraint payment_refunds_asset_id_fkey foreign key (asset_id)
    references assets (id) on update restrict on delete restrict,
  constraint payment_refunds_requested_by_id_fkey foreign key (organization_id, requested_by_id)
    references memberships (organization_id, user_id) on update restrict on delete restrict,
  constraint payment_refunds_destination_by_id_fkey foreign key (organization_id, destination_by_id)
    references memberships (organization_id, user_id) on update restrict on delete restrict,
  constraint payment_refunds_blockchain_transaction_id_fkey foreign key (organization_id, blockchain_transaction_id)
    references blockchain_transactions (organization_id, id) on update restrict on delete restrict
);
create unique index payment_refunds_blockchain_transaction_id_key
  on payment_refunds (organization_id, blockchain_transaction_id);
create index payment_refunds_organization_id_created_at_id_idx
  on payment_refunds (organization_id, created_at desc, id desc);
create index payment_refunds_payment_order_id_created_at_id_idx
  on payment_refunds (organization_id, payment_order_id, created_at desc, id desc);
create index payment_refunds_organization_id_unmatched_payment_id_idx
  on payment_refunds (organization_id, unmatched_payment_id);
create index payment_refunds_organization_id_requested_by_id_idx on payment_refunds (organization_id, requested_by_id);
create index payment_refunds_organization_id_destination_by_id_idx
  on payment_refunds (organization_id, destination_by_id);
-- the worker asks which refunds may change with a block
create index payment_refunds_unfinished_idx on payment_refunds (incarnation_id, organization_id)
  where status in ('PENDING', 'SENT');
-- and which orders have what their terms give back
create index payment_orders_owing_idx on payment_orders (incarnation_id, organization_id)
  where refund = 'NONE' and (
    over_policy = 'REFUND' and status in ('PAID', 'FINAL') and credited_units > due_units
    or under_policy = 'REFUND' and status = 'EXPIRED' and credited_units > 0
  );

-- What a provider says happened. Whatever names a transfer counts by the credit that the transfer is; what names none
-- counts by itself from the moment on at which it is confirmed.
create table provider_transactions (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  provider text not null,
  reference text not null,
  kind provider_transaction_kind not null,
  status provider_transaction_status not null,
  asset_id uuid not null,
  units numeric(78, 0) not null,
  payment_order_id uuid,
  payment_refund_id uuid,
  blockchain_transaction_id uuid,
  note text,
  raw jsonb not null default '{}',
  recorded_by_id uuid,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint provider_transactions_pkey primary key (organization_id, id),
  constraint provider_transactions_provider_check check (provider ~ '^[a-z][a-z0-9-]{0,39}$'),
  constraint provider_transactions_reference_check check (char_length(reference) between 1 and 200),
  constraint provider_transactions_units_check check (units >= 0),
  constraint provider_transactions_subject_check check ((payment_order_id is null) <> (payment_refund_id is null)),
  constraint provider_transactions_kind_check check ((kind = 'REFUND') = (payment_refund_id is not null)),
  constraint provider_transactions_onchain_check check (provider <> 'onchain' or blockchain_transaction_id is not null),
  constraint provider_transactions_note_check check (char_length(note) between 1 and 1000),
  constraint provider_transactions_raw_check check (jsonb_typeof(raw) = 'object' and octet_length(raw::text) <= 20000),
  constraint provider_transactions_organization_id_fkey foreign key (organization_id)
    references organizations (id) on update restrict on delete restrict,
  constraint provider_transactions_asset_id_fkey foreign key (asset_id)
    references assets (id) on update restrict on delete restrict,
  constraint provider_transactions_payment_order_id_fkey foreign key (organization_id, payment_order_id)
    references payment_orders (organization_id, id) on update restrict on delete restrict,
  constraint provider_transactions_payment_refund_id_fkey foreign key (organization_id, payment_refund_id)
    references payment_refunds (organization_id, id) on update restrict on delete restrict,
  constraint provider_transactions_blockchain_transaction_id_fkey
    foreign key (organization_id, blockchain_transaction_id)
    references blockchain_transactions (organization_id, id) on update restrict on delete restrict,
  constraint provider_transactions_recorded_by_id_fkey foreign key (organization_id, recorded_by_id)
    references memberships (organization_id, user_id) on update restrict on delete restrict
);
create unique index provider_transactions_reference_key on provider_transactions (organization_id, provider, reference);
create index provider_transactions_organization_id_created_at_id_idx
  on provider_transactions (organization_id, created_at desc, id desc);
create index provider_transactions_payment_order_id_created_at_id_idx
  on provider_transactions (organization_id, payment_order_id, created_at desc, id desc);
create index provider_transactions_organization_id_payment_refund_id_idx
  on provider_transactions (organization_id, payment_refund_id);
create index provider_transactions_blockchain_transaction_id_idx
  on provider_transactions (organization_id, blockchain_transaction_id);
create index provider_transactions_organization_id_recorded_by_id_idx
  on provider_transactions (organization_id, recorded_by_id);
-- the worker asks which claims are to be decided about
create index provider_transactions_claimed_idx on provider_transactions (provider, organization_id)
  where status = 'CLAIMED' and blockchain_transaction_id is null;

-- what a transfer is claimed for: an order that it pays, a refund that it is, or an entry of an inbox that is refunded
create type chain_claim as enum ('ORDER', 'REFUND', 'INBOX');
alter table chain_transfers add column claimed_as chain_claim not null default 'ORDER';
create index chain_transfers_sender_idx on chain_transfers (incarnation_id, sender, recipient);

-- whose an account is: a transfer asks it before anybody else does
create index payment_orders_pay_to_idx on payment_orders (pay_to, payer);
-- and who may still be paid by it
create index payment_orders_waiting_idx on payment_orders (pay_to, asset_id, greatest(late_until, expires_at))
  where status in ('CREATED', 'DETECTED', 'CONFIRMING', 'EXPIRED');
create index payment_link_accepts_pay_to_idx on payment_link_accepts (pay_to);
-- and wherever it was seen it is told what has become of it
create index blockchain_transactions_hash_idx on blockchain_transactions (hash);

create trigger unmatched_payments_touch before update on unmatched_payments
  for each row execute function touch_updated_at();
create trigger payment_refunds_touch before update on payment_refunds
  for each row execute function touch_updated_at();
create trigger provider_transactions_touch before update on provider_transactions
  for each row execute function touch_updated_at();
-- a trigger is made by whoever may call its function, for a moment
set local role tollhouse_auditor;
grant execute on function record_audit_entry() to tollhouse_owner;
reset role;
create trigger unmatched_payments_audit after insert or update or delete on unmatched_payments
  for each row execute function record_audit_entry();
create trigger payment_refunds_audit after insert or update or delete on payment_refunds
  for each row execute function record_audit_entry();
create trigger provider_transactions_audit after insert or update or delete on provider_transactions
  for each row execute function record_audit_entry();
set local role tollhouse_auditor;
revoke execute on function record_audit_entry() from tollhouse_owner;
reset role;

-- the inbox ----------------------------------------------------------------------------------------------------------

-- why no order of the organization took the transfer, as far as its orders tell
create function unmatched_reason(organization uuid, t public.chain_transfers) returns public.unmatched_payment_reason
language sql stable set search_path = pg_catalog, pg_temp
as $$
  with fitting as (
    select
      o.status,
      position(o.reference in t.input) > 0 as is_named,
      t.block_number > o.head_number as is_after,
      t.block_time > date_trunc('second', o.expires_at + interval '999 milliseconds') as is_late
    from public.payment_orders o
    where o.organization_id = organization
      and o.pay_to = t.recipient
      and o.incarnation_id = t.incarnation_id
      and o.asset_id = t.asset_id
      and (o.payer = t.sender or o.matching = 'UNIQUE_AMOUNT' and o.due_units = t.units)
  )
  select case
    when exists (select from fitting where is_named and status in ('CONFIRMING', 'PAID', 'FINAL')) then 'DUPLICATE'
    when exists (select from fitting where is_named) then 'LATE'
    when exists (select from fitting where is_after and not is_late and status in ('CREATED', 'DETECTED'))
      then 'AMBIGUOUS'
    when exists (select from fitting where is_after and status in ('CONFIRMING', 'PAID', 'FINAL')) then 'DUPLICATE'
    when exists (select from fitting where is_after) then 'LATE'
    when exists (
      select from public.payment_orders o
      where o.organization_id = organization and o.pay_to = t.recipient and o.payer = t.sender
        and o.incarnation_id = t.incarnation_id and o.asset_id <> t.asset_id
        and o.status in ('CREATED', 'DETECTED', 'CONFIRMING')
    ) then 'WRONG_ASSET'
    when exists (
      select from public.payment_orders o
      where o.organization_id = organization and o.pay_to = t.recipient and o.payer = t.sender
        and o.incarnation_id <> t.incarnation_id
        and o.status in ('CREATED', 'DETECTED', 'CONFIRMING')
    ) then 'WRONG_CHAIN'
    when not exists (
      select from public.payment_link_accepts l
      join public.assets a on a.id = l.asset_id
      join public.chain_incarnations i on i.chain_id = a.chain_id
      where l.organization_id = organization and l.pay_to = t.recipient and i.id = t.incarnation_id
    ) then 'WRONG_CHAIN'
    when not exists (
      select from public.payment_link_accepts l
      where l.organization_id = organization and l.pay_to = t.recipient and l.asset_id = t.asset_id
    ) then 'WRONG_ASSET'
    when exists (
      select from public.payment_orders o
      where o.organization_id = organization and o.pay_to = t.recipient and o.asset_id = t.asset_id
        and o.incarnation_id = t.incarnation_id and o.status in ('CREATED', 'DETECTED', 'CONFIRMING')
    ) then 'UNKNOWN_SENDER'
    else 'NO_ORDER'
  end::public.unmatched_payment_reason
$$;

-- the tenant's own row of a transfer, as the chain has it now
create function write_sighting(organization uuid, t public.chain_transfers) returns uuid
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  insert into public.blockchain_transactions as seen (
    organization_id, incarnation_id, asset_id, hash, ordinal, sender, recipient, units, status,
    block_number, block_hash, block_time
  )
  values (
    organization, t.incarnation_id, t.asset_id, t.transaction_hash, t.ordinal, t.sender, t.recipient, t.units,
    (case when t.orphaned then 'ORPHANED' else 'INCLUDED' end)::public.blockchain_transaction_status,
    t.block_number, t.block_hash, t.block_time
  )
  on conflict (organization_id, incarnation_id, hash, ordinal) do update
  set status = excluded.status,
      asset_id = excluded.asset_id,
      sender = excluded.sender,
      recipient = excluded.recipient,
      units = excluded.units,
      block_number = excluded.block_number,
      block_hash = excluded.block_hash,
      block_time = excluded.block_time
  returning seen.id
$$;

-- as is_proved_payee asks it, of any organization
create function is_payee_of(organization uuid, account text, incarnation uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.identities i
    join public.chain_incarnations c on c.id = incarnation and (i.chain_id is null or i.chain_id = c.chain_id)
    join public.memberships m on m.user_id = i.user_id and m.organization_id = organization and m.status = 'ACTIVE'
    where i.kind = 'WALLET' and i.address = account
      and 'payments:write' = any (
        string_to_array(public.permissions_held(m.organization_id, m.role::text, m.role_id), ' ')
      )
  )
$$;

-- What was judged is somebody's: an order's or a refund's that claimed it, or of the inbox of each organization that is
-- paid at its recipient. It runs when the transaction ends, when it is clear what has become of the transfer.
create function receive_transfer() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  t public.chain_transfers;
  payee record;
  entry record;
begin
  select * into t from public.chain_transfers c where c.id = new.id;
  -- there is news, which is judged next, or nothing to be had
  if t.judged_at is null or t.units = 0 then
    return null;
  end if;
  if t.claimed_for_id is null and not t.orphaned then
    -- mined again it may go to somebody else, and then whoever saw it before has nothing
    for entry in
      select u.organization_id, u.id, b.id as sighting
      from public.blockchain_transactions b
      join public.unmatched_payments u on u.organization_id = b.organization_id and u.blockchain_transaction_id = b.id
      where b.hash = t.transaction_hash and b.ordinal = t.ordinal and b.incarnation_id = t.incarnation_id
        and b.recipient <> t.recipient
        and u.status <> 'REVERSED'
      order by u.organization_id
    loop
      update public.blockchain_transactions b set status = 'ORPHANED'
      where b.organization_id = entry.organization_id and b.id = entry.sighting;
      update public.unmatched_payments u set status = 'REVERSED', payment_order_id = null
      where u.organization_id = entry.organization_id and u.id = entry.id;
    end loop;
    -- Of whoever has left, by a link that was deleted, nothing is the organization's but what comes while its orders have
    -- time, or from their payers.
    for payee in
      select a.organization_id
      from public.payment_link_accepts a
      join public.payment_links l on l.organization_id = a.organization_id and l.id = a.payment_link_id
      where a.pay_to = t.recipient
        and (l.deleted_at is null or public.is_payee_of(l.organization_id, t.recipient, t.incarnation_id))
      union
      select o.organization_id
      from public.payment_orders o
      join public.payment_links l on l.organization_id = o.organization_id and l.id = o.payment_link_id
      where o.pay_to = t.recipient
        and (
          l.deleted_at is null
          or o.payer = t.sender
          or t.block_time <= coalesce(o.late_until, o.expires_at)
          or public.is_payee_of(l.organization_id, t.recipient, t.incarnation_id)
        )
      order by organization_id
    loop
      insert into public.unmatched_payments as kept (organization_id, blockchain_transaction_id, reason)
      values (
        payee.organization_id, public.write_sighting(payee.organization_id, t),
        public.unmatched_reason(payee.organization_id, t)
      )
      on conflict (organization_id, blockchain_transaction_id) do update
      -- what was put aside stays so wherever the chain puts it
      set status = (case when kept.resolved_at is not null and kept.payment_order_id is null then 'IGNORED' else 'OPEN' end)
            ::public.unmatched_payment_status,
          reason = excluded.reason,
          payment_order_id = null,
          resolved_at = case when kept.payment_order_id is null then kept.resolved_at end,
          resolved_by_id = case when kept.payment_order_id is null then kept.resolved_by_id end
      where kept.status not in ('OPEN', 'IGNORED');
    end loop;
    return null;
  end if;
  for entry in
    select
      u.organization_id, u.id, (b.status = 'ORPHANED') <> t.orphaned or b.block_hash <> t.block_hash as has_moved,
      (case
        when t.orphaned then 'REVERSED'
        when u.organization_id <> t.claimed_organization_id or t.claimed_as = 'REFUND' then 'TAKEN'
        when t.claimed_as = 'ORDER' then 'ASSIGNED'
        else 'REFUNDED'
      end)::public.unmatched_payment_status as status,
      case when u.organization_id = t.claimed_organization_id and t.claimed_as = 'ORDER' then t.claimed_for_id end as paid
    from public.blockchain_transactions b
    join public.unmatched_payments u on u.organization_id = b.organization_id and u.blockchain_transaction_id = b.id
    where b.hash = t.transaction_hash and b.ordinal = t.ordinal and b.incarnation_id = t.incarnation_id
    order by u.organization_id
  loop
    if entry.has_moved then
      perform public.write_sighting(entry.organization_id, t);
    end if;
    update public.unmatched_payments u
    set status = entry.status, payment_order_id = entry.paid
    where u.organization_id = entry.organization_id and u.id = entry.id
      and (u.status, u.payment_order_id) is distinct from (entry.status, entry.paid);
  end loop;
  return null;
end
$$;
create constraint trigger chain_transfers_receive
  after insert or update of judged_at, claimed_for_id on chain_transfers
  deferrable initially deferred
  for each row
  when (new.judged_at is not null)
  execute function receive_transfer();

-- tells a fact of payments by whoever asks, behind what was told of its aggregate before
create function tell_of_payment(organization uuid, aggregate text, subject uuid, fact text, about text[], words jsonb)
returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  with asking as (
    select coalesce('user:' || public.current_user_id(), 'key:' || public.current_key_id()) as actor
  )
  insert into public.events (
    organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
  )
  select
    organization, aggregate || '.' || fact, aggregate, subject,
    (
      select coalesce(max(e.aggregate_version), 0) + 1
      from public.events e
      where e.organization_id = organization and e.aggregate_type = aggregate and e.aggregate_id = subject
    ),
    coalesce(a.actor, case when current_setting('role') = 'tollhouse_public' then 'payer' else 'worker' end),
    array_remove(array[aggregate || ':' || subject] || about || array[a.actor], null), words,
    jsonb_build_object('requestId', nullif(current_setting('app.request_id', true), ''))
  from asking a
$$;

create function tell_of_unmatched_payment() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  b public.blockchain_transactions;
begin
  select * into b from public.blockchain_transactions s
  where s.organization_id = new.organization_id and s.id = new.blockchain_transaction_id;
  perform public.tell_of_payment(
    new.organization_id, 'unmatched-payment', new.id,
    case
      when tg_op = 'INSERT' then 'received'
      when new.status = 'OPEN' then case when old.status = 'REVERSED' then 'reinstated' else 'reopened' end
      when old.status = 'REVERSED' then 'reinstated'
      else lower(new.status::text)
    end,
    array['payment-order:' || new.payment_order_id],
    jsonb_build_object(
      'from', case when tg_op = 'UPDATE' then old.status end, 'to', new.status, 'reason', new.reason,
      'units', b.units::text, 'transactionHash', b.hash, 'paymentOrderId', new.payment_order_id
    )
  );
  return null;
end
$$;
create trigger unmatched_payments_tell_new after insert on unmatched_payments
  for each row execute function tell_of_unmatched_payment();
create trigger unmatched_payments_tell after update on unmatched_payments
  for each row
  when (old.status <> new.status)
  execute function tell_of_unmatched_payment();

-- the transfer of an entry of the scene's inbox, locked before the entry, as judging does it
create function hold_unmatched_payment(payment uuid) returns public.chain_transfers
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  select t.*
  from public.unmatched_payments u
  join public.blockchain_transactions b on b.organization_id = u.organization_id and b.id = u.blockchain_transaction_id
  join public.chain_transfers t
    on t.incarnation_id = b.incarnation_id and t.transaction_hash = b.hash and t.ordinal = b.ordinal
  where u.organization_id = public.current_organization_id() and u.id = payment
  for update of t
$$;

-- why nothing can be done with it; null when something can
create function unmatched_refusal(payment public.unmatched_payments, t public.chain_transfers) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select case
    when payment.id is null or t.id is null then 'UNMATCHED_PAYMENT_NOT_FOUND'
    when payment.status = 'TAKEN' or t.claimed_organization_id <> payment.organization_id then 'TRANSFER_TAKEN'
    when t.orphaned or t.claimed_for_id is not null or payment.status not in ('OPEN', 'IGNORED')
      then 'UNMATCHED_PAYMENT_CLOSED'
  end
$$;

-- Money of somebody who is no longer of the scene's organization is not the organization's to decide about.
create function payee_refusal(t public.chain_transfers) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select 'PAYEE_NOT_PROVED'
  from public.chain_incarnations i
  where i.id = t.incarnation_id and not public.is_proved_payee(t.recipient, i.chain_id)
$$;

create function require_payments_write() returns void
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  if not public.has_permission('payments:write') then
    raise exception 'this asks for payments:write' using errcode = '42501';
  end if;
  perform public.require_step_up(600);
end
$$;

-- Gives an entry of the scene's inbox to an order; answers why not. The credit counts for nothing yet: the transfer is
-- judged again, which lets it count and assesses the order, in one transaction under the order's lock.
create function assign_unmatched_payment(payment uuid, paying uuid) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  t public.chain_transfers;
  held public.unmatched_payments;
  refusal text;
  paid record;
begin
  perform public.require_payments_write();
  t := public.hold_unmatched_payment(payment);
  select * into held from public.unmatched_payments u where u.organization_id = organization and u.id = payment for update;
  refusal := coalesce(public.unmatched_refusal(held, t), public.payee_refusal(t));
  if refusal is not null then
    return refusal;
  end if;
  select o.incarnation_id, o.asset_id, o.pay_to, o.status, o.refund into paid
    from public.payment_orders o where o.organization_id = organization and o.id = paying for update;
  if not found then
    return 'ORDER_NOT_FOUND';
  elsif paid.status in ('FINAL', 'CANCELED', 'FAILED') then
    return 'ORDER_TAKES_NOTHING ' || paid.status;
  elsif paid.asset_id <> t.asset_id or paid.incarnation_id <> t.incarnation_id or paid.pay_to <> t.recipient then
    return 'ASSET_MISMATCH';
  elsif paid.refund <> 'NONE' then
    return 'ORDER_TAKES_NOTHING REFUND';
  end if;
  update public.chain_transfers c
  set claimed_organization_id = organization, claimed_for_id = paying, judged_at = null
  where c.id = t.id;
  insert into public.payment_credits (organization_id, payment_order_id, blockchain_transaction_id, units, reversed_at)
  values (organization, paying, held.blockchain_transaction_id, t.units, clock_timestamp())
  on conflict (organization_id, blockchain_transaction_id) do update
  set payment_order_id = excluded.payment_order_id, units = excluded.units, reversed_at = excluded.reversed_at;
  update public.unmatched_payments u
  set status = 'ASSIGNED', payment_order_id = paying, resolved_at = clock_timestamp(),
      resolved_by_id = coalesce(public.current_user_id(), public.current_responsible_id())
  where u.organization_id = organization and u.id = payment;
  return null;
end
$$;

-- puts an entry of the scene's inbox aside; answers why not
create function ignore_unmatched_payment(payment uuid, words text) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  t public.chain_transfers;
  held public.unmatched_payments;
  refusal text;
begin
  perform public.require_payments_write();
  t := public.hold_unmatched_payment(payment);
  select * into held from public.unmatched_payments u where u.organization_id = organization and u.id = payment for update;
  refusal := public.unmatched_refusal(held, t);
  if refusal is not null then
    return refusal;
  end if;
  update public.unmatched_payments u
  set status = 'IGNORED', note = words, resolved_at = clock_timestamp(),
      resolved_by_id = coalesce(public.current_user_id(), public.current_responsible_id())
  where u.organization_id = organization and u.id = payment;
  return null;
end
$$;

-- refunds ------------------------------------------------------------------------------------------------------------

-- How much of the order could still be refunded: what is credited, less what is or was reserved. Whoever asks holds the
-- order until the transaction ends, so that of many at one instant the sum is never above what is credited.
create function hold_refundable(organization uuid, refunded public.payment_orders) returns numeric
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  select refunded.credited_units - coalesce(sum(r.units), 0)
  from public.payment_refunds r
  where r.organization_id = organization and r.payment_order_id = refunded.id and r.status <> 'CANCELED'
$$;

-- reserves a part of what the order was credited; all that is left of it when nothing is asked
create function reserve_refund(
  refund uuid, organization uuid, refunded uuid, asked numeric, why public.payment_refund_cause, words text
) returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  o public.payment_orders;
  refundable numeric;
begin
  perform from public.payment_orders p where p.organization_id = organization and p.id = refunded for update;
  select * into o from public.payment_orders p where p.organization_id = organization and p.id = refunded;
  if not found then
    return 'ORDER_NOT_FOUND';
  end if;
  refundable := public.hold_refundable(organization, o);
  if refundable <= 0 or why = 'MEMBER' and asked > refundable then
    return 'REFUND_EXCEEDS';
  end if;
  insert into public.payment_refunds (
    organization_id, id, payment_order_id, incarnation_id, asset_id, units, pay_from, cause, reason, requested_by_id,
    finality, required_confirmations
  )
  values (
    organization, refund, refunded, o.incarnation_id, o.asset_id, least(asked, refundable), o.pay_to, why, words,
    coalesce(public.current_user_id(), public.current_responsible_id()), o.finality, coalesce(o.required_confirmations, 1)
  );
  return null;
end
$$;

-- a member asks for a refund of an order of the scene's organization; answers why not
create function request_refund(refund uuid, refunded uuid, asked numeric, words text) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform public.require_payments_write();
  return public.reserve_refund(refund, public.current_organization_id(), refunded, asked, 'MEMBER', words);
end
$$;

-- what the terms of an order give back: as much of it as is still there, and once for each cause. True when it was asked
create function request_owed_refund(refunded uuid, asked numeric, why payment_refund_cause) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
begin
  perform from public.payment_orders p where p.organization_id = organization and p.id = refunded for update;
  if why = 'MEMBER' or exists (
    select from public.payment_refunds r
    where r.organization_id = organization and r.payment_order_id = refunded and r.cause = why
  )
  -- what was given to it a moment ago may make enough of a part: it is judged first
  or exists (
    select from public.chain_transfers t where t.claimed_for_id = refunded and t.judged_at is null
  ) then
    return false;
  end if;
  return public.reserve_refund(public.uuid_v7(), organization, refunded, asked, why, null) is null;
end
$$;

-- Keeps an entry of an inbox to be refunded, all of it, which nobody else can take from then on. The transfer is judged
-- again by the worker: of whoever else is paid there nothing is written in this one's name.
create function keep_for_refund(
  refund uuid, payment public.unmatched_payments, t public.chain_transfers, why public.payment_refund_cause, words text
) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  asker uuid := coalesce(public.current_user_id(), public.current_responsible_id());
begin
  update public.chain_transfers c
  set claimed_organization_id = payment.organization_id, claimed_for_id = payment.id, claimed_as = 'INBOX',
      judged_at = null
  where c.id = t.id;
  update public.unmatched_payments u
  set status = 'REFUNDED', resolved_at = clock_timestamp(), resolved_by_id = asker
  where u.organization_id = payment.organization_id and u.id = payment.id;
  insert into public.payment_refunds (
    organization_id, id, unmatched_payment_id, incarnation_id, asset_id, units, pay_from, cause, reason,
    requested_by_id, finality, required_confirmations
  )
  select
    payment.organization_id, refund, payment.id, t.incarnation_id, t.asset_id, t.units, t.recipient, why, words, asker,
    c.finality::text::public.payment_finality, coalesce(c.confirmations, 1)
  from public.chain_incarnations i
  join public.chains c on c.chain_id = i.chain_id
  where i.id = t.incarnation_id;
end
$$;

-- a member asks for a refund of an entry of the scene's inbox; answers why not
create function refund_unmatched_payment(refund uuid, payment uuid, words text) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  t public.chain_transfers;
  held public.unmatched_payments;
  refusal text;
begin
  perform public.require_payments_write();
  t := public.hold_unmatched_payment(payment);
  select * into held from public.unmatched_payments u
  where u.organization_id = public.current_organization_id() and u.id = payment
  for update;
  refusal := coalesce(public.unmatched_refusal(held, t), public.payee_refusal(t));
  if refusal is not null then
    return refusal;
  end if;
  perform public.keep_for_refund(refund, held, t, 'MEMBER', words);
  return null;
end
$$;

-- Asks for refunds of what came late within the late window of an order whose terms give it back: once for each, even if
-- it is called off. Answers of how many.
create function request_late_refunds(incarnation uuid, most integer) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_late record;
  t public.chain_transfers;
  held public.unmatched_payments;
  asked integer := 0;
begin
  for found_late in
    select u.organization_id, u.id, c.id as transfer_id
    from public.unmatched_payments u
    join public.blockchain_transactions b on b.organization_id = u.organization_id and b.id = u.blockchain_transaction_id
    join public.chain_transfers c
      on c.incarnation_id = b.incarnation_id and c.transaction_hash = b.hash and c.ordinal = b.ordinal
    where u.status = 'OPEN' and u.reason = 'LATE'
      and c.incarnation_id = incarnation
      and exists (
        select from public.payment_orders o
        where o.organization_id = u.organization_id and o.pay_to = c.recipient and o.asset_id = c.asset_id
          and o.incarnation_id = c.incarnation_id and o.late_policy = 'REFUND' and o.head_number < c.block_number
          and (o.payer = c.sender or o.matching = 'UNIQUE_AMOUNT' and o.due_units = c.units)
          and c.block_time <= date_trunc('second', o.late_until + interval '999 milliseconds')
      )
      and not exists (
        select from public.payment_refunds r
        where r.organization_id = u.organization_id and r.unmatched_payment_id = u.id
      )
    order by u.created_at
    limit most
  loop
    select * into t from public.chain_transfers c where c.id = found_late.transfer_id for update;
    select * into held from public.unmatched_payments u
    where u.organization_id = found_late.organization_id and u.id = found_late.id
    for update;
    if held.status = 'OPEN' and public.unmatched_refusal(held, t) is null then
      perform public.keep_for_refund(public.uuid_v7(), held, t, 'LATE', null);
      asked := asked + 1;
    end if;
  end loop;
  return asked;
end
$$;

-- Says where a refund goes, from the next block on. The chain's head stands still meanwhile, as when an order is made, so
-- that no block is missed in between.
create function address_refund(
  r public.payment_refunds, sent_to text, source public.payment_refund_destination_source, words text
) returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  token text;
  chain bigint;
begin
  if r.id is null then
    return 'REFUND_NOT_FOUND';
  elsif r.status <> 'REQUESTED' then
    return 'REFUND_CLOSED';
  end if;
  select a.address, a.chain_id into token, chain from public.assets a where a.id = r.asset_id;
  if sent_to in ('0x0000000000000000000000000000000000000000', r.pay_from) or sent_to is not distinct from token then
    return 'DESTINATION_REFUSED';
  end if;
  perform pg_advisory_xact_lock_shared(hashtextextended('chain ' || chain, 0));
  insert into public.watched_accounts (chain_id, address) values (chain, sent_to) on conflict do nothing;
  update public.payment_refunds p
  set status = 'PENDING',
      destination = sent_to,
      destination_source = source,
      destination_reason = words,
      destination_by_id = case source when 'OWNER' then public.current_user_id() end,
      head_number = coalesce(i.head_number, 0),
      addressed_at = clock_timestamp()
  from public.chain_incarnations i
  where p.organization_id = r.organization_id and p.id = r.id and i.id = r.incarnation_id;
  return null;
end
$$;

-- an owner says where a refund goes, and why there; answers why not
create function set_refund_destination(refund uuid, sent_to text, words text) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  r public.payment_refunds;
begin
  perform public.require_payments_write();
  if not exists (
    select from public.memberships m
    where m.organization_id = organization and m.user_id = public.current_user_id()
      and m.role = 'OWNER' and m.status = 'ACTIVE'
  ) then
    return 'DESTINATION_NEEDS_OWNER';
  end if;
  select * into r from public.payment_refunds p where p.organization_id = organization and p.id = refund for update;
  return public.address_refund(r, sent_to, 'OWNER', words);
end
$$;

-- The payer says where a refund of the scene's order goes, by the signature of the account that alone was credited; whose
-- signature it is has been checked. Answers why not.
create function confirm_refund_destination(refund uuid, sent_to text, signer text) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  r public.payment_refunds;
  senders text[];
begin
  select * into r from public.payment_refunds p
  where p.organization_id = organization and p.id = refund and p.payment_order_id = public.current_target_id()
  for update;
  if not found then
    return 'REFUND_NOT_FOUND';
  end if;
  senders := array(
    select distinct b.sender
    from public.payment_credits c
    join public.blockchain_transactions b
      on b.organization_id = c.organization_id and b.id = c.blockchain_transaction_id
    where c.organization_id = organization and c.payment_order_id = r.payment_order_id and c.reversed_at is null
  );
  if senders <> array[signer] or exists (
    -- somebody may have paid a part of it in another way
    select from public.provider_transactions p
    where p.organization_id = organization and p.payment_order_id = r.payment_order_id
      and p.blockchain_transaction_id is null and p.status = 'CONFIRMED'
  ) then
    return 'REFUND_SIGNER_REFUSED';
  end if;
  return public.address_refund(r, sent_to, 'SENDER', null);
end
$$;

-- Calls off a refund of the scene's organization of which nothing was seen yet, or only in a history that the chain has no
-- more; answers why not. What a transfer is of is held first, then the order, then the refund, as whoever settles it does.
create function cancel_refund(refund uuid) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  r public.payment_refunds;
  t public.chain_transfers;
begin
  perform public.require_payments_write();
  select * into r from public.payment_refunds p where p.organization_id = organization and p.id = refund;
  perform from public.chain_transfers c where c.claimed_for_id = r.id and c.claimed_as = 'REFUND' for update;
  if r.unmatched_payment_id is not null then
    t := public.hold_unmatched_payment(r.unmatched_payment_id);
  elsif r.payment_order_id is not null then
    perform from public.payment_orders o where o.organization_id = organization and o.id = r.payment_order_id for update;
  end if;
  select * into r from public.payment_refunds p where p.organization_id = organization and p.id = refund for update;
  if not found then
    return 'REFUND_NOT_FOUND';
  elsif r.status not in ('REQUESTED', 'PENDING') and not (
    r.status = 'SENT'
    and exists (select from public.chain_incarnations i where i.id = r.incarnation_id and not i.current)
  ) then
    return 'REFUND_CLOSED';
  end if;
  update public.payment_refunds p
  set status = 'CANCELED', blockchain_transaction_id = null
  where p.organization_id = organization and p.id = refund;
  if r.status = 'SENT' then
    update public.chain_transfers c
    set claimed_organization_id = null, claimed_for_id = null, claimed_as = 'ORDER', judged_at = clock_timestamp()
    where c.claimed_for_id = refund and c.claimed_as = 'REFUND';
  end if;
  if t.id is not null then
    update public.chain_transfers c
    set claimed_organization_id = null, claimed_for_id = null, claimed_as = 'ORDER', judged_at = null
    where c.id = t.id;
    update public.unmatched_payments u
    set status = 'OPEN', resolved_at = null, resolved_by_id = null
    where u.organization_id = organization and u.id = r.unmatched_payment_id and u.status = 'REFUNDED';
  end if;
  return null;
end
$$;

create function tell_of_refund() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform public.tell_of_payment(
    new.organization_id, 'payment-refund', new.id,
    case
      when tg_op = 'INSERT' then 'requested'
      when old.status in ('SENT', 'COMPLETED') and new.status = 'PENDING' then 'reversed'
      when new.status = 'PENDING' then 'addressed'
      else lower(new.status::text)
    end,
    array['payment-order:' || new.payment_order_id, 'unmatched-payment:' || new.unmatched_payment_id],
    jsonb_build_object(
      'from', case when tg_op = 'UPDATE' then old.status end, 'to', new.status, 'units', new.units::text,
      'cause', new.cause, 'destination', new.destination,
      'paymentOrderId', new.payment_order_id, 'unmatchedPaymentId', new.unmatched_payment_id
    )
  );
  return null;
end
$$;
create trigger payment_refunds_tell_new after insert on payment_refunds
  for each row execute function tell_of_refund();
create trigger payment_refunds_tell after update on payment_refunds
  for each row
  when (old.status <> new.status)
  execute function tell_of_refund();

-- what an order says of its refunds, of so much that it is credited
create function refund_state_of(organization uuid, refunded uuid, credited numeric) returns payment_refund_state
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select (case
    when coalesce(bool_or(r.status in ('REQUESTED', 'PENDING', 'SENT')), false) then 'PENDING'
    when count(*) filter (where r.status = 'COMPLETED') = 0 then 'NONE'
    when sum(r.units) filter (where r.status = 'COMPLETED') >= credited then 'FULL'
    else 'PARTIAL'
  end)::public.payment_refund_state
  from public.payment_refunds r
  where r.organization_id = organization and r.payment_order_id = refunded
$$;

-- What an order says of its refunds is told of it, too, but not while its credits change: of those whoever assesses it
-- tells next.
create function keep_order_refund() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  refunded uuid := to_jsonb(new) ->> tg_argv[0];
  standing public.payment_order_status;
begin
  update public.payment_orders o
  set refund = public.refund_state_of(o.organization_id, o.id, o.credited_units)
  where o.organization_id = new.organization_id and o.id = refunded
    and o.refund <> public.refund_state_of(o.organization_id, o.id, o.credited_units)
  returning o.status into standing;
  if found and tg_table_name = 'payment_refunds' then
    perform public.tell_of_payment_order(
      refunded, 'payment-order.refund-changed',
      coalesce(
        'user:' || public.current_user_id(),
        'key:' || public.current_key_id(),
        case when current_setting('role') = 'tollhouse_public' then 'payer' else 'worker' end
      ),
      standing, '{}', jsonb_build_object('requestId', nullif(current_setting('app.request_id', true), ''))
    );
  end if;
  return null;
end
$$;
create trigger payment_refunds_keep_order after insert or update of status on payment_refunds
  for each row
  when (new.payment_order_id is not null)
  execute function keep_order_refund('payment_order_id');
-- and what is credited may change under it
create trigger payment_orders_keep_refund after update of credited_units on payment_orders
  for each row
  when (old.credited_units <> new.credited_units and new.refund <> 'NONE')
  execute function keep_order_refund('id');

-- providers ----------------------------------------------------------------------------------------------------------

-- the chain as a provider: what it has said of an order's credits and of refunds
create function record_onchain_payment() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.provider_transactions (
    organization_id, provider, reference, kind, status, asset_id, units, payment_order_id, blockchain_transaction_id, raw
  )
  select
    b.organization_id, 'onchain', b.hash || ':' || b.ordinal, 'PAYMENT',
    (case
      when new.reversed_at is null then 'CONFIRMED'
      -- assigned by a member, and to be judged next
      when tg_op = 'INSERT' then 'CLAIMED'
      else 'REVERSED'
    end)::public.provider_transaction_status,
    b.asset_id, new.units, new.payment_order_id, b.id,
    jsonb_build_object('transactionHash', b.hash, 'ordinal', b.ordinal, 'sender', b.sender, 'recipient', b.recipient)
  from public.blockchain_transactions b
  where b.organization_id = new.organization_id and b.id = new.blockchain_transaction_id
  on conflict (organization_id, provider, reference) do update
  set kind = excluded.kind, status = excluded.status, asset_id = excluded.asset_id, units = excluded.units,
      payment_order_id = excluded.payment_order_id, payment_refund_id = null, raw = excluded.raw;
  return null;
end
$$;
create trigger payment_credits_record_onchain after insert or update on payment_credits
  for each row execute function record_onchain_payment();

create function record_onchain_refund() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.provider_transactions (
    organization_id, provider, reference, kind, status, asset_id, units, payment_refund_id, blockchain_transaction_id, raw
  )
  select
    b.organization_id, 'onchain', b.hash || ':' || b.ordinal, 'REFUND',
    (case new.status when 'COMPLETED' then 'CONFIRMED' when 'SENT' then 'CLAIMED' else 'REVERSED' end)
      ::public.provider_transaction_status,
    b.asset_id, new.units, new.id, b.id,
    jsonb_build_object('transactionHash', b.hash, 'ordinal', b.ordinal, 'sender', b.sender, 'recipient', b.recipient)
  from public.blockchain_transactions b
  where b.organization_id = new.organization_id
    and b.id = coalesce(new.blockchain_transaction_id, old.blockchain_transaction_id)
  on conflict (organization_id, provider, reference) do update
  set kind = excluded.kind, status = excluded.status, payment_order_id = null,
      payment_refund_id = excluded.payment_refund_id;
  return null;
end
$$;
create trigger payment_refunds_record_onchain after update of status on payment_refunds
  for each row
  when (coalesce(new.blockchain_transaction_id, old.blockchain_transaction_id) is not null)
  execute function record_onchain_refund();

-- A member says that money came for an order outside of the chain; answers why not. It is a claim: the worker confirms it
-- and assesses the order, in one transaction under the order's lock.
create function record_manual_payment(
  recorded uuid, paying uuid, paid_units numeric, named text, words text
) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  paid record;
begin
  perform public.require_payments_write();
  select o.asset_id, o.status, o.refund into paid
    from public.payment_orders o where o.organization_id = organization and o.id = paying for update;
  if not found then
    return 'ORDER_NOT_FOUND';
  elsif paid.status not in ('CREATED', 'DETECTED', 'EXPIRED') then
    return 'ORDER_TAKES_NOTHING ' || paid.status;
  elsif paid.refund <> 'NONE' then
    return 'ORDER_TAKES_NOTHING REFUND';
  end if;
  insert into public.provider_transactions (
    organization_id, id, provider, reference, kind, status, asset_id, units, payment_order_id, note, recorded_by_id
  )
  values (
    organization, recorded, 'manual', named, 'PAYMENT', 'CLAIMED', paid.asset_id, paid_units, paying, words,
    coalesce(public.current_user_id(), public.current_responsible_id())
  )
  on conflict (organization_id, provider, reference) do nothing;
  return case when not found then 'REFERENCE_TAKEN' end;
end
$$;

create function tell_of_provider_transaction() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform public.tell_of_payment(
    new.organization_id, 'provider-transaction', new.id, lower(new.status::text),
    array['payment-order:' || new.payment_order_id],
    jsonb_build_object(
      'from', case when tg_op = 'UPDATE' then old.status end, 'to', new.status, 'provider', new.provider,
      'reference', new.reference, 'units', new.units::text, 'paymentOrderId', new.payment_order_id
    )
  );
  return null;
end
$$;
-- of the chain's own the orders and refunds tell
create trigger provider_transactions_tell_new after insert on provider_transactions
  for each row
  when (new.provider <> 'onchain')
  execute function tell_of_provider_transaction();
create trigger provider_transactions_tell after update on provider_transactions
  for each row
  when (new.provider <> 'onchain' and old.status <> new.status)
  execute function tell_of_provider_transaction();

-- whether an order could still be credited or taken back, or holds money that never sufficed; whether a refund is not
-- done, or money waits in the inbox
create or replace function has_open_money(organization uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.payment_orders p
    where p.organization_id = organization
      and (
        p.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'PAID')
        -- what came in and never sufficed, or came back after all, unless it was given back
        or p.status in ('EXPIRED', 'CANCELED', 'FAILED') and p.credited_units > 0 and p.refund <> 'FULL'
      )
  )
  or exists (
    select from public.payment_refunds r
    where r.organization_id = organization and r.status in ('REQUESTED', 'PENDING', 'SENT')
  )
  or exists (
    select from public.unmatched_payments u where u.organization_id = organization and u.status = 'OPEN'
  )
$$;

revoke execute on function
  unmatched_reason(uuid, chain_transfers), write_sighting(uuid, chain_transfers), is_payee_of(uuid, text, uuid),
  receive_transfer(),
  tell_of_payment(uuid, text, uuid, text, text[], jsonb), tell_of_unmatched_payment(), hold_unmatched_payment(uuid),
  unmatched_refusal(unmatched_payments, chain_transfers), payee_refusal(chain_transfers), require_payments_write(),
  assign_unmatched_payment(uuid, uuid), ignore_unmatched_payment(uuid, text), hold_refundable(uuid, payment_orders),
  reserve_refund(uuid, uuid, uuid, numeric, payment_refund_cause, text), request_refund(uuid, uuid, numeric, text),
  request_owed_refund(uuid, numeric, payment_refund_cause), refund_unmatched_payment(uuid, uuid, text),
  keep_for_refund(uuid, unmatched_payments, chain_transfers, payment_refund_cause, text),
  request_late_refunds(uuid, integer), address_refund(payment_refunds, text, payment_refund_destination_source, text),
  set_refund_destination(uuid, text, text), confirm_refund_destination(uuid, text, text), cancel_refund(uuid),
  tell_of_refund(), refund_state_of(uuid, uuid, numeric), keep_order_refund(), record_onchain_payment(),
  record_onchain_refund(), record_manual_payment(uuid, uuid, numeric, text, text), tell_of_provider_transaction()
  from public;

-- the law ------------------------------------------------------------------------------------------------------------

-- what members and payers may ask for, and what the worker asks for where the terms of an order say so
grant execute on function
  assign_unmatched_payment(uuid, uuid), ignore_unmatched_payment(uuid, text), request_refund(uuid, uuid, numeric, text),
  refund_unmatched_payment(uuid, uuid, text), set_refund_destination(uuid, text, text), cancel_refund(uuid),
  record_manual_payment(uuid, uuid, numeric, text, text)
to tollhouse_member;
grant execute on function confirm_refund_destination(uuid, text, text) to tollhouse_public;
grant execute on function request_owed_refund(uuid, numeric, payment_refund_cause), request_late_refunds(uuid, integer)
to tollhouse_worker;
-- what those are made of
grant execute on function
  unmatched_reason(uuid, chain_transfers), write_sighting(uuid, chain_transfers), is_payee_of(uuid, text, uuid),
  tell_of_payment(uuid, text, uuid, text, text[], jsonb), hold_unmatched_payment(uuid),
  unmatched_refusal(unmatched_payments, chain_transfers), payee_refusal(chain_transfers), require_payments_write(),
  hold_refundable(uuid, payment_orders),
  reserve_refund(uuid, uuid, uuid, numeric, payment_refund_cause, text),
  keep_for_refund(uuid, unmatched_payments, chain_transfers, payment_refund_cause, text),
  address_refund(payment_refunds, text, payment_refund_destination_source, text), refund_state_of(uuid, uuid, numeric)
to tollhouse_doorkeeper;

-- unmatched_payments: written by the functions alone
alter table unmatched_payments enable row level security;
alter table unmatched_payments force row level security;
grant select on unmatched_payments to tollhouse_member, tollhouse_operator;
grant select, insert on unmatched_payments to tollhouse_doorkeeper;
grant update (status, reason, payment_order_id, note, resolved_by_id, resolved_at)
  on unmatched_payments to tollhouse_doorkeeper;
create policy unmatched_payments_member_select on unmatched_payments for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('payments:read')));
create policy unmatched_payments_operator_select on unmatched_payments for select to tollhouse_operator using (true);
create policy unmatched_payments_doorkeeper_select on unmatched_payments for select to tollhouse_doorkeeper using (true);
create policy unmatched_payments_doorkeeper_insert on unmatched_payments for insert to tollhouse_doorkeeper
  with check (true);
create policy unmatched_payments_doorkeeper_update on unmatched_payments for update to tollhouse_doorkeeper
  using (true) with check (true);

-- payment_refunds: asked for by the functions, followed by the worker, wherever they are, inside their organization; a
-- payer sees those of its own order
alter table payment_refunds enable row level security;
alter table payment_refunds force row level security;
grant select on payment_refunds to tollhouse_member, tollhouse_operator, tollhouse_worker;
grant select (organization_id, id, payment_order_id, incarnation_id, asset_id, units, status, destination, created_at)
  on payment_refunds to tollhouse_public;
grant update (status, blockchain_transaction_id, completed_at) on payment_refunds to tollhouse_worker;
grant select, insert on payment_refunds to tollhouse_doorkeeper;
grant update (
  status, destination, destination_source, destination_reason, destination_by_id, head_number, addressed_at,
  blockchain_transaction_id
) on payment_refunds to tollhouse_doorkeeper;
create policy payment_refunds_member_select on payment_refunds for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('payments:read')));
create policy payment_refunds_public_select on payment_refunds for select to tollhouse_public
  using (organization_id = (select current_organization_id()) and payment_order_id = (select current_target_id()));
create policy payment_refunds_worker_select on payment_refunds for select to tollhouse_worker using (true);
create policy payment_refunds_worker_update on payment_refunds for update to tollhouse_worker
  using (organization_id = (select current_organization_id()))
  with check (organization_id = (select current_organization_id()));
create policy payment_refunds_operator_select on payment_refunds for select to tollhouse_operator using (true);
create policy payment_refunds_doorkeeper_select on payment_refunds for select to tollhouse_doorkeeper using (true);
create policy payment_refunds_doorkeeper_insert on payment_refunds for insert to tollhouse_doorkeeper with check (true);
create policy payment_refunds_doorkeeper_update on payment_refunds for update to tollhouse_doorkeeper
  using (true) with check (true);

-- provider_transactions: written by the functions, confirmed by the worker inside the organization
alter table provider_transactions enable row level security;
alter table provider_transactions force row level security;
grant select on provider_transactions to tollhouse_member, tollhouse_operator, tollhouse_worker;
grant update (status) on provider_transactions to tollhouse_worker;
grant select, insert on provider_transactions to tollhouse_doorkeeper;
grant update (kind, status, asset_id, units, payment_order_id, payment_refund_id, raw)
  on provider_transactions to tollhouse_doorkeeper;
create policy provider_transactions_member_select on provider_transactions for select to tollhouse_member
  using (organization_id = (select current_organization_id()) and (select has_permission('payments:read')));
create policy provider_transactions_worker_select on provider_transactions for select to tollhouse_worker using (true);
create policy provider_transactions_worker_update on provider_transactions for update to tollhouse_worker
  using (organization_id = (select current_organization_id()))
  with check (organization_id = (select current_organization_id()));
create policy provider_transactions_operator_select on provider_transactions for select to tollhouse_operator
  using (true);
create policy provider_transactions_doorkeeper_select on provider_transactions for select to tollhouse_doorkeeper
  using (true);
create policy provider_transactions_doorkeeper_insert on provider_transactions for insert to tollhouse_doorkeeper
  with check (true);
create policy provider_transactions_doorkeeper_update on provider_transactions for update to tollhouse_doorkeeper
  using (true) with check (true);

-- payment_orders: an order says how far its refunds are
grant update (refund) on payment_orders to tollhouse_doorkeeper;

-- blockchain_transactions and payment_credits: as the functions write them that receive and assign a transfer
grant select, insert on blockchain_transactions to tollhouse_doorkeeper;
grant update (status, asset_id, sender, recipient, units, block_number, block_hash, block_time)
  on blockchain_transactions to tollhouse_doorkeeper;
create policy blockchain_transactions_doorkeeper_select on blockchain_transactions for select to tollhouse_doorkeeper
  using (true);
create policy blockchain_transactions_doorkeeper_insert on blockchain_transactions for insert to tollhouse_doorkeeper
  with check (true);
create policy blockchain_transactions_doorkeeper_update on blockchain_transactions for update to tollhouse_doorkeeper
  using (true) with check (true);
grant select, insert on payment_credits to tollhouse_doorkeeper;
grant update (payment_order_id, units, reversed_at) on payment_credits to tollhouse_doorkeeper;
create policy payment_credits_doorkeeper_select on payment_credits for select to tollhouse_doorkeeper using (true);
create policy payment_credits_doorkeeper_insert on payment_credits for insert to tollhouse_doorkeeper with check (true);
create policy payment_credits_doorkeeper_update on payment_credits for update to tollhouse_doorkeeper
  using (true) with check (true);

-- and of the chain what those functions ask for and say
grant select (address) on assets to tollhouse_doorkeeper;
grant select (chain_id, finality, confirmations) on chains to tollhouse_doorkeeper;
create policy chains_doorkeeper_select on chains for select to tollhouse_doorkeeper using (true);
grant select (id, chain_id, head_number, current) on chain_incarnations to tollhouse_doorkeeper;
create policy chain_incarnations_doorkeeper_select on chain_incarnations for select to tollhouse_doorkeeper using (true);
grant update (claimed_as) on chain_transfers to tollhouse_doorkeeper;
grant insert on watched_accounts to tollhouse_doorkeeper;
create policy watched_accounts_doorkeeper_insert on watched_accounts for insert to tollhouse_doorkeeper with check (true);

-- events: what the functions tell
alter policy events_doorkeeper_insert on events
  with check (
    type in (
      'user.merged', 'user.deleted', 'organization.created', 'organization.deleted', 'organization.undeleted',
      'organization.purged', 'membership.added', 'membership.left', 'invitation.accepted', 'payment-order.canceled',
      'payment-order.claimed', 'payment-order.underpayment-accepted', 'payment-order.refund-changed',
      'unmatched-payment.received', 'unmatched-payment.assigned', 'unmatched-payment.refunded',
      'unmatched-payment.ignored', 'unmatched-payment.taken', 'unmatched-payment.reopened',
      'unmatched-payment.reversed', 'unmatched-payment.reinstated', 'payment-refund.requested',
      'payment-refund.addressed', 'payment-refund.sent', 'payment-refund.completed', 'payment-refund.reversed',
      'payment-refund.canceled', 'provider-transaction.claimed', 'provider-transaction.confirmed',
      'provider-transaction.reversed'
    )
  );

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function receive_transfer() owner to tollhouse_doorkeeper;
alter function tell_of_unmatched_payment() owner to tollhouse_doorkeeper;
alter function assign_unmatched_payment(uuid, uuid) owner to tollhouse_doorkeeper;
alter function ignore_unmatched_payment(uuid, text) owner to tollhouse_doorkeeper;
alter function request_refund(uuid, uuid, numeric, text) owner to tollhouse_doorkeeper;
alter function request_owed_refund(uuid, numeric, payment_refund_cause) owner to tollhouse_doorkeeper;
alter function refund_unmatched_payment(uuid, uuid, text) owner to tollhouse_doorkeeper;
alter function request_late_refunds(uuid, integer) owner to tollhouse_doorkeeper;
alter function set_refund_destination(uuid, text, text) owner to tollhouse_doorkeeper;
alter function confirm_refund_destination(uuid, text, text) owner to tollhouse_doorkeeper;
alter function cancel_refund(uuid) owner to tollhouse_doorkeeper;
alter function tell_of_refund() owner to tollhouse_doorkeeper;
alter function keep_order_refund() owner to tollhouse_doorkeeper;
alter function record_onchain_payment() owner to tollhouse_doorkeeper;
alter function record_onchain_refund() owner to tollhouse_doorkeeper;
alter function record_manual_payment(uuid, uuid, numeric, text, text) owner to tollhouse_doorkeeper;
alter function tell_of_provider_transaction() owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
