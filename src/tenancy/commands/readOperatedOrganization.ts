import type { Context } from '../../context.ts';
import type { Organization } from '../../database/generated/client.ts';
import { OPERATED_COLUMNS } from '../model.ts';

/** What an operator sees of an organization: what it is called and how it stands, and nothing of what it has. */
export type OperatedOrganization = Pick<Organization, keyof typeof OPERATED_COLUMNS>;

/** One organization as an operator sees it, a deleted one too; null when there is none. */
export function readOperatedOrganization(
  context: Context,
  { organizationId }: { readonly organizationId: string },
): Promise<OperatedOrganization | null> {
  return context
    .operatorScope()
    .db.organization.findUnique({ where: { id: organizationId }, select: OPERATED_COLUMNS });
}
