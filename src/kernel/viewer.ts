/**
 * Who an access token says is asking. These are claims, not authority: the database checks the session, the
 * membership and the organization again with every statement.
 */
export interface Viewer {
  readonly sessionId: string;
  readonly userId: string;
  /** The session's active organization; never taken from an argument. */
  readonly organizationId: string;
}
