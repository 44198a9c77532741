import type { Context } from '../../context.ts';
import { type Page, type PageArguments, pageOf, pageQuery } from '../../graphql/connection.ts';
import { OPERATED_COLUMNS } from '../model.ts';
import type { OperatedOrganization } from './readOperatedOrganization.ts';

/** Which organizations an operator looks for; what is absent does not narrow it down. */
export interface OrganizationFilter {
  readonly status?: 'ACTIVE' | 'SUSPENDED' | null | undefined;
  /** Stands in the name or the slug, whatever its case. */
  readonly text?: string | null | undefined;
  readonly createdFrom?: Date | null | undefined;
  readonly createdBefore?: Date | null | undefined;
}

/** All organizations there are, the newest first; deleted ones too. */
export async function listOperatedOrganizations(
  context: Context,
  { filter, page }: { readonly filter: OrganizationFilter; readonly page: PageArguments },
): Promise<Page<OperatedOrganization>> {
  const { where, ...query } = pageQuery(page);
  const rows = await context.operatorScope().db.organization.findMany({
    ...query,
    where: { AND: [...where.AND, ...conditionsOf(filter)] },
    select: OPERATED_COLUMNS,
  });
  return pageOf(rows, page);
}

function conditionsOf({ status, text, createdFrom, createdBefore }: OrganizationFilter): object[] {
  // what stands for any sign in a pattern stands for itself here
  const words = text?.trim().replaceAll(/[\\%_]/g, '\\$&');
  return [
    ...(status ? [{ status }] : []),
    ...(words
      ? [{ OR: [{ name: { contains: words, mode: 'insensitive' } }, { slug: { contains: words.toLowerCase() } }] }]
      : []),
    ...(createdFrom ? [{ createdAt: { gte: createdFrom } }] : []),
    ...(createdBefore ? [{ createdAt: { lt: createdBefore } }] : []),
  ];
}
