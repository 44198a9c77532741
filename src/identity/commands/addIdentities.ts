import type { Deed, Transaction } from '../../database/scope.ts';
import { newId } from '../../kernel/ids.ts';
import type { ProvedIdentity, ProvedWallet } from '../model.ts';

/**
 * Adds what was proved together with a wallet to the wallet's user, in a scene that carries all of it and whose session
 * has begun. What somebody has already stays theirs; contracts obey the wallet. Always in one order, so that two who add
 * the same wait for each other and not in a circle.
 * @param beside all of it, or some
 * @returns how many are the user's by this; which they are is not seen while signing in
 */
export function addIdentities(
  tx: Transaction,
  { issuer, subject }: Pick<ProvedWallet, 'issuer' | 'subject'>,
  beside: readonly (ProvedIdentity & { readonly id?: string })[],
): Deed<number> {
  // no key is named for the conflict: naming one asks that the rows be seen, and signing in sees one account alone
  const rows = beside.map((identity) => ({ id: newId(), ...identity }));
  return tx.$executeRaw`
    /* addIdentities */
    insert into identities (
      id, user_id, kind, issuer, subject, address, chain_id, wallet_kind, wallet_source, is_primary,
      email, email_verified, phone, controlled_by_id
    )
    select
      b.id, w.user_id, b.kind, b.issuer, b.subject, b.address, b."chainId",
      case when b.kind = 'WALLET' then 'CONTRACT'::wallet_kind end,
      case when b.kind = 'WALLET' then 'THIRDWEB_SMART'::wallet_source end,
      false, b.email, b."emailVerified", b.phone, case when b.kind = 'WALLET' then w.id end
    from identities w
    cross join jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as b (
      id uuid, kind identity_kind, issuer text, subject text, address text, "chainId" bigint,
      email text, "emailVerified" boolean, phone text
    )
    where w.issuer = ${issuer}
      and w.subject = ${subject}
      and w.user_id = (select current_user_id())
      and exists (select from sessions s where s.id = (select current_session_id()))
    order by b.issuer collate "C", b.subject collate "C"
    on conflict do nothing`;
}
