import type { Context } from '../../context.ts';
import { isUniqueViolation } from '../../database/errors.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { domainVerified } from '../events.ts';
import { recordOf } from '../model.ts';
import { holdDomain } from './holdDomain.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';
import { takeDomainCheck } from './takeDomainCheck.ts';

/**
 * Looks whether the host's TXT record says that it is the viewer's organization's; from then on it is nobody else's.
 * Doing it twice is doing it once. The name system is asked between two transactions, and never inside one.
 * @param input.id the domain's; null when what was given names no domain
 * @throws DOMAIN_NOT_VERIFIED, DOMAIN_TAKEN, DOMAIN_CHECK_UNAVAILABLE, DOMAIN_UNKNOWN, STEP_UP_REQUIRED, RATE_LIMITED
 */
export async function verifyDomain(
  context: Context,
  { id }: { readonly id: string | null },
): Promise<{ readonly domainId: string }> {
  const { scope, viewer, domainResolver } = context;
  assertPerson(viewer);
  const { organizationId, userId } = viewer;
  const asked = await scope.transaction(async (tx) => {
    await requireOrganizationStepUp(tx);
    return holdDomain(context, tx, id);
  });
  const domainId = id ?? '';
  if (asked.verified) return { domainId };
  await takeDomainCheck(context, organizationId);
  const record = recordOf(asked);
  const texts = await domainResolver.textRecords(record.name);
  if (!texts.includes(record.value)) throw tenancyErrors.DOMAIN_NOT_VERIFIED({ ...record });
  const { host } = asked;
  await scope
    .transaction(async (tx) => {
      await requireOrganizationStepUp(tx);
      const now = await holdDomain(context, tx, domainId);
      if (now.verified) return;
      await tx.$executeRaw`
        /* verifyDomain */
        update organization_domains
        set verified_at = clock_timestamp()
        where organization_id = ${organizationId}::uuid and id = ${domainId}::uuid`;
      await appendNextEvent(context, tx, domainVerified({ organizationId, userId, domainId, host }));
    })
    .catch((error: unknown) => {
      if (isUniqueViolation(error)) throw tenancyErrors.DOMAIN_TAKEN({ host });
      throw error;
    });
  return { domainId };
}
