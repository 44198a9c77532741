drop policy events_operator_insert on events;
revoke insert on events from tollhouse_operator;
set local role tollhouse_doorkeeper;
revoke execute on function current_event_epoch() from tollhouse_operator;
reset role;

drop policy organizations_operator_update on organizations;
revoke update (status) on organizations from tollhouse_operator;
revoke execute on function is_flat_json(jsonb) from tollhouse_operator;
revoke usage on schema public from tollhouse_operator_login;
revoke execute on function uuid_v7() from tollhouse_operator;

drop function enter_impersonation(uuid, uuid), enter_operator(uuid, integer);
drop table operator_actions, operators;
drop type operator_deed;
