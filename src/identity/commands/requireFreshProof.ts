import type { Context } from '../../context.ts';
import { databaseErrors } from '../../database/errors.ts';
import type { Reader } from '../../database/scope.ts';
import { assertPerson, type SessionViewer } from '../../kernel/viewer.ts';
import { FRESH_SECONDS } from '../model.ts';

/**
 * Lets only somebody pass whose session was proved by a wallet within the last ten minutes, by the database's clock. A
 * session that was switched to is as fresh as the one that it was switched from.
 * @returns the viewer
 * @throws UNAUTHENTICATED, STEP_UP_REQUIRED, SESSION_BOUND
 */
export async function requireFreshProof(
  { viewer }: Pick<Context, 'viewer'>,
  db: Pick<Reader, '$queryRaw'>,
): Promise<SessionViewer> {
  assertPerson(viewer);
  const [proof] = await db.$queryRaw<{ fresh: boolean; bound: boolean }[]>`
    /* requireFreshProof */
    select
      s.proved_at > clock_timestamp() - make_interval(secs => ${FRESH_SECONDS}::int) as fresh,
      asking.domain_id is not null as bound
    from sessions asking
    join sessions s on s.id = coalesce(asking.root_id, asking.id)
    where asking.id = ${viewer.sessionId}::uuid`;
  if (proof?.bound) throw databaseErrors.SESSION_BOUND();
  if (!proof?.fresh) throw databaseErrors.STEP_UP_REQUIRED({ seconds: FRESH_SECONDS });
  return viewer;
}
