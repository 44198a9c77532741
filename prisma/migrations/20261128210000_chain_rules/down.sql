drop trigger watched_accounts_everywhere on watched_accounts;
set local role tollhouse_doorkeeper;
drop function watch_everywhere();
reset role;
drop index watched_accounts_everywhere_key;
alter table watched_accounts no force row level security;
delete from watched_accounts where chain_id is null;
alter table watched_accounts force row level security;
alter table watched_accounts alter chain_id set not null;

alter table chain_incarnations drop constraint chain_incarnations_halt_reason_check;
alter table chain_incarnations drop constraint chain_incarnations_failure_check;
alter table chain_incarnations drop read_until;
alter table chain_incarnations drop halted_at;
alter table chain_incarnations drop failure;
alter table chain_incarnations drop failing_since;
alter table chain_incarnations drop following_since;
alter table chain_incarnations drop safe_number;

drop table chain_finality_rules;

alter table assets drop constraint assets_credits_balance_difference_check;
alter table assets drop credits_balance_difference;

alter table chains no force row level security;
update chains set confirmations = 64 where confirmations is null;
alter table chains force row level security;
alter table chains drop constraint chains_finality_check;
alter table chains alter confirmations set not null;
alter table chains drop finality;

drop type chain_finality;
