import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { sha256 } from '../../kernel/digest.ts';
import type { Viewer } from '../../kernel/viewer.ts';
import { identityErrors } from '../errors.ts';
import { REFRESH_GRACE_SECONDS, type RefreshToken, readRefreshToken } from '../model.ts';
import type { SignedIn } from './openSession.ts';

/** A spent token is traced over this many rotations; a session of thirty days has fewer. */
const MAX_TRACE = 10_000;

/** Rotations whose time is kept; more of them within ten seconds are no lost answers. */
const REMEMBERED_ROTATIONS = 50;

/**
 * Spends a refresh token and answers its successor and a new access token. A token that was spent within the last
 * ten seconds yields the same successor again; one that was spent earlier ends the session.
 */
export async function refreshSession(context: Context, input: { readonly refreshToken: string }): Promise<SignedIn> {
  const spent = readRefreshToken(input.refreshToken);
  if (!spent) throw identityErrors.REFRESH_TOKEN_INVALID();
  const successor = context.tokens.successor(input.refreshToken);
  const scope = context.identityScope({ sessionId: spent.sessionId });

  const outcome = await scope.transaction(async (tx): Promise<Viewer | 'reused'> => {
    const rotated = await rotate(tx, spent, input.refreshToken, successor);
    const traced = rotated ? null : await trace(context, tx, spent, input.refreshToken);
    const viewer = rotated ?? (traced?.withinGrace ? traced : null);
    if (viewer) {
      await tx.$queryRaw`/* recheckSession */ select from enter_session(
        ${viewer.sessionId}::uuid, ${viewer.organizationId}::uuid)`;
      const { sessionId, userId, organizationId } = viewer;
      return { sessionId, userId, organizationId };
    }
    if (!traced) throw identityErrors.REFRESH_TOKEN_INVALID();
    await tx.$executeRaw`
      /* endReusedSession */
      update sessions
      set ended_at = clock_timestamp(), end_reason = 'refresh token reused'
      where id = ${spent.sessionId}::uuid and ended_at is null`;
    return 'reused';
  });
  if (outcome === 'reused') throw identityErrors.REFRESH_TOKEN_REUSED();

  const { token, expiresAt } = await context.tokens.issue(outcome);
  context.become(outcome);
  return {
    accessToken: token,
    refreshToken: successor,
    expiresAt: new Date(expiresAt),
    isNewUser: false,
    viewer: outcome,
  };
}

/** Replaces the token that is good now; of many at one instant, one finds it. */
async function rotate(tx: Transaction, spent: RefreshToken, text: string, successor: string): Promise<Viewer | null> {
  const [viewer] = await tx.$queryRaw<Viewer[]>`
    /* rotateRefreshToken */
    update sessions
    set refresh_hash = ${sha256(successor)}::bytea, generation = generation + 1,
        rotations = (clock_timestamp() || rotations)[1:${REMEMBERED_ROTATIONS}::int]
    where id = ${spent.sessionId}::uuid
      and generation = ${spent.generation}
      and refresh_hash = ${sha256(text)}::bytea
      and ended_at is null
      and expires_at > clock_timestamp()
    returning id as "sessionId", user_id as "userId", organization_id as "organizationId"`;
  return viewer ?? null;
}

interface Traced extends Viewer {
  /** Whether the token was spent a moment ago: who lost the answer, or has many tabs, gets the same one again. */
  readonly withinGrace: boolean;
}

/** The living session that a spent token is of, if the one that is good now follows from it: then it is genuine. */
async function trace(context: Context, tx: Transaction, spent: RefreshToken, text: string): Promise<Traced | null> {
  const [session] = await tx.$queryRaw<(Traced & { generation: number; refreshHash: Uint8Array })[]>`
    /* traceRefreshToken */
    select
      id as "sessionId", user_id as "userId", organization_id as "organizationId",
      generation, refresh_hash as "refreshHash",
      coalesce(
        rotations[generation - ${spent.generation}::int]
          > clock_timestamp() - make_interval(secs => ${REFRESH_GRACE_SECONDS}::int),
        false
      ) as "withinGrace"
    from sessions
    where id = ${spent.sessionId}::uuid and ended_at is null and expires_at > clock_timestamp()`;
  const steps = (session?.generation ?? 0) - spent.generation;
  if (!session || steps < 1 || steps > MAX_TRACE) return null;
  let descendant = text;
  for (let step = 0; step < steps; step += 1) descendant = context.tokens.successor(descendant);
  return sha256(descendant).equals(session.refreshHash) ? session : null;
}
