drop function append_event_if(jsonb, jsonb, integer, xid8, bigint);
drop trigger events_share_log on events;
drop function share_event_log();
drop index events_tags_idx;
