import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { type Done, type GivenKey, once } from './once.ts';

/**
 * Changes one thing, by its id, once for each key, in a transaction that looks before it writes.
 * @param change.variables what is asked for besides the id
 * @param change.run does it; what it throws undoes everything, the record of the key too
 * @param change.replay answers what was done before, from the thing's id
 * @throws UNAUTHENTICATED, NEEDS_A_PERSON, and what `once` throws
 */
export async function changeOnce<Answer extends object>(
  { scope, viewer }: Pick<Context, 'scope' | 'viewer'>,
  change: {
    readonly operation: string;
    readonly id: string;
    readonly variables?: object;
    readonly idempotencyKey: GivenKey | null;
    /** What has to hold besides, even for whoever did it before. */
    readonly require?: (tx: Transaction) => PromiseLike<unknown>;
    readonly run: (tx: Transaction) => Promise<Answer>;
    readonly replay: (id: string) => Answer;
  },
): Promise<Done<Answer>> {
  assertPerson(viewer);
  const { operation, id, variables, idempotencyKey, require, run, replay } = change;
  return once<Answer>(
    scope,
    {
      given: idempotencyKey,
      organizationId: viewer.organizationId,
      principal: `user:${viewer.userId}`,
      operation,
      variables: { id, ...variables },
      resultId: id,
    },
    (record) =>
      scope.transaction(async (tx) => {
        await require?.(tx);
        for (const deed of record(tx)) await deed;
        return run(tx);
      }),
    async (known) => replay(known),
  );
}
