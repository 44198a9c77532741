import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import type { SessionViewer } from '../../kernel/viewer.ts';
import { identityErrors } from '../errors.ts';
import { REFRESH_GRACE_SECONDS, type RefreshToken, readRefreshToken, type SignedText } from '../model.ts';
import { askSignerAgain } from './askSignerAgain.ts';
import type { SignedIn } from './openSession.ts';

/** A spent token is traced over this many rotations; a session of thirty days has fewer. */
const MAX_TRACE = 10_000;

/** Rotations whose time is kept; more of them within ten seconds are no lost answers. */
const REMEMBERED_ROTATIONS = 50;

/**
 * Spends a refresh token and answers its successor and a new access token. A token that was spent within the last
 * ten seconds yields the same successor again; one that was spent earlier ends the session, and with it all that the
 * same signing-in began. A contract wallet is first asked whether it still takes its own signature; nothing is spent
 * before it has said so.
 * @throws REFRESH_TOKEN_INVALID, REFRESH_TOKEN_REUSED, SIGNER_NO_LONGER_VALID; RATE_LIMITED to a client that asks too often
 */
export async function refreshSession(context: Context, input: { readonly refreshToken: string }): Promise<SignedIn> {
  return exchange(context, input.refreshToken, { asked: false });
}

/** @param signer.asked whether a contract wallet has just said that it takes its signature */
async function exchange(context: Context, text: string, signer: { readonly asked: boolean }): Promise<SignedIn> {
  const spent = readRefreshToken(text);
  if (!spent) throw identityErrors.REFRESH_TOKEN_INVALID();
  const successor = context.tokens.successor(text);
  const scope = context.identityScope({ sessionId: spent.sessionId });

  const outcome = await scope.transaction(async (tx): Promise<SessionViewer | Waiting | Reused | Unasked | null> => {
    const { wait, rotated } = await rotate(context, tx, { ...spent, ...signer, text, successor });
    if (wait > 0) return { wait };
    const traced = rotated ? null : await trace(context, tx, spent, text);
    const viewer = rotated ?? (traced?.withinGrace ? traced : null);
    if (traced?.proof && (traced.current || traced.withinGrace) && !signer.asked) {
      return { unasked: { ...traced.proof, sessionId: traced.sessionId, rootId: traced.rootId } };
    }
    if (viewer) {
      await tx.$queryRaw`/* recheckSession */ select from enter_session(
        ${viewer.sessionId}::uuid, ${viewer.organizationId}::uuid)`;
      const { sessionId, userId, organizationId } = viewer;
      return { sessionId, userId, organizationId };
    }
    // answered and not thrown: what was counted is not to be undone
    return !traced || traced.current ? null : { reused: traced.rootId };
  });
  if (outcome === null) throw identityErrors.REFRESH_TOKEN_INVALID();
  if ('wait' in outcome) throw kernelErrors.RATE_LIMITED({ seconds: outcome.wait }, { retryAfter: outcome.wait });
  if ('unasked' in outcome) {
    await askSignerAgain(context, outcome.unasked);
    return exchange(context, text, { asked: true });
  }
  if ('reused' in outcome) {
    // The root first: once it is over, so is all that was switched from it, this one included.
    if (outcome.reused !== null) await endReused(context, outcome.reused);
    await endReused(context, spent.sessionId);
    throw identityErrors.REFRESH_TOKEN_REUSED();
  }

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

/** A client that has to wait, with the seconds. */
interface Waiting {
  readonly wait: number;
}

/** A session whose spent token came back, by the session that it was switched from. */
interface Reused {
  readonly reused: string | null;
}

/** A session of a contract wallet, which has still to be asked. */
interface Unasked {
  readonly unasked: SignedText & { readonly sessionId: string; readonly rootId: string | null };
}

async function endReused(context: Context, sessionId: string): Promise<void> {
  await context.identityScope({ sessionId }).write((tx) => [
    tx.$executeRaw`
      /* endReusedSession */
      update sessions
      set ended_at = clock_timestamp(), end_reason = 'refresh token reused'
      where id = ${sessionId}::uuid and ended_at is null`,
  ]);
}

/**
 * Replaces the token that is good now; of many at one instant, one finds it. The client is counted in the same statement,
 * once for each token that it brings.
 */
async function rotate(
  context: Context,
  tx: Transaction,
  spent: RefreshToken & { readonly asked: boolean; readonly text: string; readonly successor: string },
): Promise<{ readonly wait: number; readonly rotated: SessionViewer | null }> {
  const { client, environment } = context;
  const free = environment.TOLLHOUSE_UNSAFE_NO_RATE_LIMITS || spent.asked;
  const allowed = free ? null : environment.LIMIT_REFRESHES_PER_CLIENT_PER_MINUTE;
  const [{ wait, ...found }] = await tx.$queryRaw<[{ wait: number } & (SessionViewer | { sessionId: null })]>`
    /* rotateRefreshToken */
    with counted as materialized (
      select case
        when ${allowed}::int is null then 0
        else take_rate_limit(${sha256(`refreshes client ${client.limitKey}`)}::bytea, ${allowed}::int, 60)
      end as wait
    ),
    rotated as (
      update sessions
      set refresh_hash = ${sha256(spent.successor)}::bytea, generation = generation + 1,
          rotations = (clock_timestamp() || rotations)[1:${REMEMBERED_ROTATIONS}::int]
      from counted
      where wait = 0
        and id = ${spent.sessionId}::uuid
        and generation = ${spent.generation}
        and refresh_hash = ${sha256(spent.text)}::bytea
        and (proof_message is null or ${spent.asked})
        and ended_at is null
        and expires_at > clock_timestamp()
      returning id as "sessionId", user_id as "userId", organization_id as "organizationId"
    )
    select wait, "sessionId", "userId", "organizationId"
    from counted
    left join rotated on true`;
  return { wait, rotated: found.sessionId === null ? null : found };
}

interface Traced extends SessionViewer {
  /** The session that signing in began, when this one was switched from it. */
  readonly rootId: string | null;
  /** Whether the token was spent a moment ago: who lost the answer, or has many tabs, gets the same one again. */
  readonly withinGrace: boolean;
  /** Whether it was not spent at all. */
  readonly current: boolean;
  /** What a contract wallet proved itself with; null for others. */
  readonly proof: SignedText | null;
}

/** The living session that a token is of, if it is good now or the one that is follows from it: then it is genuine. */
async function trace(context: Context, tx: Transaction, spent: RefreshToken, text: string): Promise<Traced | null> {
  const [session] = await tx.$queryRaw<(Traced & { generation: number; refreshHash: Uint8Array })[]>`
    /* traceRefreshToken */
    select
      id as "sessionId", user_id as "userId", organization_id as "organizationId", root_id as "rootId",
      generation, refresh_hash as "refreshHash",
      coalesce(
        rotations[generation - ${spent.generation}::int]
          > clock_timestamp() - make_interval(secs => ${REFRESH_GRACE_SECONDS}::int),
        false
      ) as "withinGrace",
      generation = ${spent.generation}::int as current,
      case when proof_message is not null then
        jsonb_build_object('message', proof_message, 'signature', '0x' || encode(proof_signature, 'hex'))
      end as proof
    from sessions
    where id = ${spent.sessionId}::uuid and ended_at is null and expires_at > clock_timestamp()`;
  const steps = (session?.generation ?? 0) - spent.generation;
  if (!session || steps < 0 || steps > MAX_TRACE) return null;
  let descendant = text;
  for (let step = 0; step < steps; step += 1) descendant = context.tokens.successor(descendant);
  return sha256(descendant).equals(session.refreshHash) ? session : null;
}
