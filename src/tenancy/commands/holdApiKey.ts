import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { tenancyErrors } from '../errors.ts';
import { requireKeysWrite } from './requireKeysWrite.ts';

/** An API key as it is now. */
export interface HeldKey {
  readonly revoked: boolean;
  /** A permission among its scopes that the viewer lacks; null when they have each. */
  readonly lacking: string | null;
}

/**
 * Keeps an API key of the viewer's organization as it is until the transaction ends, for whoever may write keys.
 * @param id null when what was given names no key
 * @throws FORBIDDEN, API_KEY_UNKNOWN
 */
export async function holdApiKey(
  { viewer }: Context,
  tx: Pick<Transaction, '$queryRaw'>,
  id: string | null,
): Promise<HeldKey> {
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  await requireKeysWrite(tx);
  const { organizationId } = viewer;
  // of two at one instant the second comes after the first; a revoked one can be locked by nobody, and changes no more
  await tx.$queryRaw`
    /* lockApiKey */
    select id from api_keys where organization_id = ${organizationId}::uuid and id = ${id}::uuid for update`;
  const [found] = await tx.$queryRaw<HeldKey[]>`
    /* holdApiKey */
    select
      revoked_at is not null as revoked,
      (select scope from unnest(scopes) as scope where not has_permission(scope) limit 1) as lacking
    from api_keys
    where organization_id = ${organizationId}::uuid and id = ${id}::uuid`;
  if (!found) throw tenancyErrors.API_KEY_UNKNOWN();
  return found;
}
