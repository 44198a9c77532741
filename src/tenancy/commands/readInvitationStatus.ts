import type { Context } from '../../context.ts';
import { type InvitationStatus, invitationStatus } from './invitationStatus.ts';

/** What has become of an invitation that the viewer sees; one that has gone since can be accepted no more. */
export async function readInvitationStatus(
  { scope }: Pick<Context, 'scope'>,
  { organizationId, id }: { readonly organizationId: string; readonly id: string },
): Promise<InvitationStatus> {
  const [found] = await scope.db.$queryRaw<{ status: InvitationStatus }[]>`
    /* readInvitationStatus */
    select ${invitationStatus()} as status
    from invitations i
    where i.organization_id = ${organizationId}::uuid and i.id = ${id}::uuid`;
  return found?.status ?? 'EXPIRED';
}
