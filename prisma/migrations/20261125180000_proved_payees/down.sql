alter policy payment_link_accepts_member_insert on payment_link_accepts
  with check (
    organization_id = (select current_organization_id()) and (select has_permission('payments:write'))
  );
