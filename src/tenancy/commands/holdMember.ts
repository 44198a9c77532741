import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import type { Role } from '../../kernel/permissions.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import type { MemberWords } from '../model.ts';
import { holdStanding } from './holdStanding.ts';

/** An active member of the viewer's organization, as it is now. */
export interface HeldMember {
  readonly userId: string;
  readonly role: Role;
}

interface Found {
  /** The custom role that is to be given; null when there is none such. */
  readonly customRole: string | null;
  readonly member:
    | (HeldMember & { readonly called: string; readonly mayBeChanged: boolean; readonly mayGive: boolean })
    | null;
}

/**
 * Makes whoever changes the organization's members wait for each other until the transaction ends, for whoever may
 * change this one.
 * @param input.id the membership's; null when what was given names none
 * @param input.role what it is to be; absent when that stays
 * @param input.roleId the custom role that it is to have; absent when that stays, and null to take it away
 * @returns that member
 * @throws FORBIDDEN, MEMBER_UNKNOWN, ROLE_UNKNOWN, ROLE_ABOVE_YOURS, CONFLICT
 */
export async function holdMember(
  { viewer }: Context,
  tx: Pick<Transaction, '$queryRaw'>,
  { id, role, roleId }: { readonly id: string | null } & Pick<MemberWords, 'role' | 'roleId'>,
): Promise<HeldMember> {
  assertPerson(viewer);
  const { organizationId } = viewer;
  const found = await holdStanding<Found>(
    viewer,
    tx,
    (standing) => tx.$queryRaw`
    /* holdMember */
    select
      ${standing},
      (
        select r.name
        from roles r
        where r.organization_id = ${organizationId}::uuid and r.id = ${roleId ?? null}::uuid
      ) as "customRole",
      (
        select jsonb_build_object(
          'userId', m.user_id,
          'role', m.role,
          'called', coalesce(r.name, m.role::text),
          'mayBeChanged', may_grant(m.role::text, m.role_id),
          'mayGive', may_grant(coalesce(${role ?? null}, m.role::text), ${roleId ?? null}::uuid)
        )
        from memberships m
        left join roles r on r.organization_id = m.organization_id and r.id = m.role_id
        where m.organization_id = ${organizationId}::uuid and m.id = ${id}::uuid and m.status = 'ACTIVE'
      ) as member`,
  );
  if (!found.member) throw tenancyErrors.MEMBER_UNKNOWN();
  const { member, customRole } = found;
  if (!member.mayBeChanged) throw tenancyErrors.ROLE_ABOVE_YOURS({ role: member.called });
  if (roleId != null && customRole === null) throw tenancyErrors.ROLE_UNKNOWN();
  if ((role != null || roleId !== undefined) && !member.mayGive) {
    throw tenancyErrors.ROLE_ABOVE_YOURS({ role: customRole ?? role ?? member.role });
  }
  return member;
}
