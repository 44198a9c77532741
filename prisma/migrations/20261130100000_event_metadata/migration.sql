-- What a fact came of stands in its metadata: the session, the door that it came through, the fact that it follows from, and
-- the fact that all of those began with. The log itself says so, of what triggers tell, too.

drop trigger events_forget_client_elsewhere on events;
drop function forget_client_elsewhere();

-- Nothing is believed of what whoever tells brings along, and nothing of it kept but the request, and the address and the
-- agent in the organization that was worked in and in no other, as the session. A correlation is the id of the fact that it
-- began with, since whoever asks chooses what their request is called. A fact follows from the newest one of its transaction
-- that is about the same as it; what the worker tells follows otherwise from the last fact of the same thing, or of what its
-- tags name. All of them are of its own organization, whatever whoever tells may read.
create function complete_event_metadata() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
-- each looks up an index whatever it is asked for, and thinking about that anew costs more than looking
set plan_cache_mode = force_generic_plan
as $$
declare
  here boolean := new.organization_id is not distinct from public.current_organization_id();
  door text := current_setting('role');
  subject text := new.aggregate_type || ':' || new.aggregate_id;
  cause record;
begin
  -- a hundred at most, so that a transaction that tells many pays for each the same
  select e.id, coalesce(e.metadata ->> 'correlationId', e.id::text) as correlation
    into cause
    from (
      select n.id, n.position, n.aggregate_type, n.aggregate_id, n.tags, n.metadata
      from public.events n
      where n.organization_id = new.organization_id
        and n.epoch = new.epoch
        and n.transaction_id = pg_current_xact_id()
      order by n.position desc
      limit 100
    ) e
    where subject = any (e.tags) or e.aggregate_type || ':' || e.aggregate_id = any (new.tags || subject)
    order by e.position desc
    limit 1;
  if cause.id is null and door = 'tollhouse_worker' then
    select e.id, coalesce(e.metadata ->> 'correlationId', e.id::text) as correlation
      into cause
      from public.events e
      where e.organization_id = new.organization_id
        and e.aggregate_type = new.aggregate_type
        and e.aggregate_id = new.aggregate_id
        and e.aggregate_version < new.aggregate_version
      order by e.aggregate_version desc
      limit 1;
  end if;
  if cause.id is null and door = 'tollhouse_worker' and array_remove(new.tags, subject) <> '{}' then
    select last.id, last.correlation
      into cause
      from unnest(new.tags) as named (tag)
      cross join lateral (
        select
          e.id, e.epoch, e.transaction_id, e.position,
          coalesce(e.metadata ->> 'correlationId', e.id::text) as correlation
        from public.events e
        where named.tag <> subject
          and e.organization_id = new.organization_id
          and e.aggregate_type = split_part(named.tag, ':', 1)
          and e.aggregate_id = case
            when named.tag ~ '^[a-z-]+:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then split_part(named.tag, ':', 2)::uuid
          end
        order by e.aggregate_version desc
        limit 1
      ) last
      order by last.epoch desc, last.transaction_id desc, last.position desc
      limit 1;
  end if;
  new.metadata := jsonb_strip_nulls(jsonb_build_object(
    'requestId', coalesce(new.metadata ->> 'requestId', nullif(current_setting('app.request_id', true), '')),
    'clientAddress', case when here then new.metadata ->> 'clientAddress' end,
    'userAgent', case when here then new.metadata ->> 'userAgent' end,
    'sessionId', case when here then public.current_session_id() end,
    'source', case
      when door = 'none' then 'owner'
      when door = 'tollhouse_member' and public.current_key_id() is not null then 'key'
      else regexp_replace(door, '^tollhouse_', '')
    end,
    'causationId', cause.id,
    'correlationId', coalesce(cause.correlation, new.id::text)
  ));
  return new;
end
$$;
revoke execute on function complete_event_metadata() from public;
create trigger events_complete_metadata before insert on events
  for each row execute function complete_event_metadata();

-- triggers of one table go by their names: that a refund is asked for is told before what its order makes of it
alter trigger payment_refunds_keep_order on payment_refunds rename to payment_refunds_tell_order;

-- the law ---------------------------------------------------------------------------------------------------------------

-- events: what a fact follows from says what both have in common
grant select (metadata) on events to tollhouse_doorkeeper;

-- owning a function needs the right to make one, for a moment
grant create on schema public to tollhouse_doorkeeper;
alter function complete_event_metadata() owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;
