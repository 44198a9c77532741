import type { Context } from '../../context.ts';
import type { Role } from '../../kernel/permissions.ts';
import { assertPerson } from '../../kernel/viewer.ts';

/** An invitation as whoever is invited sees it. */
export interface OwnInvitation {
  readonly id: string;
  readonly organizationName: string;
  readonly role: Role;
  readonly customRoleName: string | null;
  readonly inviterName: string;
  readonly expiresAt: Date;
}

/** What wallets of the viewer's are invited to and can accept, the newest first; a hundred at most. */
export async function listOwnInvitations({ scope, viewer }: Context): Promise<readonly OwnInvitation[]> {
  assertPerson(viewer);
  return scope.db.$queryRaw<OwnInvitation[]>`
    /* listOwnInvitations */
    select
      id, organization_name as "organizationName", role, custom_role_name as "customRoleName",
      inviter_name as "inviterName", expires_at as "expiresAt"
    from own_invitations()`;
}
