drop trigger payment_links_refuse_gone_creators on payment_links;
drop trigger organization_domains_limit on organization_domains;
drop trigger identities_limit on identities;
drop function refuse_gone_creators(), limit_domains(), limit_identities();
