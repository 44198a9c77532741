revoke insert (email, email_verified, phone, controlled_by_id) on identities from tollhouse_member;

create index identities_user_id_idx on identities (user_id);
drop index identities_user_id_created_at_id_idx;

-- what is no wallet cannot be told any more
alter table identities no force row level security;
delete from identities where kind <> 'WALLET';
alter table identities force row level security;
alter table identities
  drop constraint identities_controlled_by_id_user_id_fkey,
  drop constraint identities_id_user_id_key,
  drop constraint identities_controlled_by_id_check,
  drop constraint identities_kind_check,
  drop constraint identities_phone_check,
  drop constraint identities_email_check,
  drop column controlled_by_id,
  drop column phone,
  drop column email_verified,
  drop column email;

alter table identities drop constraint identities_wallet_check;
alter type identity_kind rename to identity_kind_after;
create type identity_kind as enum ('WALLET');
alter table identities alter column kind type identity_kind using kind::text::identity_kind;
drop type identity_kind_after;
alter table identities add constraint identities_wallet_check check (
  (kind = 'WALLET') = (address is not null and wallet_kind is not null and wallet_source is not null)
);
