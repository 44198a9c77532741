import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { holdStanding } from './holdStanding.ts';

/** A custom role as it is now, and how many have it or are invited to it. */
export interface HeldRole {
  readonly name: string;
  readonly members: number;
  readonly invitations: number;
}

interface Found {
  readonly role: (HeldRole & { readonly mayBeChanged: boolean }) | null;
}

/**
 * Makes whoever changes the organization's roles and members wait for each other until the transaction ends, for whoever
 * may do all that this role may.
 * @returns the role
 * @throws FORBIDDEN, ROLE_UNKNOWN, ROLE_ABOVE_YOURS, CONFLICT
 */
export async function holdRole({ viewer }: Context, tx: Pick<Transaction, '$queryRaw'>, id: string): Promise<HeldRole> {
  assertPerson(viewer);
  const { organizationId } = viewer;
  const found = await holdStanding<Found>(
    viewer,
    tx,
    (standing) => tx.$queryRaw`
    /* holdRole */
    select
      ${standing},
      (
        select jsonb_build_object(
          'name', r.name,
          'mayBeChanged', may_grant('MEMBER', r.id),
          'members', (
            select count(*)
            from memberships m
            where m.organization_id = r.organization_id and m.role_id = r.id
          ),
          'invitations', (
            select count(*)
            from invitations i
            where i.organization_id = r.organization_id and i.role_id = r.id
              and i.accepted_at is null and i.revoked_at is null and i.expires_at > clock_timestamp()
          )
        )
        from roles r
        where r.organization_id = ${organizationId}::uuid and r.id = ${id}::uuid
      ) as role`,
  );
  if (!found.role) throw tenancyErrors.ROLE_UNKNOWN();
  if (!found.role.mayBeChanged) throw tenancyErrors.ROLE_ABOVE_YOURS({ role: found.role.name });
  return found.role;
}
