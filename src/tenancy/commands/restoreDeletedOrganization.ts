import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { metadataOf } from '../../events/model.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';

/**
 * Brings back an organization that the viewer owned when it was deleted, with everything that is its own; the session
 * goes on working where it did. Its domains have to be verified anew, and its slug is another one if it was taken.
 * @param input.organizationId null when what was given names no organization
 * @param input.read how the organization is read, in the packet that restores it; null where it cannot be seen
 * @throws DELETED_ORGANIZATION_UNKNOWN, SESSION_BOUND
 */
export async function restoreDeletedOrganization<Organization>(
  context: Context,
  input: {
    readonly organizationId: string | null;
    readonly idempotencyKey: GivenKey | null;
    readonly read: (tx: Pick<Transaction, 'organization'>, id: string) => Deed<Organization | null>;
  },
): Promise<Done<{ readonly organization: Organization }>> {
  const { scope, viewer, environment } = context;
  assertPerson(viewer);
  const { organizationId, idempotencyKey, read } = input;
  if (organizationId === null) throw tenancyErrors.DELETED_ORGANIZATION_UNKNOWN();
  const seen = (organization: Organization | null): { organization: Organization } => {
    if (organization === null) throw tenancyErrors.DELETED_ORGANIZATION_UNKNOWN();
    return { organization };
  };
  return once(
    scope,
    {
      given: idempotencyKey,
      organizationId: viewer.organizationId,
      principal: `user:${viewer.userId}`,
      operation: 'restoreDeletedOrganization',
      variables: { organizationId },
      resultId: organizationId,
    },
    (record) =>
      scope.transaction(async (tx) => {
        for (const deed of record(tx)) await deed;
        const [restored] = await tx.$queryRaw<{ slug: string | null }[]>`
          /* restoreDeletedOrganization */
          select restore_organization(
            ${organizationId}::uuid, ${environment.ORGANIZATION_RETENTION_DAYS}::int,
            ${JSON.stringify(metadataOf(context))}::jsonb
          ) as slug`;
        // what did nothing leaves no key behind
        if (!restored?.slug) throw tenancyErrors.DELETED_ORGANIZATION_UNKNOWN();
        return seen(await read(tx, organizationId));
      }),
    async (id) => seen(await read(scope.db, id)),
  );
}
