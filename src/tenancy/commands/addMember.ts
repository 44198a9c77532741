import type { Context } from '../../context.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { memberAdded } from '../events.ts';

/** Makes a user a member of the viewer's organization at once. Only who may write members can, and only owners make owners. */
export async function addMember(
  context: Context,
  input: { readonly userId: string; readonly role: 'OWNER' | 'ADMIN' | 'MEMBER' },
): Promise<void> {
  const { viewer } = context;
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const { organizationId } = viewer;
  const { userId, role } = input;
  const membershipId = newId();
  await context.scope.transaction(async (tx) => {
    await tx.$executeRaw`
      /* addMember */
      insert into memberships (organization_id, id, user_id, role, joined_at)
      values (
        ${organizationId}::uuid, ${membershipId}::uuid, ${userId}::uuid, ${role}::membership_role, clock_timestamp()
      )`;
    await appendEvent(
      context,
      tx,
      memberAdded({ organizationId, membershipId, userId, role, addedById: viewer.userId }),
    );
  });
}
