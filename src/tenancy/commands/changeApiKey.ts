import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { appendNextEvent, type NextEvent } from '../../events/commands/appendNextEvent.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { assertPerson, type SessionViewer } from '../../kernel/viewer.ts';
import { type HeldKey, holdApiKey } from './holdApiKey.ts';

/** A change of one API key. */
interface KeyChange {
  readonly operation: string;
  /** The key's; null when what was given names none. */
  readonly id: string | null;
  readonly idempotencyKey: GivenKey | null;
  readonly variables?: object;
  /** Writes it, in the transaction that holds the key; answers what is to be told, null when nothing changed. */
  readonly change: (tx: Transaction, held: HeldKey & { readonly id: string }) => Promise<Told | null>;
  /** What has to hold besides, even for whoever did it before. */
  readonly require?: (tx: Transaction) => PromiseLike<unknown>;
}

type Told = (fact: {
  readonly organizationId: string;
  readonly userId: string;
  readonly apiKeyId: string;
}) => NextEvent;

/**
 * Changes an API key of the viewer's organization, and tells of it. For people who may write keys.
 * @throws FORBIDDEN, NEEDS_A_PERSON, API_KEY_UNKNOWN
 */
export async function changeApiKey(
  context: Context,
  { operation, id, idempotencyKey, variables, change, require }: KeyChange,
): Promise<Done<{ readonly apiKeyId: string }>> {
  const { scope, viewer } = context;
  assertPerson(viewer);
  const { organizationId, userId }: SessionViewer = viewer;
  const run = async (tx: Transaction): Promise<{ readonly apiKeyId: string }> => {
    const held = await holdApiKey(context, tx, id);
    const apiKeyId = String(id);
    const told = await change(tx, { ...held, id: apiKeyId });
    if (told) await appendNextEvent(context, tx, told({ organizationId, userId, apiKeyId }));
    return { apiKeyId };
  };
  return once(
    scope,
    {
      given: id === null ? null : idempotencyKey,
      organizationId,
      principal: `user:${userId}`,
      operation,
      variables: { id, ...variables },
      resultId: id ?? organizationId,
    },
    (record) =>
      scope.transaction(async (tx) => {
        await require?.(tx);
        for (const deed of record(tx)) await deed;
        return run(tx);
      }),
    async (apiKeyId) => ({ apiKeyId }),
  );
}
