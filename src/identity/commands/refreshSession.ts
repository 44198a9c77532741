import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { sha256 } from '../../kernel/digest.ts';
import type { Viewer } from '../../kernel/viewer.ts';
import { identityErrors } from '../errors.ts';
import { REFRESH_GRACE_SECONDS, type RefreshToken, readRefreshToken } from '../model.ts';
import type { SignedIn } from './openSession.ts';

/** A spent token is traced over this many rotations; a session of thirty days has fewer. */
const MAX_TRACE = 10_000;

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
    const viewer = (await rotate(tx, spent, input.refreshToken, successor)) ?? (await retry(tx, spent, successor));
    if (viewer) {
      await tx.$queryRaw`/* recheckSession */ select from enter_session(
        ${viewer.sessionId}::uuid, ${viewer.organizationId}::uuid)`;
      return viewer;
    }
    if (!(await isAncestor(context, tx, spent, input.refreshToken))) throw identityErrors.REFRESH_TOKEN_INVALID();
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
    set refresh_hash = ${sha256(successor)}::bytea, generation = generation + 1, rotated_at = clock_timestamp()
    where id = ${spent.sessionId}::uuid
      and generation = ${spent.generation}
      and refresh_hash = ${sha256(text)}::bytea
      and ended_at is null
      and expires_at > clock_timestamp()
    returning id as "sessionId", user_id as "userId", organization_id as "organizationId"`;
  return viewer ?? null;
}

/** The same answer again, for who lost it or asked twice, while the successor is the one that is good now. */
async function retry(tx: Transaction, spent: RefreshToken, successor: string): Promise<Viewer | null> {
  const [viewer] = await tx.$queryRaw<Viewer[]>`
    /* repeatRefresh */
    select id as "sessionId", user_id as "userId", organization_id as "organizationId"
    from sessions
    where id = ${spent.sessionId}::uuid
      and generation = ${spent.generation + 1}
      and refresh_hash = ${sha256(successor)}::bytea
      and rotated_at > clock_timestamp() - make_interval(secs => ${REFRESH_GRACE_SECONDS}::int)
      and ended_at is null
      and expires_at > clock_timestamp()`;
  return viewer ?? null;
}

/** Whether the token that is good now follows from this one: then this one is genuine, and was spent long ago. */
async function isAncestor(context: Context, tx: Transaction, spent: RefreshToken, text: string): Promise<boolean> {
  const [session] = await tx.$queryRaw<{ generation: number; refreshHash: Uint8Array }[]>`
    /* findDescendant */
    select generation, refresh_hash as "refreshHash"
    from sessions
    where id = ${spent.sessionId}::uuid and ended_at is null and expires_at > clock_timestamp()`;
  const steps = (session?.generation ?? 0) - spent.generation;
  if (!session || steps < 1 || steps > MAX_TRACE) return false;
  let descendant = text;
  for (let step = 0; step < steps; step += 1) descendant = context.tokens.successor(descendant);
  return sha256(descendant).equals(session.refreshHash);
}
