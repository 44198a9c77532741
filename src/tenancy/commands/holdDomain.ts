import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { tenancyErrors } from '../errors.ts';

/** A domain of the viewer's organization, as it is now. */
export interface HeldDomain {
  readonly host: string;
  readonly token: string;
  readonly verified: boolean;
  readonly primary: boolean;
}

/**
 * Keeps the domains of the viewer's organization as they are until the transaction ends, for whoever may change them.
 * @param id the domain's; null when what was given names no domain
 * @returns that domain
 * @throws FORBIDDEN, DOMAIN_UNKNOWN
 */
export async function holdDomain(
  { viewer }: Context,
  tx: Pick<Transaction, '$queryRaw'>,
  id: string | null,
): Promise<HeldDomain> {
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const [held] = await tx.$queryRaw<{ permitted: boolean; domain: HeldDomain | null }[]>`
    /* holdDomain */
    with held as materialized (
      select id, host, verification_token, verified_at, is_primary
      from organization_domains
      where organization_id = ${viewer.organizationId}::uuid
      order by id
      for update
    )
    select
      has_permission('organization:write') as permitted,
      (
        select jsonb_build_object(
          'host', host, 'token', verification_token, 'verified', verified_at is not null, 'primary', is_primary
        )
        from held
        where id = ${id}::uuid
      ) as domain`;
  if (!held?.permitted) throw kernelErrors.FORBIDDEN({ permission: 'organization:write' });
  if (!held.domain) throw tenancyErrors.DOMAIN_UNKNOWN();
  return held.domain;
}
