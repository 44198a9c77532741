alter policy organizations_identity_select on organizations
  using (
    deleted_at is null
    and exists (
      select from memberships m
      where m.organization_id = organizations.id and m.user_id = (select current_user_id())
    )
  );
