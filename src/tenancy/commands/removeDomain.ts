import type { Context } from '../../context.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import { changeOnce } from '../../idempotency/commands/changeOnce.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { domainRemoved } from '../events.ts';
import { holdDomain } from './holdDomain.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';

/**
 * Takes a domain away from the viewer's organization; another one may have it afterwards, with a proof of its own.
 * @param input.id the domain's; null when what was given names no domain
 * @throws DOMAIN_UNKNOWN, STEP_UP_REQUIRED
 */
export async function removeDomain(
  context: Context,
  { id, idempotencyKey }: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly domainId: string }>> {
  const { viewer } = context;
  assertPerson(viewer);
  const { organizationId, userId } = viewer;
  if (id === null) throw tenancyErrors.DOMAIN_UNKNOWN();
  return changeOnce(context, {
    operation: 'removeDomain',
    id,
    idempotencyKey,
    require: requireOrganizationStepUp,
    run: async (tx) => {
      const { host } = await holdDomain(context, tx, id);
      await tx.$executeRaw`
        /* removeDomain */
        delete from organization_domains where organization_id = ${organizationId}::uuid and id = ${id}::uuid`;
      await appendNextEvent(context, tx, domainRemoved({ organizationId, userId, domainId: id, host }));
      return { domainId: id };
    },
    replay: (domainId) => ({ domainId }),
  });
}
