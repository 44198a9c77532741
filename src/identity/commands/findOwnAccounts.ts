import type { Reader } from '../../database/scope.ts';
import type { ProvedWallet } from '../model.ts';

/** What somebody is known by elsewhere. */
export type Account = Pick<ProvedWallet, 'issuer' | 'subject'>;

/** An identity of the user's, among those that were proved. */
export interface OwnAccount extends Account {
  readonly id: string;
  readonly kind: string;
}

/** Which of these are the signed-in user's, the first linked first. */
export async function findOwnAccounts(
  tx: Pick<Reader, '$queryRaw'>,
  accounts: readonly Account[],
): Promise<readonly OwnAccount[]> {
  const named = JSON.stringify(accounts.map(({ issuer, subject }) => ({ issuer, subject })));
  return tx.$queryRaw<OwnAccount[]>`
    /* findOwnAccounts */
    select i.id, i.kind, i.issuer, i.subject
    from identities i
    join jsonb_to_recordset(${named}::jsonb) as a (issuer text, subject text) using (issuer, subject)
    where i.user_id = (select current_user_id())
    order by i.created_at, i.id`;
}
