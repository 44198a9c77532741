import { kernelErrors } from './errors.ts';

/**
 * Who is asking: somebody with a session, or an API key. These are claims, not authority: the database checks the
 * session or the key, the membership and the organization again with every statement.
 */
export type Viewer = SessionViewer | KeyViewer;

/** Who an access token says is asking. */
export interface SessionViewer {
  readonly sessionId: string;
  readonly userId: string;
  /** The session's active organization; never taken from an argument. */
  readonly organizationId: string;
  /** Whether it is an operator who looks into the organization; `sessionId` then names the record of that. */
  readonly impersonates?: true;
  readonly keyId?: never;
}

/** An API key that is asking: it is its organization's, and no person. */
export interface KeyViewer {
  readonly keyId: string;
  readonly organizationId: string;
  /** What the key says of itself, which each statement is entered with. */
  readonly claim: KeyClaim;
  readonly sessionId?: never;
  readonly userId?: never;
  readonly impersonates?: never;
}

/** What an API key says of itself, and where from. */
export interface KeyClaim {
  /** SHA-256 of its prefix, which it is found by. */
  readonly prefixHash: Buffer;
  /** SHA-256 of its secret. */
  readonly secretHash: Buffer;
  readonly address: string | null;
  readonly origin: string | null;
}

/** Whether it is an API key that asks. */
export function isKey(viewer: Viewer | null): viewer is KeyViewer {
  return viewer?.keyId !== undefined;
}

/**
 * Lets only somebody with a session pass.
 * @throws UNAUTHENTICATED, NEEDS_A_PERSON
 */
export function assertPerson(viewer: Viewer | null): asserts viewer is SessionViewer {
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  if (isKey(viewer)) throw kernelErrors.NEEDS_A_PERSON();
}

/** How facts and idempotency keys name whoever asks. */
export function actorOf(viewer: Viewer): string {
  return isKey(viewer) ? `key:${viewer.keyId}` : `user:${viewer.userId}`;
}
