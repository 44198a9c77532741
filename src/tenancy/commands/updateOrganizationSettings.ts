import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { organizationSettingsUpdated } from '../events.ts';
import { changeOrganization } from './changeOrganization.ts';

/**
 * Changes the settings of the viewer's organization; needs `organization:write`. Where a fresh proof is asked for, it
 * is asked for here as well: nobody without one can leave it off from now on.
 * @param input.read how the organization is read, in the packet that changes it
 * @throws STEP_UP_REQUIRED
 */
export async function updateOrganizationSettings<Organization>(
  context: Context,
  input: {
    readonly requireStepUp: boolean;
    readonly idempotencyKey: GivenKey | null;
    readonly read: (tx: Pick<Transaction, 'organization'>, id: string) => Deed<Organization>;
  },
): Promise<Done<{ readonly organization: Organization }>> {
  const { requireStepUp, idempotencyKey, read } = input;
  return changeOrganization(context, {
    operation: 'updateOrganizationSettings',
    idempotencyKey,
    variables: { requireStepUp },
    save: (tx, { organizationId }) => tx.$executeRaw`
      /* updateOrganizationSettings */
      update organization_settings
      set require_step_up = ${requireStepUp}
      where organization_id = ${organizationId}::uuid`,
    fact: (viewer) => organizationSettingsUpdated({ ...viewer, requireStepUp }),
    read,
  });
}
