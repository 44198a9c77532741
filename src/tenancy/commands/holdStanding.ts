import { databaseErrors } from '../../database/errors.ts';
import { Prisma } from '../../database/generated/client.ts';
import type { Transaction } from '../../database/scope.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import type { SessionViewer } from '../../kernel/viewer.ts';
import { lockOwners } from './lockOwners.ts';

/** What the viewer may do once those were waited for who change the organization's members and roles. */
interface Standing {
  readonly permitted: boolean;
  /** Whether they may do now what they might when the transaction began. */
  readonly isAsBefore: boolean;
}

/**
 * Makes whoever changes the organization's members and roles wait for each other until the transaction ends, and lets
 * only those go on who may write members, and whose permissions nobody who was waited for has changed.
 * @param look asks for what is to be held, with the viewer's standing among its columns
 * @throws FORBIDDEN, CONFLICT
 */
export async function holdStanding<Found extends object>(
  { organizationId, userId }: SessionViewer,
  tx: Pick<Transaction, '$queryRaw'>,
  look: (standing: Prisma.Sql) => PromiseLike<readonly (Found & Standing)[]>,
): Promise<Found> {
  await lockOwners(tx, organizationId);
  const [found] = await look(Prisma.sql`
      has_permission('members:write') as permitted,
      current_setting('app.permissions') is not distinct from (
        select permissions_held(me.organization_id, me.role::text, me.role_id)
        from memberships me
        where me.organization_id = ${organizationId}::uuid and me.user_id = ${userId}::uuid and me.status = 'ACTIVE'
      ) as "isAsBefore"`);
  if (!found?.permitted) throw kernelErrors.FORBIDDEN({ permission: 'members:write' });
  if (!found.isAsBefore) throw databaseErrors.CONFLICT();
  return found;
}
