import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { appendNextEvent, type NextEvent } from '../../events/commands/appendNextEvent.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { GatewayError, kernelErrors } from '../../kernel/errors.ts';
import { assertPerson, type SessionViewer } from '../../kernel/viewer.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';

/** A change of the viewer's organization, or of what it has one of. */
interface Change<Organization> {
  readonly operation: string;
  readonly idempotencyKey: GivenKey | null;
  readonly variables: object;
  /** Writes it; whoever may not write the organization reaches no row by it. */
  readonly save: (tx: Transaction, viewer: SessionViewer) => Deed;
  readonly fact: (viewer: SessionViewer) => NextEvent;
  readonly read: (tx: Pick<Transaction, 'organization'>, id: string) => Deed<Organization>;
}

/**
 * Changes the viewer's organization, its settings or its store, and tells of it: one packet, the answer included. A row
 * that one may not write is passed over in silence, and the fact that cannot be told undoes everything.
 * @throws FORBIDDEN, STEP_UP_REQUIRED
 */
export async function changeOrganization<Organization>(
  context: Context,
  change: Change<Organization>,
): Promise<Done<{ readonly organization: Organization }>> {
  const { viewer, scope } = context;
  assertPerson(viewer);
  const { organizationId, userId } = viewer;
  const { operation, idempotencyKey, variables, save, fact, read } = change;
  return once(
    scope,
    {
      given: idempotencyKey,
      organizationId,
      principal: `user:${userId}`,
      operation,
      variables,
      resultId: organizationId,
    },
    async (record) => {
      const answers = await scope
        .write((tx) => [
          requireOrganizationStepUp(tx),
          ...record(tx),
          save(tx, viewer),
          appendNextEvent(context, tx, fact(viewer)),
          read(tx, organizationId),
        ])
        .catch(explain);
      return { organization: answers.at(-1) as Organization };
    },
    async (id) => ({ organization: await read(scope.db, id) }),
  );
}

function explain(error: unknown): never {
  if (error instanceof GatewayError && error.code === 'FORBIDDEN') {
    throw kernelErrors.FORBIDDEN({ permission: 'organization:write' }, { cause: error });
  }
  throw error;
}
