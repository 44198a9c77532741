-- What goes back is there for good before it goes: a refund of what the chain takes back is withdrawn, and its transaction
-- is shown once what it gives back is as final as it has to be. Of a refund's destination nothing is recorded but what its
-- payee sends. Many entries of the inbox are put aside at once, and a payment recorded by mistake is taken back.

-- refunds ------------------------------------------------------------------------------------------------------------

-- called off by the chain and by nobody
alter table payment_refunds add column withdrawn boolean not null default false;
alter table payment_refunds add constraint payment_refunds_withdrawn_check check (not withdrawn or status = 'CANCELED');

-- whether a block is as deep as a payment has to be, as isMet in src/chain/model.ts says it
create function meets_finality(
  finality public.payment_finality, confirmations integer, block bigint, head bigint, safe bigint, finalized bigint
) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    case finality
      when 'CONFIRMATIONS' then head - block + 1 >= confirmations
      when 'SAFE' then block <= greatest(safe, finalized)
      else block <= finalized
    end,
    false
  )
$$;

-- Whether all that a refund of the scene's organization is of is as final as it has to be: every transfer that is credited
-- to its order, since nobody can tell which of them goes back, or the one of the inbox. Null of none that the scene may see.
create function is_refund_backed(refund uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select not exists (
    select from public.chain_transfers t
    where t.claimed_for_id = coalesce(r.payment_order_id, r.unmatched_payment_id)
      and case
        when r.payment_order_id is not null then t.judged_at is null
        else t.orphaned or (t.units, t.asset_id, t.recipient) <> (r.units, r.asset_id, r.pay_from)
      end
    union all
    select from public.chain_transfers t
    where t.claimed_for_id = coalesce(r.payment_order_id, r.unmatched_payment_id)
      and not t.orphaned
      and not public.meets_finality(
        r.finality, r.required_confirmations, t.block_number, i.head_number, i.safe_number, i.finalized_number
      )
  )
  from public.payment_refunds r
  join public.chain_incarnations i on i.id = r.incarnation_id
  where r.organization_id = public.current_organization_id()
    and r.id = refund
    and public.has_permission('payments:read')
$$;

-- Calls off a refund of an entry of an inbox whose transfer is gone, or has become another payment, and gives the transfer
-- free; false when nothing is to be called off. Whoever asks holds the transfer.
create function withdraw_unmatched_refund(organization uuid, payment uuid, t public.chain_transfers) returns boolean
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
  update public.payment_refunds r
  set status = 'CANCELED', withdrawn = true
  where r.organization_id = organization
    and r.unmatched_payment_id = payment
    and r.status in ('REQUESTED', 'PENDING')
    and (t.orphaned or (t.units, t.asset_id, t.recipient) <> (r.units, r.asset_id, r.pay_from));
  if not found then
    return false;
  end if;
  -- one that is there is judged anew
  update public.chain_transfers c
  set claimed_organization_id = null, claimed_for_id = null, claimed_as = 'ORDER',
      judged_at = case when t.orphaned then c.judged_at end
  where c.id = t.id and c.claimed_for_id = payment;
  update public.unmatched_payments u
  set status = 'REVERSED', resolved_at = null, resolved_by_id = null
  where u.organization_id = organization and u.id = payment;
  return true;
end
$$;

-- Calls off what is asked for of an order of the scene's organization, or of an entry of its inbox, and is not there: the
-- latest first, until the rest is no more than what is credited; and what the terms gave back, where they give back
-- nothing any more, or more than was asked for before anybody has said where it goes. What was sent stays as it is.
-- Whoever asks holds the order.
create function withdraw_refunds(refunded uuid) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  o public.payment_orders;
  t public.chain_transfers;
  r record;
  reserved numeric;
  owed numeric;
begin
  select * into t from public.chain_transfers c
  where c.claimed_for_id = refunded and c.claimed_as = 'INBOX' and c.judged_at is not null
  for update;
  if found then
    perform public.withdraw_unmatched_refund(organization, refunded, t);
    return;
  end if;
  select * into o from public.payment_orders p where p.organization_id = organization and p.id = refunded for update;
  select coalesce(sum(p.units), 0) into reserved from public.payment_refunds p
  where p.organization_id = organization and p.payment_order_id = refunded and p.status <> 'CANCELED';
  for r in
    select p.id, p.units, p.cause, p.status
    from public.payment_refunds p
    where p.organization_id = organization and p.payment_order_id = refunded and p.status in ('REQUESTED', 'PENDING')
    order by p.created_at desc, p.id desc
    for update
  loop
    owed := case
      when r.cause = 'SURPLUS' then greatest(o.credited_units - o.due_units, 0)
      when r.cause = 'PART' and o.status = 'EXPIRED' then o.credited_units
      when r.cause = 'PART' then 0
    end;
    if reserved > o.credited_units
      or r.units > owed
      or r.status = 'REQUESTED' and r.units < owed and reserved < o.credited_units
    then
      update public.payment_refunds p set status = 'CANCELED', withdrawn = true
      where p.organization_id = organization and p.id = r.id;
      reserved := reserved - r.units;
    end if;
  end loop;
end
$$;

-- Says where a refund goes, from the next block on. The chain's head stands still meanwhile, as when an order is made, so
-- that no block is missed in between. Of what arrives there only what its payee sends is anybody's business.
create or replace function address_refund(
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
  insert into public.watched_accounts (chain_id, address, sender) values (chain, sent_to, r.pay_from)
  on conflict do nothing;
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

-- destinations ---------------------------------------------------------------------------------------------------------

-- whose transfers alone are recorded; anybody's when it is null
alter table watched_accounts add column sender text;
alter table watched_accounts add constraint watched_accounts_sender_check check (sender ~ '^0x[0-9a-f]{40}$');
alter table watched_accounts add constraint watched_accounts_sender_chain_check
  check (sender is null or chain_id is not null);
drop index watched_accounts_chain_id_address_key;
create unique index watched_accounts_chain_id_address_key on watched_accounts (chain_id, address) where sender is null;
create unique index watched_accounts_sender_key on watched_accounts (chain_id, address, sender) where sender is not null;
-- the worker asks which destinations nothing is awaited at any more
create index payment_refunds_destination_idx on payment_refunds (destination, pay_from)
  where status in ('PENDING', 'SENT', 'COMPLETED');

-- what an account is watched for as a destination alone, from now on of its payee
alter table watched_accounts no force row level security;
alter table payment_refunds no force row level security;
alter table payment_orders no force row level security;
alter table payment_link_accepts no force row level security;
delete from watched_accounts w
where exists (select from payment_refunds r where r.destination = w.address)
  and not exists (select from payment_link_accepts a where a.pay_to = w.address)
  and not exists (select from payment_orders o where o.pay_to = w.address);
insert into watched_accounts (chain_id, address, sender)
select distinct a.chain_id, r.destination, r.pay_from
from payment_refunds r
join assets a on a.id = r.asset_id
where r.destination is not null and r.status <> 'CANCELED';
alter table payment_link_accepts force row level security;
alter table payment_orders force row level security;
alter table payment_refunds force row level security;
alter table watched_accounts force row level security;

-- the inbox ----------------------------------------------------------------------------------------------------------

-- Puts many entries of the scene's inbox aside at once, or none of them; answers why not, and of which one, by its place.
-- The transfers are held before the entries, each in one order, so that of two at one instant one waits for the other.
create function ignore_unmatched_payments(payments uuid[], words text) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  refusal text;
begin
  perform public.require_payments_write();
  perform c.id
  from public.unmatched_payments u
  join public.blockchain_transactions b on b.organization_id = u.organization_id and b.id = u.blockchain_transaction_id
  join public.chain_transfers c
    on c.incarnation_id = b.incarnation_id and c.transaction_hash = b.hash and c.ordinal = b.ordinal
  where u.organization_id = organization and u.id = any (payments)
  order by c.id
  for update of c;
  perform u.id
  from public.unmatched_payments u
  where u.organization_id = organization and u.id = any (payments)
  order by u.id
  for update;
  select r.why || ' ' || asked.place into refusal
  from unnest(payments) with ordinality as asked (id, place)
  left join public.unmatched_payments u on u.organization_id = organization and u.id = asked.id
  left join public.blockchain_transactions b
    on b.organization_id = u.organization_id and b.id = u.blockchain_transaction_id
  left join public.chain_transfers c
    on c.incarnation_id = b.incarnation_id and c.transaction_hash = b.hash and c.ordinal = b.ordinal
  cross join lateral public.unmatched_refusal(u, c) as r (why)
  where r.why is not null
  order by asked.place
  limit 1;
  if refusal is not null then
    return refusal;
  end if;
  update public.unmatched_payments u
  set status = 'IGNORED', note = words, resolved_at = clock_timestamp(),
      resolved_by_id = coalesce(public.current_user_id(), public.current_responsible_id())
  where u.organization_id = organization and u.id = any (payments);
  return null;
end
$$;

-- the worker asks what was ambiguous, and may not be so any more
create index unmatched_payments_ambiguous_idx on unmatched_payments (id) where status = 'OPEN' and reason = 'AMBIGUOUS';

-- So many entries of all inboxes, from one on, that were ambiguous when their transfers were judged; with the transfer of
-- each that an order of that history of the chain could still take.
create function ambiguous_transfers(incarnation uuid, behind uuid, most integer)
returns table (entry_id uuid, transfer_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  with page as materialized (
    select u.organization_id, u.id, u.blockchain_transaction_id
    from public.unmatched_payments u
    where u.status = 'OPEN' and u.reason = 'AMBIGUOUS' and (behind is null or u.id > behind)
    order by u.id
    limit most
  )
  select p.id, t.id
  from page p
  join public.blockchain_transactions b
    on b.organization_id = p.organization_id and b.id = p.blockchain_transaction_id
  left join public.chain_transfers t
    on t.incarnation_id = incarnation
    and t.incarnation_id = b.incarnation_id
    and t.transaction_hash = b.hash
    and t.ordinal = b.ordinal
    and t.claimed_for_id is null
    and t.judged_at is not null
    and not t.orphaned
    and exists (
      select from public.payment_orders o
      where o.pay_to = t.recipient
        and o.asset_id = t.asset_id
        and o.incarnation_id = t.incarnation_id
        and o.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'EXPIRED')
        and greatest(o.late_until, o.expires_at) > t.block_time - interval '1 second'
        and (o.status <> 'EXPIRED' or o.late_policy = 'ACCEPT')
        and o.head_number < t.block_number
        and (o.payer = t.sender or o.matching = 'UNIQUE_AMOUNT' and o.due_units = t.units)
    )
  order by p.id
$$;

-- payments that were recorded by mistake -------------------------------------------------------------------------------

-- who has taken back what was recorded, when and why; it counts no more from then on
alter table provider_transactions add column void_reason text;
alter table provider_transactions add column voided_by_id uuid;
alter table provider_transactions add column voided_at timestamptz(3);
alter table provider_transactions add constraint provider_transactions_void_reason_check
  check (char_length(void_reason) between 1 and 500);
alter table provider_transactions add constraint provider_transactions_voided_check check (
  (voided_at is null) = (void_reason is null) and (voided_at is not null or voided_by_id is null)
  and (voided_at is null or blockchain_transaction_id is null)
);
alter table provider_transactions add constraint provider_transactions_voided_by_id_fkey
  foreign key (organization_id, voided_by_id) references memberships (organization_id, user_id)
  on update restrict on delete restrict;
create index provider_transactions_organization_id_voided_by_id_idx
  on provider_transactions (organization_id, voided_by_id);
-- the worker asks which of them still count
create index provider_transactions_voided_idx on provider_transactions (provider, organization_id)
  where voided_at is not null and status = 'CONFIRMED';

-- Takes back what a member has recorded for an order of the scene's organization that is not final; answers why not. From
-- then on it counts no more for whoever assesses the order under its lock; the worker does so next, and says what is left.
create function void_manual_payment(recorded uuid, words text) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
  paying uuid;
  standing public.payment_order_status;
  held record;
begin
  perform public.require_payments_write();
  select p.payment_order_id into paying from public.provider_transactions p
  where p.organization_id = organization and p.id = recorded and p.provider = 'manual' and p.kind = 'PAYMENT';
  if not found then
    return 'MANUAL_PAYMENT_NOT_FOUND';
  end if;
  select o.status into standing from public.payment_orders o
  where o.organization_id = organization and o.id = paying
  for update;
  select p.status, p.voided_at into held from public.provider_transactions p
  where p.organization_id = organization and p.id = recorded
  for update;
  if held.voided_at is not null or held.status = 'REVERSED' then
    return 'MANUAL_PAYMENT_CLOSED REVERSED';
  elsif standing in ('FINAL', 'CANCELED', 'FAILED') and held.status = 'CONFIRMED' then
    return 'MANUAL_PAYMENT_CLOSED ' || standing;
  end if;
  update public.provider_transactions p
  set void_reason = words,
      voided_by_id = coalesce(public.current_user_id(), public.current_responsible_id()),
      voided_at = clock_timestamp(),
      -- one that does not count yet never will
      status = case p.status when 'CLAIMED' then 'REVERSED' else p.status end
  where p.organization_id = organization and p.id = recorded;
  return null;
end
$$;

-- told by whoever takes it back; that it does not count any more is told when that is so
set local role tollhouse_doorkeeper;
grant execute on function tell_of_provider_transaction() to session_user;
reset role;
create trigger provider_transactions_tell_void after update of voided_at on provider_transactions
  for each row
  when (old.voided_at is null and new.voided_at is not null and new.status = 'CONFIRMED')
  execute function tell_of_provider_transaction('voided');
set local role tollhouse_doorkeeper;
revoke execute on function tell_of_provider_transaction() from session_user;
reset role;

revoke execute on function
  ambiguous_transfers(uuid, uuid, integer), ignore_unmatched_payments(uuid[], text), void_manual_payment(uuid, text),
  meets_finality(payment_finality, integer, bigint, bigint, bigint, bigint), is_refund_backed(uuid),
  withdraw_unmatched_refund(uuid, uuid, chain_transfers), withdraw_refunds(uuid)
  from public;

-- the law ------------------------------------------------------------------------------------------------------------

grant execute on function
  is_refund_backed(uuid), ignore_unmatched_payments(uuid[], text), void_manual_payment(uuid, text)
to tollhouse_member;
grant execute on function withdraw_refunds(uuid), ambiguous_transfers(uuid, uuid, integer) to tollhouse_worker;
grant execute on function
  meets_finality(payment_finality, integer, bigint, bigint, bigint, bigint),
  withdraw_unmatched_refund(uuid, uuid, chain_transfers)
to tollhouse_doorkeeper;

grant update (withdrawn) on payment_refunds to tollhouse_doorkeeper;
grant update (void_reason, voided_by_id, voided_at) on provider_transactions to tollhouse_doorkeeper;
grant select (safe_number, finalized_number) on chain_incarnations to tollhouse_doorkeeper;

-- watched_accounts: the worker leaves destinations, and no payee
alter policy watched_accounts_member_insert on watched_accounts
  with check (sender is null and (select has_permission('payments:write')));
grant delete on watched_accounts to tollhouse_worker;
create policy watched_accounts_worker_delete on watched_accounts for delete to tollhouse_worker
  using (sender is not null);

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
      'provider-transaction.reversed', 'provider-transaction.voided'
    )
  );

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function is_refund_backed(uuid) owner to tollhouse_doorkeeper;
alter function ignore_unmatched_payments(uuid[], text) owner to tollhouse_doorkeeper;
alter function void_manual_payment(uuid, text) owner to tollhouse_doorkeeper;
alter function ambiguous_transfers(uuid, uuid, integer) owner to tollhouse_doorkeeper;
alter function withdraw_refunds(uuid) owner to tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
-- whoever watches such an account need not know that it is one, nor may: identities are others'
create or replace function watch_everywhere() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if new.sender is null and exists (
    select from public.identities i
    where i.issuer = 'eip155' and i.subject = new.address and i.kind = 'WALLET' and i.chain_id is null
  ) then
    new.chain_id := null;
  end if;
  return new;
end
$$;

-- What was judged is somebody's: an order's or a refund's that claimed it, or of the inbox of each organization that is
-- paid at its recipient. It runs when the transaction ends, when it is clear what has become of the transfer.
create or replace function receive_transfer() returns trigger
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
    -- what was to go back is not there, or is another payment: nothing of it is kept for anybody
    if t.claimed_as = 'INBOX' and t.claimed_for_id = entry.id
      and public.withdraw_unmatched_refund(entry.organization_id, entry.id, t) then
      continue;
    end if;
    update public.unmatched_payments u
    set status = entry.status, payment_order_id = entry.paid
    where u.organization_id = entry.organization_id and u.id = entry.id
      and (u.status, u.payment_order_id) is distinct from (entry.status, entry.paid);
  end loop;
  return null;
end
$$;

-- What the terms of an order give back: as much of it as is still there, and once for each cause, unless the chain has
-- withdrawn it. True when it was asked
create or replace function request_owed_refund(refunded uuid, asked numeric, why payment_refund_cause) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  organization uuid := public.current_organization_id();
begin
  perform from public.payment_orders p where p.organization_id = organization and p.id = refunded for update;
  if why = 'MEMBER' or exists (
    select from public.payment_refunds r
    where r.organization_id = organization and r.payment_order_id = refunded and r.cause = why and not r.withdrawn
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

-- Asks for refunds of what came late within the late window of an order whose terms give it back: once for each, even if
-- it is called off, unless the chain has withdrawn it. Answers of how many.
create or replace function request_late_refunds(incarnation uuid, most integer) returns integer
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
        where r.organization_id = u.organization_id and r.unmatched_payment_id = u.id and not r.withdrawn
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

create or replace function tell_of_refund() returns trigger
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
      'cause', new.cause, 'destination', new.destination, 'withdrawn', new.withdrawn,
      'paymentOrderId', new.payment_order_id, 'unmatchedPaymentId', new.unmatched_payment_id
    )
  );
  return null;
end
$$;

create or replace function tell_of_provider_transaction() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform public.tell_of_payment(
    new.organization_id, 'provider-transaction', new.id, coalesce(tg_argv[0], lower(new.status::text)),
    array['payment-order:' || new.payment_order_id],
    jsonb_build_object(
      'from', case when tg_op = 'UPDATE' then old.status end, 'to', new.status, 'provider', new.provider,
      'reference', new.reference, 'units', new.units::text, 'paymentOrderId', new.payment_order_id,
      'voidReason', new.void_reason
    )
  );
  return null;
end
$$;
reset role;
revoke create on schema public from tollhouse_doorkeeper;
