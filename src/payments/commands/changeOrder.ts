import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { actorOf } from '../../kernel/viewer.ts';
import { paymentErrors } from '../errors.ts';

/**
 * Changes one order of the viewer's organization, once for each key; the database says who may, and in which states.
 * @param change.id null when what was given names no order
 * @param change.run asks the database to do it, which answers what there is against it; throws to undo everything
 * @throws UNAUTHENTICATED, FORBIDDEN, STEP_UP_REQUIRED, ORDER_NOT_FOUND, and what `run` throws
 */
export async function changeOrder(
  { scope, viewer }: Context,
  change: {
    readonly operation: string;
    readonly id: string | null;
    readonly variables?: object;
    readonly idempotencyKey: GivenKey | null;
    readonly run: (tx: Transaction, id: string) => Promise<void>;
  },
): Promise<Done<{ readonly orderId: string }>> {
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const { operation, id, variables = {}, idempotencyKey, run } = change;
  if (id === null) throw paymentErrors.ORDER_NOT_FOUND();
  return once(
    scope,
    {
      given: idempotencyKey,
      organizationId: viewer.organizationId,
      principal: actorOf(viewer),
      operation,
      variables: { id, ...variables },
      resultId: id,
    },
    (record) =>
      scope.transaction(async (tx) => {
        for (const deed of record(tx)) await deed;
        await run(tx, id);
        return { orderId: id };
      }),
    async (orderId) => ({ orderId }),
  );
}
