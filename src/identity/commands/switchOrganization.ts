import { randomBytes } from 'node:crypto';
import type { Context } from '../../context.ts';
import { databaseErrors, isForeignKeyViolation } from '../../database/errors.ts';
import { sha256 } from '../../kernel/digest.ts';
import { GatewayError, kernelErrors } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { identityErrors } from '../errors.ts';
import { EOA_ISSUER, writeRefreshToken } from '../model.ts';
import type { SignedIn } from './openSession.ts';
import { readProof } from './readProof.ts';

/**
 * Opens a session in another organization of the viewer's, beside the one that asks: that one's tokens go on working
 * where they did. Both end with the session that signing in began, and at the same time. Where the user has as many as
 * there may be, the oldest that was switched to ends.
 * @throws SESSION_BOUND; ORGANIZATION_NOT_JOINED for whatever is not an organization that the viewer is an active member of
 */
export async function switchOrganization(
  context: Context,
  { organizationId }: { readonly organizationId: string },
): Promise<SignedIn> {
  const { viewer, client, environment } = context;
  assertPerson(viewer);
  const sessions = environment.TOLLHOUSE_UNSAFE_NO_RATE_LIMITS ? null : environment.LIMIT_SESSIONS_PER_USER;
  const { userId } = viewer;
  const from = await findOrigin(context, viewer.sessionId, organizationId, userId);
  const proof = from.identity.issuer === EOA_ISSUER ? null : await readProof(context, viewer.sessionId);
  const sessionId = newId();
  const refreshToken = writeRefreshToken({
    sessionId,
    generation: 0,
    secret: randomBytes(32).toString('base64url'),
  });
  const opening = context.identityScope({ sessionId, account: from.identity }).write((tx) => [
    tx.$executeRaw`
      /* switchOrganization */
      insert into sessions (
        id, user_id, identity_id, organization_id, root_id, refresh_hash, client_address, user_agent, expires_at,
        proved_at, proof_message, proof_signature
      )
      select
        ${sessionId}::uuid, ${userId}::uuid, ${from.identityId}::uuid, ${organizationId}::uuid, ${from.rootId}::uuid,
        ${sha256(refreshToken)}::bytea, ${client.address}, ${client.userAgent?.slice(0, 500) ?? null},
        ${from.expiresAt}::timestamptz, ${from.provedAt}::timestamptz,
        ${proof?.message ?? null}, decode(${proof?.signature.slice(2) ?? null}, 'hex')
      from make_room_for_session(${sessions}::int)`,
    // Whatever has ended since it was looked at, ends this too.
    tx.$queryRaw`/* recheckSession */ select from enter_session(${sessionId}::uuid, ${organizationId}::uuid)`,
  ]);
  await opening.catch((error: unknown) => {
    throw hasMoved(error) ? kernelErrors.UNAUTHENTICATED({}, { cause: error }) : error;
  });
  const switched = { sessionId, userId, organizationId };
  const { token, expiresAt } = await context.tokens.issue(switched);
  context.become(switched);
  return { accessToken: token, refreshToken, expiresAt: new Date(expiresAt), isNewUser: false, viewer: switched };
}

/**
 * Whether the wallet that the session rests on was unlinked since it was looked at, or its user merged: its scene is
 * somebody else's then, or it is no wallet of the user's. Either has ended the session.
 */
function hasMoved(error: unknown): boolean {
  return isForeignKeyViolation(error) || (error instanceof GatewayError && error.code === 'FORBIDDEN');
}

interface Origin {
  readonly rootId: string;
  readonly identityId: string;
  readonly identity: { readonly issuer: string; readonly subject: string };
  readonly expiresAt: Date;
  /** Switching proves nothing: should the new session ever stand alone, it is no fresher than the proof it rests on. */
  readonly provedAt: Date;
}

/** What the new session has from the one that asks, if the viewer may work where it is to be. */
async function findOrigin(
  { scope }: Context,
  sessionId: string,
  organizationId: string,
  userId: string,
): Promise<Origin> {
  const [session, membership] = await Promise.all([
    scope.db.session.findUniqueOrThrow({
      where: { id: sessionId },
      select: {
        rootId: true,
        domainId: true,
        identityId: true,
        expiresAt: true,
        provedAt: true,
        identity: { select: { issuer: true, subject: true } },
        root: { select: { provedAt: true } },
      },
    }),
    scope.db.membership.findUnique({
      where: { organizationId_userId: { organizationId, userId } },
      select: { status: true, organization: { select: { status: true } } },
    }),
  ]);
  if (session.domainId !== null) throw databaseErrors.SESSION_BOUND();
  // A deleted organization is seen by nobody, whatever the type says.
  const organization = membership?.organization as { readonly status: string } | null | undefined;
  if (membership?.status !== 'ACTIVE' || !organization) throw identityErrors.ORGANIZATION_NOT_JOINED();
  if (organization.status !== 'ACTIVE') throw databaseErrors.ORGANIZATION_SUSPENDED();
  const { identity, identityId, expiresAt, rootId } = session;
  // Unlinked since the door let this request in; the session has ended with it.
  if (identity === null || identityId === null) throw kernelErrors.UNAUTHENTICATED();
  const { provedAt } = session.root ?? session;
  return { identity, identityId, expiresAt, provedAt, rootId: rootId ?? sessionId };
}
