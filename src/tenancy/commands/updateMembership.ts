import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import { changeOnce } from '../../idempotency/commands/changeOnce.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { membershipUpdated } from '../events.ts';
import { cleanMember, type MemberWords } from '../model.ts';
import { holdMember } from './holdMember.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';

/**
 * Changes a member's role, job title or department; what is absent stays. A built-in role takes a custom one away, and a
 * custom one makes its holder a MEMBER. Needs `members:write`, and whatever the role allows, before and after.
 * @param input.id the membership's; null when what was given names none
 * @throws MEMBER_UNKNOWN, ROLE_UNKNOWN, ROLE_ABOVE_YOURS, OWNER_REQUIRED, STEP_UP_REQUIRED
 */
export async function updateMembership(
  context: Context,
  input: MemberWords & { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly membershipId: string }>> {
  const { viewer } = context;
  assertPerson(viewer);
  const { id, idempotencyKey, ...given } = input;
  const words = cleanMember(given);
  if (id === null) throw tenancyErrors.MEMBER_UNKNOWN();
  const { organizationId, userId } = viewer;
  return changeOnce(context, {
    operation: 'updateMembership',
    id,
    variables: words,
    idempotencyKey,
    require: requireOrganizationStepUp,
    run: async (tx) => {
      const role = words.role ?? (words.roleId == null ? undefined : 'MEMBER');
      const { roleId } = words;
      const member = await holdMember(context, tx, { id, role, roleId });
      await saveMembership(tx, { organizationId, id, words: { ...words, role } });
      const fact = { organizationId, membershipId: id, userId: member.userId, byId: userId };
      const fields = Object.keys(words);
      await appendNextEvent(context, tx, membershipUpdated({ ...fact, fields, role, roleId: roleId ?? undefined }));
      return { membershipId: id };
    },
    replay: (membershipId) => ({ membershipId }),
  });
}

function saveMembership(
  tx: Transaction,
  { organizationId, id, words }: { readonly organizationId: string; readonly id: string; readonly words: MemberWords },
): Deed {
  const { role, roleId, jobTitle, department } = words;
  return tx.$executeRaw`
    /* updateMembership */
    update memberships
    set role = coalesce(${role ?? null}::membership_role, role),
        role_id = case
          when ${role !== undefined || roleId !== undefined}::boolean then ${roleId ?? null}::uuid
          else role_id
        end,
        job_title = case when ${jobTitle !== undefined}::boolean then ${jobTitle ?? null} else job_title end,
        department = case when ${department !== undefined}::boolean then ${department ?? null} else department end
    where organization_id = ${organizationId}::uuid and id = ${id}::uuid`;
}
