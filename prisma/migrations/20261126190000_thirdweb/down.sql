alter policy identities_member_insert on identities
  with check (
    user_id = (select current_user_id())
    and issuer = (select current_setting('app.identity_issuer', true))
    and subject = (select current_setting('app.identity_subject', true))
  );
alter policy identities_identity_insert on identities
  with check (
    user_id = (select current_user_id())
    and issuer = (select current_setting('app.identity_issuer', true))
    and subject = (select current_setting('app.identity_subject', true))
  );
