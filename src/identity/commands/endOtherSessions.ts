import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { assertPerson } from '../../kernel/viewer.ts';

/**
 * Ends every session of the viewer's but the one that asks, which lives on by itself even if it was switched from one
 * of them.
 * @throws SESSION_BOUND
 */
export async function endOtherSessions<Session>(
  context: Context,
  input: {
    readonly idempotencyKey?: GivenKey | null;
    /** How the session that is left is read, in the packet that ends the others. */
    readonly read: (tx: Pick<Transaction, 'session'>, id: string) => Deed<Session>;
  },
): Promise<Done<{ readonly session: Session }>> {
  const { viewer, scope } = context;
  assertPerson(viewer);
  const { sessionId, organizationId, userId } = viewer;
  const { idempotencyKey = null, read } = input;
  return once(
    scope,
    {
      given: idempotencyKey,
      organizationId,
      principal: `user:${userId}`,
      operation: 'endOtherSessions',
      variables: { sessionId },
      resultId: sessionId,
    },
    async (record) => {
      await standAlone(context, { sessionId, organizationId });
      const answers = await scope.write((tx) => [
        ...record(tx),
        // a bound session reaches none of them, and is told so
        tx.$queryRaw`/* requirePerson */ select from require_person()`,
        tx.$executeRaw`
          /* endOtherSessions */
          update sessions
          set ended_at = clock_timestamp(), end_reason = 'ended by its user'
          where user_id = ${userId}::uuid and id <> ${sessionId}::uuid and ended_at is null`,
        read(tx, sessionId),
      ]);
      return { session: answers.at(-1) as Session };
    },
    async (known) => ({ session: await read(scope.db, known) }),
  );
}

/** Cuts a session that was switched to off from its root, once it is known to be alive: what is over stays over. */
async function standAlone(
  context: Context,
  { sessionId, organizationId }: { readonly sessionId: string; readonly organizationId: string },
): Promise<void> {
  await context.identityScope({ sessionId }).write((tx) => [
    tx.$queryRaw`/* recheckSession */ select from enter_session(${sessionId}::uuid, ${organizationId}::uuid)`,
    tx.$executeRaw`
      /* standAlone */
      update sessions set root_id = null where id = ${sessionId}::uuid and root_id is not null`,
  ]);
}
