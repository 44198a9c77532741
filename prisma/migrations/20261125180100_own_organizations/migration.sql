-- Who is signed in sees which organizations they belong to, by name, and not only the one that the session works in.

alter policy organizations_member_select on organizations
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
