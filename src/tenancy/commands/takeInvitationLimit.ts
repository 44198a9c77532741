import type { Context } from '../../context.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import type { Invited } from './cleanInvited.ts';

/** Of one organization, to whoever is invited: a mailbox is nobody's to be filled. */
const TO_ONE_PER_HOUR = 5;
const HOUR_SECONDS = 3_600;

/**
 * Counts one more invitation of the viewer's organization, whatever becomes of it, and one more to the same wallet or
 * e-mail address.
 * @throws RATE_LIMITED with the seconds until the next is allowed
 */
export async function takeInvitationLimit(context: Context, { email, address }: Invited): Promise<void> {
  const { viewer, environment } = context;
  assertPerson(viewer);
  if (environment.TOLLHOUSE_UNSAFE_NO_RATE_LIMITS) return;
  const allowed = environment.LIMIT_INVITATIONS_PER_ORGANIZATION_PER_HOUR;
  const all = sha256(`invitations organization ${viewer.organizationId}`);
  const same = sha256(`invitations organization ${viewer.organizationId} to ${email ?? address}`);
  // counting is of those who have no organization yet, and a member could count for other people
  const [[row]] = await context.identityScope({}).write((tx) => [
    tx.$queryRaw<[{ wait: number }]>`
      /* takeInvitationLimit */
      select greatest(
        take_rate_limit(${all}::bytea, ${allowed}::int, ${HOUR_SECONDS}::int),
        take_rate_limit(${same}::bytea, ${TO_ONE_PER_HOUR}::int, ${HOUR_SECONDS}::int)
      ) as wait`,
  ]);
  if (row.wait > 0) throw kernelErrors.RATE_LIMITED({ seconds: row.wait }, { retryAfter: row.wait });
}
