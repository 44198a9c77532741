-- Readers who follow the log: those of open streams hear of it and are asked for together; those who work on each fact
-- have a bookmark, and a delivery for each fact until it is done.

-- a hint and no more: whose log has grown, and of which payment order, which payers may follow who may not read the log
create function tell_event_streams() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('tollhouse_streams', 'events:' || new.organization_id);
  if new.aggregate_type = 'payment-order' then
    perform pg_notify('tollhouse_streams', concat_ws(':', new.aggregate_type, new.organization_id, new.aggregate_id));
  end if;
  return null;
end
$$;
create trigger events_tell_streams after insert on events
  for each row execute function tell_event_streams();

-- how far each topic has come: of `events:<organization>` the last place that may be read, of
-- `<aggregate>:<organization>:<id>` the version of the last fact. So one question serves all streams of a gateway.
create function stream_ends(topics text[]) returns table (topic text, reached text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select
    asked.topic,
    case split_part(asked.topic, ':', 1)
      when 'events' then (
        select concat_ws('.', e.epoch, e.transaction_id, e.position)
        from public.events e
        where e.organization_id = split_part(asked.topic, ':', 2)::uuid
          and (e.epoch < public.current_event_epoch() or e.transaction_id < pg_snapshot_xmin(pg_current_snapshot()))
        order by e.epoch desc, e.transaction_id desc, e.position desc
        limit 1
      )
      else (
        select max(e.aggregate_version)::text
        from public.events e
        where e.organization_id = split_part(asked.topic, ':', 2)::uuid
          and e.aggregate_type = split_part(asked.topic, ':', 1)
          and e.aggregate_id = split_part(asked.topic, ':', 3)::uuid
      )
    end
  from unnest(topics) as asked (topic)
$$;

-- which payment orders something was told of behind a place, for whoever may read orders: the log itself is not theirs
create function payment_order_changes(
  after_epoch integer, after_transaction xid8, after_position bigint, most integer
) returns table (order_id uuid, epoch integer, transaction_id xid8, log_position bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not public.has_permission('payments:read') then
    raise exception 'this asks for payments:read' using errcode = '42501';
  end if;
  return query
    select e.aggregate_id, e.epoch, e.transaction_id, e.position
    from public.events e
    where e.organization_id = public.current_organization_id()
      and (e.epoch, e.transaction_id, e.position) > (after_epoch, after_transaction, after_position)
      and e.aggregate_type = 'payment-order'
      and (e.epoch < public.current_event_epoch() or e.transaction_id < pg_snapshot_xmin(pg_current_snapshot()))
    order by e.epoch, e.transaction_id, e.position
    limit least(most, 1000);
end
$$;

-- The newest fact behind a place that is of any of these types and has all of these tags, for whoever may read the log.
-- Row security would keep the index of tags from being asked before each row was looked at, so it is asked in here.
create function newest_event(
  organization uuid, types text[], about text[], after_epoch integer, after_transaction xid8, after_position bigint
) returns table (epoch integer, transaction_id xid8, log_position bigint)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if organization is distinct from public.current_organization_id()
    or not (current_setting('role') = 'tollhouse_worker' or public.has_permission('events:read'))
  then
    raise exception 'this asks for events:read' using errcode = '42501';
  end if;
  if cardinality(about) > 0 then
    return query
      with tagged as materialized (
        select e.organization_id, e.type, e.epoch, e.transaction_id, e.position
        from public.events e
        where e.tags @> about
      )
      select t.epoch, t.transaction_id, t.position
      from tagged t
      where t.organization_id = organization
        and (t.epoch, t.transaction_id, t.position) > (after_epoch, after_transaction, after_position)
        and (types is null or t.type = any (types))
      order by t.epoch desc, t.transaction_id desc, t.position desc
      limit 1;
  else
    return query
      select e.epoch, e.transaction_id, e.position
      from public.events e
      where e.organization_id = organization
        and (e.epoch, e.transaction_id, e.position) > (after_epoch, after_transaction, after_position)
        and (types is null or e.type = any (types))
      order by e.epoch desc, e.transaction_id desc, e.position desc
      limit 1;
  end if;
end
$$;

-- as before, but each query is asked for by itself, and its tags by their index
create or replace function append_event_if(
  fact jsonb, queries jsonb, after_epoch integer, after_transaction xid8, after_position bigint
) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  told record;
  rival record;
begin
  select * into told from jsonb_populate_record(null::public.events, fact);
  perform pg_advisory_xact_lock(hashtextextended('events of ' || told.organization_id, 0));
  -- the lock first, the look second: in a function that is volatile each statement sees what is committed by then
  select newest.* into rival
    from jsonb_to_recordset(queries) as query(types text[], tags text[])
    cross join lateral public.newest_event(
      told.organization_id, query.types, query.tags, after_epoch, after_transaction, after_position
    ) newest
    order by newest.epoch desc, newest.transaction_id desc, newest.log_position desc
    limit 1;
  if found then
    raise exception 'something that matters was told meanwhile, at %',
      rtrim(translate(encode(convert_to(
        concat_ws('.', rival.epoch, rival.transaction_id, rival.log_position), 'UTF8'), 'base64'), '+/', '-_'), '=')
      using errcode = 'TH412';
  end if;
  insert into public.events (
    organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
  )
  values (
    told.organization_id, told.type, told.aggregate_type, told.aggregate_id, told.aggregate_version, told.actor,
    told.tags, told.data, told.metadata
  );
end
$$;

-- where a subscriber goes on: everything before it has its delivery, if it is of a kind that concerns the subscriber
create table event_bookmarks (
  subscriber text not null,
  epoch integer not null default 0,
  transaction_id xid8 not null default '0',
  position bigint not null default 0,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint event_bookmarks_pkey primary key (subscriber),
  constraint event_bookmarks_subscriber_check check (subscriber ~ '^[a-z0-9-]{1,50}$')
);
create trigger event_bookmarks_touch before update on event_bookmarks
  for each row execute function touch_updated_at();

-- a fact that a subscriber has to work on, until it has
create table event_deliveries (
  organization_id uuid not null,
  id uuid not null default uuid_v7(),
  subscriber text not null,
  event_id uuid not null,
  attempts integer not null default 0,
  error text,
  due_at timestamptz(3) not null default transaction_timestamp(),
  processed_at timestamptz(3),
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint event_deliveries_pkey primary key (organization_id, id),
  constraint event_deliveries_event_id_fkey foreign key (organization_id, event_id)
    references events (organization_id, id) on delete restrict on update restrict,
  constraint event_deliveries_attempts_check check (attempts >= 0),
  constraint event_deliveries_error_check check (char_length(error) <= 1000)
);
create unique index event_deliveries_organization_id_event_id_subscriber_key
  on event_deliveries (organization_id, event_id, subscriber);
create index event_deliveries_due_idx on event_deliveries (subscriber, due_at) where processed_at is null;
create index event_deliveries_processed_at_idx on event_deliveries (processed_at);
create trigger event_deliveries_touch before update on event_deliveries
  for each row execute function touch_updated_at();

-- Moves a subscriber's bookmark over so many facts at most and makes deliveries of those that are about what it asks for;
-- answers over how many. Null when somebody else is moving it.
create function claim_events(reader text, about text[], most integer) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  bookmark public.event_bookmarks;
  claimed integer;
begin
  select * into bookmark from public.event_bookmarks b where b.subscriber = reader;
  if not found then
    insert into public.event_bookmarks (subscriber) values (reader) on conflict do nothing;
  end if;
  -- most often there is nothing, and that writes nothing
  if not exists (
    select from public.events e
    where (e.epoch, e.transaction_id, e.position)
        > (coalesce(bookmark.epoch, 0), coalesce(bookmark.transaction_id, '0'), coalesce(bookmark.position, 0))
      and (e.epoch < public.current_event_epoch() or e.transaction_id < pg_snapshot_xmin(pg_current_snapshot()))
  ) then
    return 0;
  end if;
  select * into bookmark from public.event_bookmarks b where b.subscriber = reader for update skip locked;
  if not found then
    return null;
  end if;
  with next as (
    select e.organization_id, e.id, e.aggregate_type, e.epoch, e.transaction_id, e.position
    from public.events e
    where (e.epoch, e.transaction_id, e.position) > (bookmark.epoch, bookmark.transaction_id, bookmark.position)
      and (e.epoch < public.current_event_epoch() or e.transaction_id < pg_snapshot_xmin(pg_current_snapshot()))
    order by e.epoch, e.transaction_id, e.position
    limit least(most, 1000)
  ),
  deliveries as (
    insert into public.event_deliveries (organization_id, subscriber, event_id)
    select n.organization_id, reader, n.id from next n where n.aggregate_type = any (about)
  ),
  moved as (
    update public.event_bookmarks b
    set epoch = n.epoch, transaction_id = n.transaction_id, position = n.position
    from (select * from next order by epoch desc, transaction_id desc, position desc limit 1) n
    where b.subscriber = reader
  )
  select count(*) into claimed from next;
  return claimed;
end
$$;

revoke execute on function
  tell_event_streams(), stream_ends(text[]), payment_order_changes(integer, xid8, bigint, integer),
  claim_events(text, text[], integer), newest_event(uuid, text[], text[], integer, xid8, bigint)
  from public;

-- the law ------------------------------------------------------------------------------------------------------------

-- events: those functions go by their places
grant select (id, epoch, transaction_id, position, type, tags) on events to tollhouse_doorkeeper;
grant execute on function stream_ends(text[]), claim_events(text, text[], integer) to tollhouse_worker;
grant execute on function payment_order_changes(integer, xid8, bigint, integer) to tollhouse_member;
grant execute on function newest_event(uuid, text[], text[], integer, xid8, bigint) to tollhouse_member, tollhouse_worker;
-- and whoever compares the tables with the log reads all of it
grant select on events to tollhouse_auditor;
create policy events_auditor_select on events for select to tollhouse_auditor using (true);
grant select on payment_orders, payment_links to tollhouse_auditor;
create policy payment_orders_auditor_select on payment_orders for select to tollhouse_auditor using (true);
create policy payment_links_auditor_select on payment_links for select to tollhouse_auditor using (true);
-- a payer may know how long something can still come
grant select (late_until) on payment_orders to tollhouse_public;

-- event_bookmarks: moved by the function alone
alter table event_bookmarks enable row level security;
alter table event_bookmarks force row level security;
grant select, insert on event_bookmarks to tollhouse_doorkeeper;
grant update (epoch, transaction_id, position) on event_bookmarks to tollhouse_doorkeeper;
create policy event_bookmarks_doorkeeper_select on event_bookmarks for select to tollhouse_doorkeeper using (true);
create policy event_bookmarks_doorkeeper_insert on event_bookmarks for insert to tollhouse_doorkeeper with check (true);
create policy event_bookmarks_doorkeeper_update on event_bookmarks for update to tollhouse_doorkeeper
  using (true) with check (true);

-- event_deliveries: made by the function, found by the worker wherever they are, done inside their organization, and
-- forgotten a week later
alter table event_deliveries enable row level security;
alter table event_deliveries force row level security;
grant insert on event_deliveries to tollhouse_doorkeeper;
create policy event_deliveries_doorkeeper_insert on event_deliveries for insert to tollhouse_doorkeeper with check (true);
grant select, delete on event_deliveries to tollhouse_worker;
grant update (attempts, error, due_at, processed_at) on event_deliveries to tollhouse_worker;
create policy event_deliveries_worker_select on event_deliveries for select to tollhouse_worker using (true);
create policy event_deliveries_worker_update on event_deliveries for update to tollhouse_worker
  using (organization_id = (select current_organization_id()) and processed_at is null)
  with check (organization_id = (select current_organization_id()));
create policy event_deliveries_worker_delete on event_deliveries for delete to tollhouse_worker
  using (processed_at < transaction_timestamp() - interval '7 days');

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function stream_ends(text[]) owner to tollhouse_doorkeeper;
alter function payment_order_changes(integer, xid8, bigint, integer) owner to tollhouse_doorkeeper;
alter function claim_events(text, text[], integer) owner to tollhouse_doorkeeper;
alter function newest_event(uuid, text[], text[], integer, xid8, bigint) owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
