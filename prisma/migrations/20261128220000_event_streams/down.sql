revoke select (late_until) on payment_orders from tollhouse_public;
drop policy payment_links_auditor_select on payment_links;
drop policy payment_orders_auditor_select on payment_orders;
revoke select on payment_orders, payment_links from tollhouse_auditor;
drop policy events_auditor_select on events;
revoke select on events from tollhouse_auditor;
revoke select (id, epoch, transaction_id, position, type, tags) on events from tollhouse_doorkeeper;
set local role tollhouse_doorkeeper;
drop function claim_events(text, text[], integer);
drop function payment_order_changes(integer, xid8, bigint, integer);
drop function stream_ends(text[]);
drop function newest_event(uuid, text[], text[], integer, xid8, bigint);
reset role;
drop table event_deliveries;
drop table event_bookmarks;
drop trigger events_tell_streams on events;
drop function tell_event_streams();

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
  select e.epoch, e.transaction_id, e.position
    into rival
    from public.events e
    where e.organization_id = told.organization_id
      and (e.epoch, e.transaction_id, e.position) > (after_epoch, after_transaction, after_position)
      and exists (
        select from jsonb_to_recordset(queries) as query(types text[], tags text[])
        where (query.types is null or e.type = any (query.types))
          and (query.tags is null or e.tags @> query.tags)
      )
    order by e.epoch desc, e.transaction_id desc, e.position desc
    limit 1;
  if found then
    raise exception 'something that matters was told meanwhile, at %',
      rtrim(translate(encode(convert_to(
        concat_ws('.', rival.epoch, rival.transaction_id, rival.position), 'UTF8'), 'base64'), '+/', '-_'), '=')
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
