import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { membershipUpdated } from '../events.ts';
import { cleanMember, type MemberWords } from '../model.ts';
import { holdMember } from './holdMember.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';

/**
 * Changes a member's role, job title or department; what is absent stays. Needs `members:write`, and whatever the role
 * allows, before and after.
 * @param input.id the membership's; null when what was given names none
 * @throws MEMBER_UNKNOWN, ROLE_ABOVE_YOURS, OWNER_REQUIRED, STEP_UP_REQUIRED
 */
export async function updateMembership(
  context: Context,
  input: MemberWords & { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly membershipId: string }>> {
  const { scope, viewer } = context;
  assertPerson(viewer);
  const { id, idempotencyKey, ...given } = input;
  const words = cleanMember(given);
  if (id === null) throw tenancyErrors.MEMBER_UNKNOWN();
  const { organizationId, userId } = viewer;
  const keyed = {
    given: idempotencyKey,
    organizationId,
    principal: `user:${userId}`,
    operation: 'updateMembership',
    variables: { id, ...words },
    resultId: id,
  };
  return once(
    scope,
    keyed,
    (record) =>
      scope.transaction(async (tx) => {
        await requireOrganizationStepUp(tx);
        for (const deed of record(tx)) await deed;
        const role = words.role ?? undefined;
        const member = await holdMember(context, tx, { id, role });
        await saveMembership(tx, { organizationId, id, words });
        const fact = { organizationId, membershipId: id, userId: member.userId, byId: userId };
        await appendNextEvent(context, tx, membershipUpdated({ ...fact, fields: Object.keys(words), role }));
        return { membershipId: id };
      }),
    async (membershipId) => ({ membershipId }),
  );
}

function saveMembership(
  tx: Transaction,
  { organizationId, id, words }: { readonly organizationId: string; readonly id: string; readonly words: MemberWords },
): Deed {
  const { role, jobTitle, department } = words;
  return tx.$executeRaw`
    /* updateMembership */
    update memberships
    set role = coalesce(${role ?? null}::membership_role, role),
        job_title = case when ${jobTitle !== undefined}::boolean then ${jobTitle ?? null} else job_title end,
        department = case when ${department !== undefined}::boolean then ${department ?? null} else department end
    where organization_id = ${organizationId}::uuid and id = ${id}::uuid`;
}
