-- events: appended by whoever does the deed, inside the tenant, each role only its own facts; never changed. Facts of a
-- person's wallets and other identities are told in every organization that the person belongs to.
grant execute on function current_event_epoch() to
  tollhouse_public, tollhouse_identity, tollhouse_member, tollhouse_worker, tollhouse_operator;
-- Appending under a condition is for who may read what it asks for.
grant execute on function append_event_if(jsonb, jsonb, integer, xid8, bigint) to tollhouse_member, tollhouse_worker;
-- How far a log has come is asked for all streams of a gateway at once, and which orders something was told of by whoever
-- may read orders.
grant execute on function stream_ends(text[]), claim_events(text, text[], integer) to tollhouse_worker;
grant execute on function payment_order_changes(integer, xid8, bigint, integer) to tollhouse_member;
grant execute on function newest_event(uuid, text[], text[], integer, xid8, bigint) to tollhouse_member, tollhouse_worker;

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
  using (organization_id = (select current_organization_id()) and (select has_permission('events:read')));
create policy events_member_insert on events for insert to tollhouse_member
  with check (
    actor = (select current_actor())
    and (
      organization_id = (select current_organization_id())
      and case type
        when 'payment-link.created' then (select has_permission('payments:write'))
        when 'payment-link.updated' then (select has_permission('payments:write'))
        when 'payment-link.activated' then (select has_permission('payments:write'))
        when 'payment-link.paused' then (select has_permission('payments:write'))
        when 'payment-link.archived' then (select has_permission('payments:write'))
        when 'payment-link.deleted' then (select has_permission('payments:write'))
        when 'membership.updated' then (select has_permission('members:write'))
        when 'membership.removed' then (select has_permission('members:write'))
        when 'invitation.created' then (select has_permission('members:write'))
        when 'invitation.revoked' then (select has_permission('members:write'))
        when 'role.created' then (select has_permission('members:write'))
        when 'role.updated' then (select has_permission('members:write'))
        when 'role.deleted' then (select has_permission('members:write'))
        when 'api-key.created' then (select has_permission('keys:write'))
        when 'api-key.updated' then (select has_permission('keys:write'))
        when 'api-key.confirmed' then (select has_permission('keys:write'))
        when 'api-key.revoked' then (select has_permission('keys:write'))
      end
      or type in ('wallet.linked', 'wallet.unlinked', 'wallet.primary-changed', 'identity.linked', 'identity.unlinked')
      and organization_id in (select id from organizations)
      and (select current_user_id()) is not null
      or type in (
        'organization.updated', 'organization-settings.updated', 'store-configuration.updated',
        'domain.added', 'domain.verified', 'domain.primary-changed', 'domain.removed'
      )
      and organization_id = (select current_organization_id())
      and (select has_permission('organization:write'))
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
    and type in ('user.signed-up', 'organization.created', 'wallet.linked', 'identity.linked')
  );
create policy events_worker_select on events for select to tollhouse_worker
  using (organization_id = (select current_organization_id()));
create policy events_worker_insert on events for insert to tollhouse_worker
  with check (organization_id = (select current_organization_id()) and actor = 'worker');
create policy events_operator_select on events for select to tollhouse_operator using (true);
-- what an operator does to an organization is told in it
grant insert on events to tollhouse_operator;
create policy events_operator_insert on events for insert to tollhouse_operator
  with check (
    actor = 'operator:' || (select current_user_id())
    and type in (
      'organization.suspended', 'organization.restored', 'organization.impersonated',
      'organization.subscription-changed'
    )
  );
-- what becomes of a user is told in every organization that it is or was a member of
grant insert on events to tollhouse_doorkeeper;
create policy events_doorkeeper_insert on events for insert to tollhouse_doorkeeper
  with check (
    type in (
      'user.merged', 'user.deleted', 'organization.created', 'organization.deleted', 'organization.undeleted',
      'organization.purged', 'membership.added', 'membership.left', 'invitation.accepted', 'payment-order.canceled',
      'payment-order.claimed', 'payment-order.underpayment-accepted', 'payment-order.refund-changed',
      'unmatched-payment.received', 'unmatched-payment.assigned', 'unmatched-payment.refunded',
      'unmatched-payment.ignored', 'unmatched-payment.taken', 'unmatched-payment.reopened',
      'unmatched-payment.reversed', 'unmatched-payment.reinstated', 'payment-refund.requested',
      'payment-refund.addressed', 'payment-refund.sent', 'payment-refund.completed', 'payment-refund.reversed',
      'payment-refund.call-off-requested', 'payment-refund.canceled', 'provider-transaction.claimed',
      'provider-transaction.confirmed', 'provider-transaction.reversed', 'provider-transaction.voided'
    )
  );
-- the place of a fact is behind the last one of its aggregate
grant select (organization_id, aggregate_type, aggregate_id, aggregate_version) on events to tollhouse_doorkeeper;
create policy events_doorkeeper_select on events for select to tollhouse_doorkeeper using (true);
-- and who reads on goes by the places
grant select (id, epoch, transaction_id, position, type, tags) on events to tollhouse_doorkeeper;
-- and what a fact follows from says what both have in common
grant select (metadata) on events to tollhouse_doorkeeper;
-- whoever compares the tables with the log reads all of it
grant select on events to tollhouse_auditor;
create policy events_auditor_select on events for select to tollhouse_auditor using (true);

-- event_bookmarks: moved by the function alone
alter table event_bookmarks enable row level security;
alter table event_bookmarks force row level security;
grant select, insert on event_bookmarks to tollhouse_doorkeeper;
grant update (epoch, transaction_id, position) on event_bookmarks to tollhouse_doorkeeper;
create policy event_bookmarks_doorkeeper_select on event_bookmarks for select to tollhouse_doorkeeper using (true);
create policy event_bookmarks_doorkeeper_insert on event_bookmarks for insert to tollhouse_doorkeeper with check (true);
create policy event_bookmarks_doorkeeper_update on event_bookmarks for update to tollhouse_doorkeeper
  using (true) with check (true);

-- event_deliveries: made by the function, found by the worker wherever they are, done inside their organization, and
-- forgotten a week later
alter table event_deliveries enable row level security;
alter table event_deliveries force row level security;
grant insert on event_deliveries to tollhouse_doorkeeper;
create policy event_deliveries_doorkeeper_insert on event_deliveries for insert to tollhouse_doorkeeper with check (true);
grant select, delete on event_deliveries to tollhouse_worker;
grant update (attempts, error, due_at, processed_at) on event_deliveries to tollhouse_worker;
create policy event_deliveries_worker_select on event_deliveries for select to tollhouse_worker using (true);
create policy event_deliveries_worker_update on event_deliveries for update to tollhouse_worker
  using (organization_id = (select current_organization_id()) and processed_at is null)
  with check (organization_id = (select current_organization_id()));
create policy event_deliveries_worker_delete on event_deliveries for delete to tollhouse_worker
  using (processed_at < transaction_timestamp() - interval '7 days');
