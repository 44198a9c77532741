import { randomBytes } from 'node:crypto';
import type { Context } from '../../context.ts';
import { sha256 } from '../../kernel/digest.ts';
import { identityErrors } from '../errors.ts';
import { MERGE_TICKET_SECONDS } from '../model.ts';

/**
 * Refuses to link a wallet that another user has, and gives the signed-in user, who has just proved it, a ticket to
 * merge with them. To be asked once what was to link it is over and done: the ticket must not be undone with it.
 * @param wallet what was proved in this very request; of anything that is no wallet the database gives no ticket
 * @throws IDENTITY_LINKED_TO_OTHER_USER, always; with `mergeTicket` and `expiresAt`, and nothing of the other user
 */
export async function refuseLinked(
  context: Context,
  wallet: { readonly issuer: string; readonly subject: string },
): Promise<never> {
  const mergeTicket = `th_mt_${randomBytes(32).toString('base64url')}`;
  const [[given]] = await context.provedScope(wallet).write((tx) => [
    tx.$queryRaw<{ expiresAt: Date | null }[]>`
      /* giveMergeTicket */
      select give_merge_ticket(${sha256(mergeTicket)}::bytea, ${MERGE_TICKET_SECONDS}::int) as "expiresAt"`,
  ]);
  const expiresAt = given?.expiresAt ?? null;
  // Unlinked at this very instant: there is nobody left to merge with.
  if (expiresAt === null) throw identityErrors.IDENTITY_LINKED_TO_OTHER_USER();
  throw identityErrors.IDENTITY_LINKED_TO_OTHER_USER({ mergeTicket, expiresAt: expiresAt.toISOString() });
}
