import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import { describeFault } from '../../graphql/errors.ts';
import { identityErrors } from '../../identity/errors.ts';
import type { Role } from '../../kernel/permissions.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { invitationRevoked } from '../events.ts';
import { writeInvitationMail } from './writeInvitationMail.ts';

/** When trying again makes sense after a mail was not sent, in seconds. */
const RETRY_AFTER = 10;

/**
 * Sends the token of an invitation that was just stored, and notes that it went. The invitation is revoked when the mail
 * cannot be handed over.
 * @throws MAIL_UNAVAILABLE
 */
export async function sendInvitation(
  context: Context,
  sent: { readonly invitationId: string; readonly email: string; readonly token: string; readonly role: Role },
): Promise<void> {
  const { scope, viewer, mailSender, log, requestId } = context;
  assertPerson(viewer);
  const { organizationId, userId } = viewer;
  try {
    const [organization, inviter, invitation] = await Promise.all([
      scope.db.organization.findUniqueOrThrow({ where: { id: organizationId }, select: { name: true } }),
      scope.db.user.findUniqueOrThrow({ where: { id: userId }, select: { displayName: true } }),
      scope.db.invitation.findUniqueOrThrow({
        where: { organizationId_id: { organizationId, id: sent.invitationId } },
        select: { customRole: { select: { name: true } } },
      }),
    ]);
    await mailSender?.send(
      writeInvitationMail(context, {
        ...sent,
        customRoleName: invitation.customRole?.name ?? null,
        organizationName: organization.name,
        inviterName: inviter.displayName,
      }),
    );
  } catch (cause) {
    log.error({ err: describeFault(cause), requestId }, 'a mail could not be handed over');
    const { invitationId } = sent;
    await scope.write((tx) => [
      endInvitation(tx, { organizationId, invitationId }),
      appendNextEvent(context, tx, invitationRevoked({ organizationId, userId, invitationId })),
    ]);
    throw identityErrors.MAIL_UNAVAILABLE({}, { retryAfter: RETRY_AFTER });
  }
  await scope
    .write((tx) => [
      tx.$executeRaw`
        /* noteSent */
        update invitations
        set sent_at = clock_timestamp()
        where organization_id = ${organizationId}::uuid and id = ${sent.invitationId}::uuid`,
    ])
    // the mail has gone; whoever repeats the key is sent another one
    .catch((cause: unknown) => log.error({ err: describeFault(cause), requestId }, 'a mail went, and it is not noted'));
}

function endInvitation(
  tx: Transaction,
  { organizationId, invitationId }: { readonly organizationId: string; readonly invitationId: string },
): Deed {
  return tx.$executeRaw`
    /* endInvitation */
    update invitations
    set revoked_at = clock_timestamp()
    where organization_id = ${organizationId}::uuid and id = ${invitationId}::uuid`;
}
