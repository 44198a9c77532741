import type { Context } from '../../context.ts';
import { restorableUntil } from '../model.ts';

/** An organization that the viewer owned when it was deleted. */
export interface DeletedOrganization {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly deletedAt: Date;
  readonly restorableUntil: Date;
}

/** What the viewer may restore, the last deleted first, a hundred at most; nothing in a session that is bound. */
export async function listDeletedOrganizations({ scope, environment }: Context): Promise<DeletedOrganization[]> {
  const { ORGANIZATION_RETENTION_DAYS: days } = environment;
  const found = await scope.db.$queryRaw<Omit<DeletedOrganization, 'restorableUntil'>[]>`
    /* listDeletedOrganizations */
    select id, name, slug, deleted_at as "deletedAt" from deleted_organizations(${days}::int)`;
  return found.map((organization) => ({
    ...organization,
    restorableUntil: restorableUntil(organization.deletedAt, days),
  }));
}
