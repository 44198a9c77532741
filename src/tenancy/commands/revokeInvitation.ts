import type { Context } from '../../context.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import { changeOnce } from '../../idempotency/commands/changeOnce.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { invitationRevoked } from '../events.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';

interface Found {
  readonly permitted: boolean;
  readonly acceptedAt: Date | null;
  readonly revokedAt: Date | null;
  readonly role: string | null;
  readonly id: string | null;
}

/**
 * Ends an invitation of the viewer's organization that nobody has accepted; one that was revoked before stays so. Needs
 * `members:write`.
 * @param input.id null when what was given names none
 * @throws FORBIDDEN, ROLE_ABOVE_YOURS, INVITATION_UNKNOWN, INVITATION_USED, STEP_UP_REQUIRED
 */
export async function revokeInvitation(
  context: Context,
  { id, idempotencyKey }: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly invitationId: string }>> {
  const { viewer } = context;
  assertPerson(viewer);
  if (id === null) throw tenancyErrors.INVITATION_UNKNOWN();
  const { organizationId, userId } = viewer;
  return changeOnce(context, {
    operation: 'revokeInvitation',
    id,
    idempotencyKey,
    require: requireOrganizationStepUp,
    run: async (tx) => {
      const ended = await tx.$executeRaw`
        /* revokeInvitation */
        update invitations
        set revoked_at = clock_timestamp()
        where organization_id = ${organizationId}::uuid and id = ${id}::uuid`;
      if (ended > 0) {
        const fact = { organizationId, userId, invitationId: id };
        await appendNextEvent(context, tx, invitationRevoked(fact));
        return { invitationId: id };
      }
      const [found] = await tx.$queryRaw<Found[]>`
        /* whyNotRevoked */
        select
          has_permission('members:write') as permitted,
          i.id,
          coalesce(r.name, i.role::text) as role,
          i.accepted_at as "acceptedAt",
          i.revoked_at as "revokedAt"
        from (select) as asked
        left join invitations i on i.organization_id = ${organizationId}::uuid and i.id = ${id}::uuid
        left join roles r on r.organization_id = i.organization_id and r.id = i.role_id`;
      if (!found?.permitted) throw kernelErrors.FORBIDDEN({ permission: 'members:write' });
      if (found.id === null) throw tenancyErrors.INVITATION_UNKNOWN();
      if (found.acceptedAt !== null) throw tenancyErrors.INVITATION_USED();
      if (found.revokedAt === null && found.role !== null) throw tenancyErrors.ROLE_ABOVE_YOURS({ role: found.role });
      return { invitationId: id };
    },
    replay: (invitationId) => ({ invitationId }),
  });
}
