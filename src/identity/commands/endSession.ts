import type { Context } from '../../context.ts';
import type { Reader } from '../../database/scope.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { assertPerson } from '../../kernel/viewer.ts';

/**
 * Ends a session of the viewer's, and those that were switched from it; with the next statement their tokens are good
 * for nothing. Another user's session and one that never was are the same: nothing is ended.
 * @returns whether it is a session of the viewer's, and over now
 */
export async function endSession(
  context: Context,
  input: { readonly sessionId: string; readonly idempotencyKey?: GivenKey | null },
): Promise<Done<{ readonly ended: boolean }>> {
  const { viewer, scope } = context;
  assertPerson(viewer);
  const { organizationId, userId } = viewer;
  const { sessionId, idempotencyKey = null } = input;
  const done = await once(
    scope,
    {
      given: idempotencyKey,
      organizationId,
      principal: `user:${userId}`,
      operation: 'endSession',
      variables: { sessionId },
      resultId: sessionId,
    },
    async (record) => {
      const answers = await scope.write((tx) => [
        ...record(tx),
        tx.$executeRaw`
          /* endSession */
          update sessions
          set ended_at = clock_timestamp(), end_reason = 'ended by its user'
          where (id = ${sessionId}::uuid or root_id = ${sessionId}::uuid) and ended_at is null`,
        askEnded(tx, sessionId),
      ]);
      return endedOf(answers.at(-1));
    },
    async (known) => endedOf(await askEnded(scope.db, known)),
  );
  if (done.ended && sessionId === viewer.sessionId) {
    context.become(null);
    if (context.cookies.present) context.cookies.clear();
  }
  return done;
}

function askEnded<Db extends Pick<Reader, '$queryRaw'>>(db: Db, sessionId: string): ReturnType<Db['$queryRaw']> {
  return db.$queryRaw`
    /* hasEnded */
    select exists (select from sessions where id = ${sessionId}::uuid and ended_at is not null) as ended` as never;
}

function endedOf(rows: unknown): { readonly ended: boolean } {
  const [row] = rows as [{ ended: boolean }];
  return { ended: row.ended };
}
