import type { Context } from '../../context.ts';
import { metadataOf } from '../../events/model.ts';
import { assertPerson } from '../../kernel/viewer.ts';

/**
 * Ends the viewer's own membership of the session's organization. It takes no key: whoever has left is no member, and
 * so is told that at the second time.
 * @returns the organization's id
 * @throws OWNER_REQUIRED
 */
export async function leaveOrganization(context: Context): Promise<{ readonly organizationId: string }> {
  const { scope, viewer } = context;
  assertPerson(viewer);
  await scope.write((tx) => [
    tx.$queryRaw`
      /* leaveOrganization */
      select from leave_organization(${JSON.stringify(metadataOf(context))}::jsonb)`,
  ]);
  return { organizationId: viewer.organizationId };
}
