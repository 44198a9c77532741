-- events: appended by whoever does the deed, inside the tenant, each role only its own facts; never changed. Facts of a
-- person's wallets are told in every organization that the person belongs to.
grant execute on function current_event_epoch() to
  tollhouse_public, tollhouse_identity, tollhouse_member, tollhouse_worker;

alter table event_epochs enable row level security;
alter table event_epochs force row level security;
grant select on event_epochs to tollhouse_doorkeeper;
create policy event_epochs_doorkeeper_select on event_epochs for select to tollhouse_doorkeeper using (true);

alter table events enable row level security;
alter table events force row level security;
grant select, insert on events to tollhouse_member, tollhouse_worker;
grant insert on events to tollhouse_public, tollhouse_identity;
grant select on events to tollhouse_operator;
create policy events_member_select on events for select to tollhouse_member
  using (organization_id = (select current_organization_id()));
create policy events_member_insert on events for insert to tollhouse_member
  with check (
    actor = 'user:' || (select current_user_id())
    and (
      organization_id = (select current_organization_id())
      and case type
        when 'payment-link.created' then (select has_permission('payments:write'))
        when 'membership.added' then (select has_permission('members:write'))
      end
      or type in ('wallet.linked', 'wallet.unlinked', 'wallet.primary-changed')
      and organization_id in (select id from organizations)
    )
  );
create policy events_public_insert on events for insert to tollhouse_public
  with check (
    organization_id = (select current_organization_id()) and actor = 'payer' and type = 'payment-order.created'
  );
create policy events_identity_insert on events for insert to tollhouse_identity
  with check (
    organization_id = (select current_organization_id())
    and actor = 'user:' || (select current_user_id())
    and type in ('user.signed-up', 'organization.created')
  );
create policy events_worker_select on events for select to tollhouse_worker
  using (organization_id = (select current_organization_id()));
create policy events_worker_insert on events for insert to tollhouse_worker
  with check (organization_id = (select current_organization_id()) and actor = 'worker');
create policy events_operator_select on events for select to tollhouse_operator using (true);
