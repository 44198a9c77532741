-- What a chain's payments need until they are done, how its watcher fares, tokens whose logs do not say what arrived,
-- and accounts that are watched on every chain.

create type chain_finality as enum ('CONFIRMATIONS', 'SAFE', 'FINALIZED');

alter table chains add finality chain_finality not null default 'CONFIRMATIONS';
alter table chains alter confirmations drop not null;
alter table chains add constraint chains_finality_check
  check ((finality = 'CONFIRMATIONS') = (confirmations is not null));

alter table assets add credits_balance_difference boolean not null default false;
alter table assets add constraint assets_credits_balance_difference_check
  check (address is not null or not credits_balance_difference);

-- from so many base units of an asset on, its payments need another finality than the chain's usual one
create table chain_finality_rules (
  id uuid not null default uuid_v7(),
  asset_id uuid not null,
  from_units numeric(78, 0) not null,
  finality chain_finality not null,
  confirmations integer,
  created_at timestamptz(3) not null default transaction_timestamp(),
  updated_at timestamptz(3) not null default transaction_timestamp(),
  constraint chain_finality_rules_pkey primary key (id),
  constraint chain_finality_rules_from_units_check check (from_units > 0),
  constraint chain_finality_rules_confirmations_check check (confirmations between 1 and 1000),
  constraint chain_finality_rules_finality_check
    check ((finality = 'CONFIRMATIONS') = (confirmations is not null)),
  constraint chain_finality_rules_asset_id_fkey foreign key (asset_id)
    references assets (id) on update restrict on delete restrict
);
create unique index chain_finality_rules_asset_id_from_units_key on chain_finality_rules (asset_id, from_units);
create trigger chain_finality_rules_touch before update on chain_finality_rules
  for each row execute function touch_updated_at();

alter table chain_finality_rules enable row level security;
alter table chain_finality_rules force row level security;
grant select on chain_finality_rules to tollhouse_public, tollhouse_member, tollhouse_operator;
grant select, insert, delete on chain_finality_rules to tollhouse_worker;
create policy chain_finality_rules_public_select on chain_finality_rules for select to tollhouse_public using (true);
create policy chain_finality_rules_member_select on chain_finality_rules for select to tollhouse_member using (true);
create policy chain_finality_rules_operator_select on chain_finality_rules for select to tollhouse_operator
  using (true);
create policy chain_finality_rules_worker_select on chain_finality_rules for select to tollhouse_worker using (true);
create policy chain_finality_rules_worker_insert on chain_finality_rules for insert to tollhouse_worker
  with check (true);
create policy chain_finality_rules_worker_delete on chain_finality_rules for delete to tollhouse_worker using (true);

-- how the watcher fares
alter table chain_incarnations add safe_number bigint;
alter table chain_incarnations add following_since timestamptz(3);
alter table chain_incarnations add failing_since timestamptz(3);
alter table chain_incarnations add failure text;
alter table chain_incarnations add halted_at timestamptz(3);
alter table chain_incarnations add read_until timestamptz(3);
alter table chain_incarnations no force row level security;
update chain_incarnations set halted_at = updated_at where halt_reason is not null;
alter table chain_incarnations force row level security;
alter table chain_incarnations add constraint chain_incarnations_failure_check
  check ((failing_since is null) = (failure is null));
alter table chain_incarnations add constraint chain_incarnations_halt_reason_check
  check (halt_reason is not null or halted_at is null);

-- an account of its own key has the same address on every chain, and may be paid there by mistake
alter table watched_accounts alter chain_id drop not null;
create unique index watched_accounts_everywhere_key on watched_accounts (address) where chain_id is null;

-- whoever watches such an account need not know that it is one, nor may: identities are others'
create function watch_everywhere() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select from public.identities i
    where i.issuer = 'eip155' and i.subject = new.address and i.kind = 'WALLET' and i.chain_id is null
  ) then
    new.chain_id := null;
  end if;
  return new;
end
$$;
create trigger watched_accounts_everywhere before insert on watched_accounts
  for each row execute function watch_everywhere();
revoke execute on function watch_everywhere() from public;
grant create on schema public to tollhouse_doorkeeper;
alter function watch_everywhere() owner to tollhouse_doorkeeper;
revoke create on schema public from tollhouse_doorkeeper;

alter table identities no force row level security;
alter table watched_accounts no force row level security;
insert into watched_accounts (address)
select distinct w.address
from watched_accounts w
join identities i on i.issuer = 'eip155' and i.subject = w.address and i.kind = 'WALLET' and i.chain_id is null;
alter table watched_accounts force row level security;
alter table identities force row level security;
