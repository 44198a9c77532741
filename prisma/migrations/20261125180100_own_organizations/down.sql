alter policy organizations_member_select on organizations
  using (id = (select current_organization_id()) and deleted_at is null);
