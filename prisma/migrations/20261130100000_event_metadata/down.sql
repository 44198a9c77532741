revoke select (metadata) on events from tollhouse_doorkeeper;
drop trigger events_complete_metadata on events;
set local role tollhouse_doorkeeper;
drop function complete_event_metadata();
reset role;
alter trigger payment_refunds_tell_order on payment_refunds rename to payment_refunds_keep_order;

create function forget_client_elsewhere() returns trigger
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
  new.metadata := new.metadata - 'clientAddress' - 'userAgent';
  return new;
end
$$;
create trigger events_forget_client_elsewhere before insert on events
  for each row
  when (
    new.metadata ?| array['clientAddress', 'userAgent']
    and new.organization_id is distinct from current_organization_id()
  )
  execute function forget_client_elsewhere();
