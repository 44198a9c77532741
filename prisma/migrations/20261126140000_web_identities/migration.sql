-- What proves a user besides a wallet: an e-mail address, a telephone number, an account elsewhere. Each is keyed by who
-- vouches for it and the name that it has there; an address or a number is what it says, not what it is found by.

-- a new type, since a value that is added to the old one cannot be used before the transaction ends
alter table identities drop constraint identities_wallet_check;
alter type identity_kind rename to identity_kind_before;
create type identity_kind as enum ('WALLET', 'EMAIL', 'PHONE', 'SOCIAL');
alter table identities alter column kind type identity_kind using kind::text::identity_kind;
drop type identity_kind_before;

alter table identities
  add constraint identities_wallet_check check (
    (kind = 'WALLET') = (address is not null and wallet_kind is not null and wallet_source is not null)
  ),
  add column email text,
  add column email_verified boolean not null default false,
  add column phone text,
  add column controlled_by_id uuid,
  add constraint identities_email_check check (email ~ '^[^\s@]+@[^\s@]+$' and char_length(email) <= 254),
  add constraint identities_phone_check check (phone ~ '^\+[0-9]{5,15}$'),
  add constraint identities_kind_check check (
    case kind
      when 'WALLET' then email is null and phone is null
      when 'EMAIL' then email is not null
      when 'PHONE' then phone is not null
      else true
    end
    and (email is not null or not email_verified)
    and (kind = 'WALLET' or address is null and chain_id is null and controlled_by_id is null and not is_primary)
  ),
  add constraint identities_controlled_by_id_check check (controlled_by_id <> id),
  add constraint identities_id_user_id_key unique (id, user_id),
  -- what controls it is the same user's; both can be moved to another user by one statement
  add constraint identities_controlled_by_id_user_id_fkey foreign key (controlled_by_id, user_id)
    references identities (id, user_id) on update no action on delete set null (controlled_by_id);
create index identities_controlled_by_id_user_id_idx on identities (controlled_by_id, user_id);
create index identities_user_id_created_at_id_idx on identities (user_id, created_at, id);
drop index identities_user_id_idx;

-- the law: the scene's user adds what was proved in this request, once and for all
grant insert (email, email_verified, phone, controlled_by_id) on identities to tollhouse_member;
