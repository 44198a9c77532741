import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import type { Invited } from './cleanInvited.ts';

/** Of one organization, to whoever is invited: a mailbox is nobody's to be filled. */
const TO_ONE_PER_HOUR = 5;

/**
 * Counts one more invitation of the viewer's organization, and one more to the same wallet or e-mail address, if the
 * transaction that it stands in is committed.
 * @throws RATE_LIMITED with the seconds until the next is allowed
 */
export async function takeInvitationLimit(
  { environment }: Pick<Context, 'environment'>,
  tx: Pick<Transaction, '$queryRaw'>,
  { email, address }: Invited,
): Promise<void> {
  if (environment.TOLLHOUSE_UNSAFE_NO_RATE_LIMITS) return;
  const allowed = environment.LIMIT_INVITATIONS_PER_ORGANIZATION_PER_HOUR;
  await tx.$queryRaw`
    /* takeInvitationLimit */
    select from take_invitation_limit(${email ?? address}, ${allowed}::int, ${TO_ONE_PER_HOUR}::int)`;
}
