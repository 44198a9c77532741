import type { Context } from '../../context.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { tenancyErrors } from '../errors.ts';
import { primaryDomainChanged } from '../events.ts';
import { recordOf } from '../model.ts';
import { changeDomain } from './changeDomain.ts';

/**
 * Makes a verified domain the one that the viewer's organization shows. If it is that already, nothing changes.
 * @param input.id the domain's; null when what was given names no domain
 * @throws DOMAIN_UNKNOWN, DOMAIN_NOT_VERIFIED, STEP_UP_REQUIRED
 */
export function setPrimaryDomain(
  context: Context,
  input: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly domainId: string }>> {
  return changeDomain(context, {
    ...input,
    operation: 'setPrimaryDomain',
    run: async (tx, { id, domain, viewer: { organizationId, userId } }) => {
      if (!domain.verified) throw tenancyErrors.DOMAIN_NOT_VERIFIED({ ...recordOf(domain) });
      if (domain.primary) return;
      await tx.$executeRaw`
        /* unsetPrimaryDomain */
        update organization_domains set is_primary = false
        where organization_id = ${organizationId}::uuid and is_primary`;
      await tx.$executeRaw`
        /* setPrimaryDomain */
        update organization_domains set is_primary = true
        where organization_id = ${organizationId}::uuid and id = ${id}::uuid`;
      const fact = { organizationId, userId, domainId: id, host: domain.host };
      await appendNextEvent(context, tx, primaryDomainChanged(fact));
    },
  });
}
