import type { Transaction } from '../../database/scope.ts';
import { sha256 } from '../../kernel/digest.ts';
import { identityErrors } from '../errors.ts';

/**
 * Lets only a stranger pass who is invited: by an account that the scene has just proved, or by a token, with which from
 * then on nobody else can sign up.
 * @throws SIGN_UP_CLOSED, whatever is wrong with the invitation
 */
export async function requireInvitation(tx: Pick<Transaction, '$queryRaw'>, token: string | null): Promise<void> {
  const hash = token === null ? null : sha256(token.trim());
  const [claimed] = await tx.$queryRaw<{ invited: boolean }[]>`
    /* claimInvitation */
    select claim_invitation(${hash}::bytea) as invited`;
  if (!claimed?.invited) throw identityErrors.SIGN_UP_CLOSED();
}
