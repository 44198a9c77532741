-- Facts are appended under a condition: that no other fact that matters to the decision was told since it was read.

-- tags name their rows by ids that are nobody else's, so the tenant need not lead
create index events_tags_idx on events using gin (tags);

-- Whoever appends holds a share of the organization's log until the transaction ends, and whoever appends under a
-- condition has it alone: what the condition does not see is committed or not yet begun.
create function share_event_log() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_xact_lock_shared(hashtextextended('events of ' || new.organization_id, 0));
  return new;
end
$$;
create trigger events_share_log before insert on events
  for each row execute function share_event_log();

-- appends a fact if none that the condition names stands behind the position; else raises TH412 with the cursor of the
-- newest such fact. A condition is a list of queries, of which one is enough: any of its types, and all of its tags.
create function append_event_if(
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
revoke execute on function share_event_log(), append_event_if(jsonb, jsonb, integer, xid8, bigint) from public;

-- the law

grant execute on function append_event_if(jsonb, jsonb, integer, xid8, bigint) to tollhouse_member, tollhouse_worker;
