import type { Context } from '../../context.ts';
import { kernelErrors } from '../../kernel/errors.ts';

/** Ends the session; its tokens are good for nothing with the next statement. */
export async function signOut(context: Context): Promise<void> {
  const { viewer } = context;
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  await context.scope.transaction(
    (tx) => tx.$executeRaw`
      /* signOut */
      update sessions
      set ended_at = clock_timestamp(), end_reason = 'signed out'
      where id = ${viewer.sessionId}::uuid and ended_at is null`,
  );
  context.become(null);
}
