import type { Context } from '../../context.ts';
import type { OperatorAction } from '../../database/generated/client.ts';
import { type Page, type PageArguments, pageOf, pageQuery } from '../../graphql/connection.ts';

/**
 * What operators set about, the newest first: in one organization, as its members see it who may read the audit, or in
 * all, as an operator does.
 */
export async function listOperatorActions(
  context: Context,
  { organizationId, page }: { readonly organizationId?: string; readonly page: PageArguments },
): Promise<Page<OperatorAction>> {
  const { where, ...query } = pageQuery(page);
  const { db } = organizationId === undefined ? context.operatorScope() : context.scope;
  const rows = await db.operatorAction.findMany({
    ...query,
    where: { AND: [...where.AND, ...(organizationId === undefined ? [] : [{ organizationId }])] },
  });
  return pageOf(rows, page);
}
