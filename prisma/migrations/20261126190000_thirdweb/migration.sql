-- A scene may carry further accounts beside the one that it names: those that were proved together with it. They can be
-- added to its user, and no others; nobody is seen or found by them.
alter policy identities_member_insert on identities
  with check (
    user_id = (select current_user_id())
    and nullif((select current_setting('app.identities', true)), '')::jsonb
      @> jsonb_build_array(jsonb_build_object('issuer', issuer, 'subject', subject))
  );
alter policy identities_identity_insert on identities
  with check (
    user_id = (select current_user_id())
    and nullif((select current_setting('app.identities', true)), '')::jsonb
      @> jsonb_build_array(jsonb_build_object('issuer', issuer, 'subject', subject))
  );
