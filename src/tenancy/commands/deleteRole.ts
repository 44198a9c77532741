import type { Context } from '../../context.ts';
import { isStillPointedAt } from '../../database/errors.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import { changeOnce } from '../../idempotency/commands/changeOnce.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { roleDeleted } from '../events.ts';
import { holdRole } from './holdRole.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';

/**
 * Deletes a custom role that nobody has and nobody is invited to. Needs `members:write`, and whatever the role allows.
 * @param input.id null when what was given names none
 * @throws FORBIDDEN, ROLE_UNKNOWN, ROLE_ABOVE_YOURS, ROLE_IN_USE, CONFLICT, STEP_UP_REQUIRED
 */
export async function deleteRole(
  context: Context,
  { id, idempotencyKey }: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly roleId: string }>> {
  const { viewer } = context;
  assertPerson(viewer);
  if (id === null) throw tenancyErrors.ROLE_UNKNOWN();
  const { organizationId, userId } = viewer;
  return changeOnce(context, {
    operation: 'deleteRole',
    id,
    idempotencyKey,
    require: requireOrganizationStepUp,
    run: async (tx) => {
      const { name, members, invitations } = await holdRole(context, tx, id);
      if (members + invitations > 0) throw tenancyErrors.ROLE_IN_USE({ members, invitations });
      await tx.$executeRaw`
        /* deleteRole */
        delete from roles where organization_id = ${organizationId}::uuid and id = ${id}::uuid`;
      await appendNextEvent(context, tx, roleDeleted({ organizationId, userId, roleId: id, name }));
      return { roleId: id };
    },
    replay: (roleId) => ({ roleId }),
  }).catch((error: unknown) => {
    // somebody was invited to it at the same moment
    if (isStillPointedAt(error)) throw tenancyErrors.ROLE_IN_USE();
    throw error;
  });
}
