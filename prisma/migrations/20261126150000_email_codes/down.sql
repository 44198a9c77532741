alter policy events_member_insert on events
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

drop function
  use_email_code(uuid), try_email_code(text, integer), take_back_email_code(uuid),
  give_email_code(text, bytea, integer, integer);
drop table email_codes;
