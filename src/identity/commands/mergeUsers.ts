import type { Context } from '../../context.ts';
import { metadataOf } from '../../events/model.ts';
import { sha256 } from '../../kernel/digest.ts';
import { identityErrors } from '../errors.ts';
import { requireFreshProof } from './requireFreshProof.ts';

/**
 * Makes one user of the signed-in one and the one that the ticket is for: the older is left. A member cannot see what is
 * the other's, and so the database does all of it, in one function. Every session of either ends.
 * @returns who is left
 * @throws STEP_UP_REQUIRED, MERGE_TICKET_INVALID, MERGE_REFUSED; TOO_MANY_IDENTITIES when both have more than one may
 */
export async function mergeUsers(
  context: Context,
  { mergeTicket }: { readonly mergeTicket: string },
): Promise<{ readonly userId: string }> {
  const { scope, cookies } = context;
  await requireFreshProof(context, scope.db);
  const [[merged]] = await scope.write((tx) => [
    tx.$queryRaw<{ survivorId: string; allowed: boolean }[]>`
      /* mergeUsers */
      select survivor_id as "survivorId", allowed
      from merge_users(${sha256(mergeTicket)}::bytea, ${JSON.stringify(metadataOf(context))}::jsonb)`,
  ]);
  if (!merged) throw identityErrors.MERGE_TICKET_INVALID();
  if (!merged.allowed) throw identityErrors.MERGE_REFUSED();
  context.become(null);
  if (cookies.present) cookies.clear();
  return { userId: merged.survivorId };
}
