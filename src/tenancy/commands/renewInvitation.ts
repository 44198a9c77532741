import type { Context } from '../../context.ts';
import { idempotencyErrors } from '../../idempotency/errors.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { assertPerson } from '../../kernel/viewer.ts';

/** As long as handing a mail over may take; whoever does it is waited for. */
const UNDER_WAY_SECONDS = 60;
const RETRY_AFTER = 5;

interface Standing {
  readonly isUnsent: boolean;
  readonly isUnderWay: boolean;
}

/**
 * Gives an invitation of the viewer's another token, if it waits to be accepted and its mail is not known to have gone;
 * the token before is nobody's then. Of many at one instant one does it.
 * @returns whether the mail is to be sent, with that token
 * @throws IDEMPOTENCY_IN_PROGRESS while somebody sends it; FORBIDDEN to who may not invite any more; STEP_UP_REQUIRED
 */
export async function renewInvitation(
  { scope, viewer }: Pick<Context, 'scope' | 'viewer'>,
  { invitationId, token }: { readonly invitationId: string; readonly token: string },
): Promise<boolean> {
  assertPerson(viewer);
  const { organizationId, userId } = viewer;
  const standing = await scope.db.$queryRaw<Partial<Standing>[]>`
    /* isInvitationSent */
    select
      sent_at is null as "isUnsent",
      updated_at > clock_timestamp() - make_interval(secs => ${UNDER_WAY_SECONDS}::int) as "isUnderWay"
    from invitations
    where organization_id = ${organizationId}::uuid and id = ${invitationId}::uuid
      and revoked_at is null and accepted_at is null and expires_at > clock_timestamp()`;
  const [{ isUnsent = false, isUnderWay = false } = {}] = standing;
  if (!isUnsent) return false;
  if (isUnderWay) throw idempotencyErrors.IDEMPOTENCY_IN_PROGRESS({}, { retryAfter: RETRY_AFTER });
  const [renewed, [may]] = await scope.write((tx) => [
    tx.$executeRaw`
      /* renewInvitation */
      update invitations
      set token_hash = ${sha256(token)}::bytea
      where organization_id = ${organizationId}::uuid and id = ${invitationId}::uuid
        and invited_by_id = ${userId}::uuid and sent_at is null
        and updated_at <= clock_timestamp() - make_interval(secs => ${UNDER_WAY_SECONDS}::int)`,
    tx.$queryRaw<[{ permitted: boolean }]>`/* mayInvite */ select has_permission('members:write') as permitted`,
  ]);
  if (renewed > 0) return true;
  if (!may.permitted) throw kernelErrors.FORBIDDEN({ permission: 'members:write' });
  throw idempotencyErrors.IDEMPOTENCY_IN_PROGRESS({}, { retryAfter: RETRY_AFTER });
}
