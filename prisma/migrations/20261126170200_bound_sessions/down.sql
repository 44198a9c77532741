drop policy organization_domains_doorkeeper_select on organization_domains;
revoke select on organization_domains from tollhouse_doorkeeper;

drop trigger organization_domains_end_sessions on organization_domains;
drop trigger sessions_check_binding on sessions;
drop trigger users_refuse_bound on users;
drop trigger identities_refuse_bound on identities;
drop function end_sessions_of_domain(), check_session_binding(), refuse_bound_session();

-- without the column they would be good for everything
alter table sessions no force row level security;
update sessions set ended_at = clock_timestamp(), end_reason = 'domain removed'
where domain_id is not null and ended_at is null;
alter table sessions force row level security;
alter table sessions drop column domain_id;
