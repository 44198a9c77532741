-- The door for public values: an exact match and nothing else.
grant execute on function resolve_handle(text, bytea) to tollhouse_gateway;

-- organizations: a member sees the active one and the others it belongs to, a payer sees the name
alter table organizations enable row level security;
alter table organizations force row level security;
grant select on organizations to tollhouse_member, tollhouse_operator, tollhouse_doorkeeper;
grant select (id, name) on organizations to tollhouse_public;
grant select, insert on organizations to tollhouse_identity;
create policy organizations_member_select on organizations for select to tollhouse_member
  using (
    deleted_at is null
    and (
      id = (select current_organization_id())
      or exists (
        select from memberships m
        where m.organization_id = organizations.id
          and m.user_id = (select current_user_id())
          and m.status = 'ACTIVE'
      )
    )
  );
create policy organizations_public_select on organizations for select to tollhouse_public
  using (id = (select current_organization_id()) and deleted_at is null);
create policy organizations_identity_select on organizations for select to tollhouse_identity
  using (
    deleted_at is null
    and exists (
      select from memberships m
      where m.organization_id = organizations.id
        and m.user_id = (select current_user_id())
        and m.status = 'ACTIVE'
    )
  );
create policy organizations_identity_insert on organizations for insert to tollhouse_identity
  with check (id = (select current_organization_id()));
create policy organizations_operator_select on organizations for select to tollhouse_operator using (true);
create policy organizations_doorkeeper_select on organizations for select to tollhouse_doorkeeper using (true);

-- memberships: a member sees those of the active organization and its own, and adds some if it may; only who may
-- write the organization makes owners; signing up makes the first one
alter table memberships enable row level security;
alter table memberships force row level security;
grant select on memberships to tollhouse_operator, tollhouse_doorkeeper;
grant select, insert on memberships to tollhouse_member, tollhouse_identity;
create policy memberships_member_select on memberships for select to tollhouse_member
  using (organization_id = (select current_organization_id()) or user_id = (select current_user_id()));
create policy memberships_member_insert on memberships for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and (select has_permission('members:write'))
    and (role <> 'OWNER' or (select has_permission('organization:write')))
  );
create policy memberships_identity_select on memberships for select to tollhouse_identity
  using (user_id = (select current_user_id()));
create policy memberships_identity_insert on memberships for insert to tollhouse_identity
  with check (
    organization_id = (select current_organization_id()) and user_id = (select current_user_id()) and role = 'OWNER'
  );
create policy memberships_operator_select on memberships for select to tollhouse_operator using (true);
create policy memberships_doorkeeper_select on memberships for select to tollhouse_doorkeeper using (true);

-- handles: added beside what they name, looked up through resolve_handle alone
alter table handles enable row level security;
alter table handles force row level security;
grant select on handles to tollhouse_doorkeeper;
grant insert on handles to tollhouse_member, tollhouse_public;
create policy handles_member_insert on handles for insert to tollhouse_member
  with check (
    organization_id = (select current_organization_id())
    and kind = 'payment-link'
    and (select has_permission('payments:write'))
  );
-- That the order is one of this link's is not asked: who made an order does not see it before it comes back with the
-- token. A handle of another order of the tenant needs that order's id, which the public is never shown.
create policy handles_public_insert on handles for insert to tollhouse_public
  with check (organization_id = (select current_organization_id()) and kind = 'payment-order');
create policy handles_doorkeeper_select on handles for select to tollhouse_doorkeeper using (true);
