import type { Context } from '../../context.ts';
import { isUniqueViolation } from '../../database/errors.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { tenancyErrors } from '../errors.ts';
import { organizationUpdated } from '../events.ts';
import { cleanOrganization, type OrganizationWords } from '../model.ts';
import { changeOrganization } from './changeOrganization.ts';

/**
 * Changes what the viewer's organization says of itself; needs `organization:write`.
 * @param input.read how the organization is read, in the packet that changes it
 * @throws SLUG_TAKEN, STEP_UP_REQUIRED
 */
export async function updateOrganization<Organization>(
  context: Context,
  input: OrganizationWords & {
    readonly idempotencyKey: GivenKey | null;
    readonly read: (tx: Pick<Transaction, 'organization'>, id: string) => Deed<Organization>;
  },
): Promise<Done<{ readonly organization: Organization }>> {
  const { idempotencyKey, read, ...given } = input;
  const words = cleanOrganization(given);
  return changeOrganization(context, {
    operation: 'updateOrganization',
    idempotencyKey,
    variables: words,
    save: (tx, { organizationId }) => saveOrganization(tx, organizationId, words),
    fact: (viewer) => organizationUpdated({ ...viewer, fields: Object.keys(words) }),
    read,
  }).catch((error: unknown) => {
    // keys and facts are unique, too, and have been told apart before
    if (isUniqueViolation(error)) throw tenancyErrors.SLUG_TAKEN({ slug: words.slug ?? '' });
    throw error;
  });
}

function saveOrganization(tx: Transaction, organizationId: string, words: OrganizationWords): Deed {
  const { name, slug, description, contactEmail, address, metadata } = words;
  const given = (value: unknown): boolean => value !== undefined;
  const stored = metadata ? JSON.stringify(metadata) : null;
  return tx.$executeRaw`
    /* updateOrganization */
    update organizations
    set name = coalesce(${name ?? null}, name),
        slug = coalesce(${slug ?? null}, slug),
        description = case when ${given(description)}::boolean then ${description ?? null} else description end,
        contact_email = case when ${given(contactEmail)}::boolean then ${contactEmail ?? null} else contact_email end,
        address = case when ${given(address)}::boolean then ${address ?? null} else address end,
        metadata = case when ${given(metadata)}::boolean then ${stored}::jsonb else metadata end
    where id = ${organizationId}::uuid`;
}
