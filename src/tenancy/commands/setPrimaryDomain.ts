import type { Context } from '../../context.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import { changeOnce } from '../../idempotency/commands/changeOnce.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { primaryDomainChanged } from '../events.ts';
import { recordOf } from '../model.ts';
import { holdDomain } from './holdDomain.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';

/**
 * Makes a verified domain the one that the viewer's organization shows. If it is that already, nothing changes.
 * @param input.id the domain's; null when what was given names no domain
 * @throws DOMAIN_UNKNOWN, DOMAIN_NOT_VERIFIED, STEP_UP_REQUIRED
 */
export async function setPrimaryDomain(
  context: Context,
  { id, idempotencyKey }: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly domainId: string }>> {
  const { viewer } = context;
  assertPerson(viewer);
  const { organizationId, userId } = viewer;
  if (id === null) throw tenancyErrors.DOMAIN_UNKNOWN();
  return changeOnce(context, {
    operation: 'setPrimaryDomain',
    id,
    idempotencyKey,
    require: requireOrganizationStepUp,
    run: async (tx) => {
      const domain = await holdDomain(context, tx, id);
      if (!domain.verified) throw tenancyErrors.DOMAIN_NOT_VERIFIED({ ...recordOf(domain) });
      if (domain.primary) return { domainId: id };
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
      return { domainId: id };
    },
    replay: (domainId) => ({ domainId }),
  });
}
