import type { Context } from '../../context.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import { changeOnce } from '../../idempotency/commands/changeOnce.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { memberRemoved } from '../events.ts';
import { holdMember } from './holdMember.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';

/**
 * Ends somebody's membership of the viewer's organization: their next statement there finds them no member. Needs
 * `members:write`, and whatever their role allows.
 * @param input.id the membership's; null when what was given names none
 * @throws MEMBER_UNKNOWN, ROLE_ABOVE_YOURS, OWNER_REQUIRED, STEP_UP_REQUIRED
 */
export async function removeMember(
  context: Context,
  { id, idempotencyKey }: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly membershipId: string }>> {
  const { viewer } = context;
  assertPerson(viewer);
  if (id === null) throw tenancyErrors.MEMBER_UNKNOWN();
  const { organizationId, userId } = viewer;
  return changeOnce(context, {
    operation: 'removeMember',
    id,
    idempotencyKey,
    require: requireOrganizationStepUp,
    run: async (tx) => {
      const member = await holdMember(context, tx, { id });
      // who is the viewer leaves by leaving: the answer to this could not be read any more
      if (member.userId === userId) throw kernelErrors.BAD_USER_INPUT({ field: 'id', expected: 'another member' });
      await tx.$executeRaw`
        /* removeMember */
        update memberships set status = 'REMOVED'
        where organization_id = ${organizationId}::uuid and id = ${id}::uuid`;
      const fact = { organizationId, membershipId: id, userId: member.userId, byId: userId };
      await appendNextEvent(context, tx, memberRemoved(fact));
      return { membershipId: id };
    },
    replay: (membershipId) => ({ membershipId }),
  });
}
