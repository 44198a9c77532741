import type { Context } from '../../context.ts';
import { databaseErrors } from '../../database/errors.ts';
import type { Transaction } from '../../database/scope.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import type { Role } from '../../kernel/permissions.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';

/** An active member of the viewer's organization, as it is now. */
export interface HeldMember {
  readonly userId: string;
  readonly role: Role;
}

interface Found {
  readonly permitted: boolean;
  readonly isAsBefore: boolean;
  readonly mayGive: boolean;
  readonly member: (HeldMember & { readonly mayBeChanged: boolean }) | null;
}

/**
 * Makes whoever changes the organization's members wait for each other until the transaction ends, for whoever may
 * change this one.
 * @param input.id the membership's; null when what was given names none
 * @param input.role what it is to be; absent when that stays
 * @returns that member
 * @throws FORBIDDEN, MEMBER_UNKNOWN, ROLE_ABOVE_YOURS, CONFLICT
 */
export async function holdMember(
  { viewer }: Context,
  tx: Pick<Transaction, '$queryRaw'>,
  { id, role }: { readonly id: string | null; readonly role?: Role | undefined },
): Promise<HeldMember> {
  assertPerson(viewer);
  const { organizationId, userId } = viewer;
  // the lock of merging and deleting users, which decide about owners, too
  await tx.$queryRaw`
    /* lockOwners */
    select from pg_advisory_xact_lock(hashtextextended(${`owners of ${organizationId}`}, 0))`;
  const [found] = await tx.$queryRaw<Found[]>`
    /* holdMember */
    select
      has_permission('members:write') as permitted,
      current_setting('app.permissions') is not distinct from (
        select permissions_of(me.role::text)
        from memberships me
        where me.organization_id = ${organizationId}::uuid and me.user_id = ${userId}::uuid and me.status = 'ACTIVE'
      ) as "isAsBefore",
      may_grant(coalesce(${role ?? null}, 'MEMBER')) as "mayGive",
      (
        select jsonb_build_object('userId', m.user_id, 'role', m.role, 'mayBeChanged', may_grant(m.role::text))
        from memberships m
        where m.organization_id = ${organizationId}::uuid and m.id = ${id}::uuid and m.status = 'ACTIVE'
      ) as member`;
  if (!found?.permitted) throw kernelErrors.FORBIDDEN({ permission: 'members:write' });
  // who was waited for may have changed what the viewer may do
  if (!found.isAsBefore) throw databaseErrors.CONFLICT();
  if (!found.member) throw tenancyErrors.MEMBER_UNKNOWN();
  if (!found.member.mayBeChanged) throw tenancyErrors.ROLE_ABOVE_YOURS({ role: found.member.role });
  if (role && !found.mayGive) throw tenancyErrors.ROLE_ABOVE_YOURS({ role });
  return found.member;
}
