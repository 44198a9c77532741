import type { Context } from '../../context.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { refreshSession } from './refreshSession.ts';

/**
 * Ends the session, the one that signing in began and all that were switched from it; their tokens are good for nothing
 * with the next statement. Where the access token's cookie is over, the refresh token's says which session it is.
 */
export async function signOut(context: Context): Promise<void> {
  const { cookies } = context;
  try {
    if (!context.viewer && cookies.refreshToken !== null) {
      await refreshSession(context, { refreshToken: cookies.refreshToken });
    }
    await endSignIn(context);
  } finally {
    // Whatever went wrong, the browser is not to go on as this person.
    if (cookies.present) cookies.clear();
  }
  context.become(null);
}

async function endSignIn({ viewer, scope }: Context): Promise<void> {
  assertPerson(viewer);
  const { sessionId, userId } = viewer;
  await scope.write((tx) => [
    tx.$executeRaw`
      /* signOut */
      update sessions
      set ended_at = clock_timestamp(), end_reason = 'signed out'
      where user_id = ${userId}::uuid
        and coalesce(root_id, id) = (select coalesce(own.root_id, own.id) from sessions own where own.id = ${sessionId}::uuid)
        and ended_at is null`,
  ]);
}
