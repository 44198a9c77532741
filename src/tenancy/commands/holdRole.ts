import type { Context } from '../../context.ts';
import { databaseErrors } from '../../database/errors.ts';
import type { Transaction } from '../../database/scope.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { lockOwners } from './lockOwners.ts';

/** A custom role as it is now, and how many have it or are invited to it. */
export interface HeldRole {
  readonly name: string;
  readonly members: number;
  readonly invitations: number;
}

interface Found {
  readonly permitted: boolean;
  readonly isAsBefore: boolean;
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
  const { organizationId, userId } = viewer;
  await lockOwners(tx, organizationId);
  const [found] = await tx.$queryRaw<Found[]>`
    /* holdRole */
    select
      has_permission('members:write') as permitted,
      current_setting('app.permissions') is not distinct from (
        select permissions_held(me.organization_id, me.role::text, me.role_id)
        from memberships me
        where me.organization_id = ${organizationId}::uuid and me.user_id = ${userId}::uuid and me.status = 'ACTIVE'
      ) as "isAsBefore",
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
      ) as role`;
  if (!found?.permitted) throw kernelErrors.FORBIDDEN({ permission: 'members:write' });
  // who was waited for may have changed what the viewer may do
  if (!found.isAsBefore) throw databaseErrors.CONFLICT();
  if (!found.role) throw tenancyErrors.ROLE_UNKNOWN();
  if (!found.role.mayBeChanged) throw tenancyErrors.ROLE_ABOVE_YOURS({ role: found.role.name });
  return found.role;
}
