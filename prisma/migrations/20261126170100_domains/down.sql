drop policy handles_doorkeeper_delete on handles;
drop policy handles_doorkeeper_insert on handles;
revoke insert, delete on handles from tollhouse_doorkeeper;

drop table organization_domains;
drop function keep_domain_handle();
drop type domain_kind;

alter table handles no force row level security;
delete from handles where kind = 'domain';
alter table handles force row level security;
alter table handles
  drop constraint handles_kind_check,
  add constraint handles_kind_check check (kind in ('payment-link', 'payment-order'));
