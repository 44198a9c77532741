import type { Context } from '../../context.ts';
import type { Reader } from '../../database/scope.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import type { Viewer } from '../../kernel/viewer.ts';
import { identityErrors } from '../errors.ts';
import { FRESH_SECONDS } from '../model.ts';

/**
 * Lets only somebody pass whose session was proved by a wallet within the last ten minutes, by the database's clock. A
 * session that was switched to is as fresh as the one that it was switched from.
 * @returns the viewer
 * @throws UNAUTHENTICATED, STEP_UP_REQUIRED
 */
export async function requireFreshProof(
  { viewer }: Pick<Context, 'viewer'>,
  db: Pick<Reader, '$queryRaw'>,
): Promise<Viewer> {
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const fresh = await db.$queryRaw<unknown[]>`
    /* requireFreshProof */
    select s.id
    from sessions asking
    join sessions s on s.id = coalesce(asking.root_id, asking.id)
    where asking.id = ${viewer.sessionId}::uuid
      and s.proved_at > clock_timestamp() - make_interval(secs => ${FRESH_SECONDS}::int)`;
  if (fresh.length === 0) throw identityErrors.STEP_UP_REQUIRED({ seconds: FRESH_SECONDS });
  return viewer;
}
