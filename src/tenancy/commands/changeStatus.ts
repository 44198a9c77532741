import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import type { NextEvent } from '../../events/commands/appendNextEvent.ts';
import { appendNextEvent } from '../../events/commands/appendNextEvent.ts';
import { tenancyErrors } from '../errors.ts';
import { organizationRestored, organizationSuspended } from '../events.ts';
import { cleanReason } from '../model.ts';
import { type OperatedOrganization, readOperatedOrganization } from './readOperatedOrganization.ts';
import { recordOperatorAction } from './recordOperatorAction.ts';

/** An organization that an operator suspended or restored. */
export interface ChangedStatus {
  readonly organization: OperatedOrganization;
  /** Whether it was not so before. */
  readonly changed: boolean;
}

type Fact = (fact: Parameters<typeof organizationSuspended>[0]) => NextEvent;

const DEEDS: Readonly<Record<'SUSPENDED' | 'ACTIVE', { readonly deed: 'SUSPEND' | 'RESTORE'; readonly fact: Fact }>> = {
  SUSPENDED: { deed: 'SUSPEND', fact: organizationSuspended },
  ACTIVE: { deed: 'RESTORE', fact: organizationRestored },
};

/**
 * Suspends or restores an organization as an operator; one that was deleted is restored, too, while its time lasts. It is
 * on record before it is done; doing it twice is doing it once, and on record twice.
 * @throws ORGANIZATION_UNKNOWN, OPERATOR_NOT_CONFIGURED, STEP_UP_REQUIRED, FORBIDDEN
 */
export async function changeStatus(
  context: Context,
  input: {
    readonly organizationId: string;
    readonly reason: string;
    readonly status: 'SUSPENDED' | 'ACTIVE';
  },
): Promise<ChangedStatus> {
  const { organizationId, status } = input;
  const scope = context.operatorScope();
  const reason = cleanReason(input.reason);
  const { deed, fact } = DEEDS[status];
  const { id: actionId, operatorId } = await recordOperatorAction(context, { deed, organizationId, reason });
  const changed = await scope.transaction(async (tx) => {
    const reopened = status === 'ACTIVE' && (await reopen(context, tx, organizationId));
    const count = await tx.$executeRaw`
      /* changeStatus */
      update organizations
      set status = ${status}::organization_status
      where id = ${organizationId}::uuid and deleted_at is null and status <> ${status}::organization_status`;
    if (count === 0 && !reopened) return false;
    // where the operator asks from is none of the organization's business
    await appendNextEvent({ requestId: context.requestId }, tx, fact({ organizationId, operatorId, actionId, reason }));
    return true;
  });
  const organization = await readOperatedOrganization(context, { organizationId });
  // what is still deleted could not be restored any more
  if (!organization || organization.deletedAt !== null) throw tenancyErrors.ORGANIZATION_UNKNOWN();
  return { organization, changed };
}

/** Whether it was deleted, and is there again. */
async function reopen({ environment }: Context, tx: Transaction, organizationId: string): Promise<boolean> {
  const [reopened] = await tx.$queryRaw<{ slug: string | null }[]>`
    /* reopenOrganization */
    select reopen_organization(${organizationId}::uuid, ${environment.ORGANIZATION_RETENTION_DAYS}::int) as slug`;
  return reopened?.slug != null;
}
