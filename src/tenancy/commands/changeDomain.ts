import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { changeOnce } from '../../idempotency/commands/changeOnce.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { assertPerson, type SessionViewer } from '../../kernel/viewer.ts';
import { tenancyErrors } from '../errors.ts';
import { type HeldDomain, holdDomain } from './holdDomain.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';

/**
 * Changes one domain of the viewer's organization once for each key, in a transaction that holds all of them.
 * @param change.id the domain's; null when what was given names no domain
 * @throws DOMAIN_UNKNOWN, FORBIDDEN, STEP_UP_REQUIRED
 */
export async function changeDomain(
  context: Context,
  change: {
    readonly operation: string;
    readonly id: string | null;
    readonly idempotencyKey: GivenKey | null;
    readonly run: (
      tx: Transaction,
      held: { readonly id: string; readonly domain: HeldDomain; readonly viewer: SessionViewer },
    ) => Promise<unknown>;
  },
): Promise<Done<{ readonly domainId: string }>> {
  const { viewer } = context;
  assertPerson(viewer);
  const { operation, id, idempotencyKey, run } = change;
  if (id === null) throw tenancyErrors.DOMAIN_UNKNOWN();
  return changeOnce(context, {
    operation,
    id,
    idempotencyKey,
    require: requireOrganizationStepUp,
    run: async (tx) => {
      await run(tx, { id, domain: await holdDomain(context, tx, id), viewer });
      return { domainId: id };
    },
    replay: (domainId) => ({ domainId }),
  });
}
