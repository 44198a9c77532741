import type { Context } from '../../context.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { domainRemoved } from '../events.ts';
import { changeDomain } from './changeDomain.ts';

/**
 * Takes a domain away from the viewer's organization; another one may have it afterwards, with a proof of its own.
 * @param input.id the domain's; null when what was given names no domain
 * @throws DOMAIN_UNKNOWN, STEP_UP_REQUIRED
 */
export function removeDomain(
  context: Context,
  input: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly domainId: string }>> {
  return changeDomain(context, {
    ...input,
    operation: 'removeDomain',
    run: async (tx, { id, domain: { host }, viewer: { organizationId, userId } }) => {
      await tx.$executeRaw`
        /* removeDomain */
        delete from organization_domains where organization_id = ${organizationId}::uuid and id = ${id}::uuid`;
      await appendNextEvent(context, tx, domainRemoved({ organizationId, userId, domainId: id, host }));
    },
  });
}
