import { kernelErrors } from '../../kernel/errors.ts';
import type { Role } from '../../kernel/permissions.ts';
import { assertRoles } from '../model.ts';

/** What somebody is invited to: a built-in role, or a custom one, whose holders are MEMBER besides. */
export interface InvitedRole {
  readonly role: Role;
  readonly roleId: string | null;
}

/**
 * Exactly one of the two, but that MEMBER may stand beside a custom role.
 * @throws BAD_USER_INPUT
 */
export function cleanInvitedRole({
  role,
  roleId,
}: {
  readonly role?: Role | null | undefined;
  readonly roleId?: string | null | undefined;
}): InvitedRole {
  if (role == null && roleId == null) {
    throw kernelErrors.BAD_USER_INPUT({ field: 'input', expected: 'either `role` or `roleId`' });
  }
  assertRoles({ role, roleId });
  return { role: role ?? 'MEMBER', roleId: roleId ?? null };
}
