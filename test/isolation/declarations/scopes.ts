import type { Who } from '../actors.ts';

/** A row as PostgreSQL writes it, by column. */
export type Row = Readonly<Record<string, string | null>>;

/** What the row says in some of its columns. */
export function pick(row: Row, columns: readonly string[]): Row {
  return Object.fromEntries(columns.flatMap((column) => (column in row ? [[column, row[column] ?? null]] : [])));
}

/** What the reach of an actor may hang on besides the row itself. */
export interface Ties {
  readonly memberships: readonly Row[];
  readonly credits: readonly Row[];
  readonly organizations: readonly Row[];
}

/** Whether a row is within the reach of whoever asks. */
type Scope = (who: Who, row: Row, ties: Ties) => boolean;

/** Nothing is the same as what is missing: without an organization in the scene, no row is `own`. */
const same = (value: string | null | undefined, asked: string | undefined): boolean =>
  asked !== undefined && value === asked;
const past = (value: string | null | undefined): boolean => new Date(value ?? '') < new Date();
const whole = (row: Row): boolean => row.deleted_at === null;

const own: Scope = (who, row) => same(row.organization_id, who.organizationId);
const isBelowOwner = (row: Row): boolean => row.permissions?.includes('organization:write') === false;
const isFree = (row: Row, { memberships }: Ties): boolean =>
  !memberships.some((m) => m.organization_id === row.organization_id && m.role_id === row.id);
const organization: Scope = (who, row) => same(row.id, who.organizationId);
const self: Scope = (who, row) => same(row.user_id, who.userId);
const session: Scope = (who, row) => same(row.id, who.sessionId);

/** Every reach that a declaration may name. */
export const SCOPES = {
  all: () => true,

  /** Of the scene's organization, or the organization itself; `whole` when not deleted. */
  own,
  ownWhole: (who, row, ties) => own(who, row, ties) && whole(row),
  /** Memberships that have not ended; and those of them that an admin may touch. */
  ownActive: (who, row, ties) => own(who, row, ties) && row.status === 'ACTIVE',
  ownActiveBelowOwner: (who, row, ties) => own(who, row, ties) && row.status === 'ACTIVE' && row.role !== 'OWNER',
  /** Invitations that were neither accepted nor revoked. */
  ownPending: (who, row, ties) => own(who, row, ties) && row.revoked_at === null && row.accepted_at === null,
  ownPendingBelowOwner: (who, row, ties) =>
    own(who, row, ties) && row.revoked_at === null && row.accepted_at === null && row.role !== 'OWNER',
  /** Custom roles that an admin may give; that nobody has; and the one that the user has. */
  ownBelowOwner: (who, row, ties) => own(who, row, ties) && isBelowOwner(row),
  free: (_, row, ties) => isFree(row, ties),
  ownFree: (who, row, ties) => own(who, row, ties) && isFree(row, ties),
  ownFreeBelowOwner: (who, row, ties) => own(who, row, ties) && isFree(row, ties) && isBelowOwner(row),
  ownHeld: (who, row, ties) =>
    own(who, row, ties) &&
    ties.memberships.some((m) => self(who, m, ties) && own(who, m, ties) && m.role_id === row.id),
  /** The user's own place in the scene's organization. */
  ownSelf: (who, row, ties) => own(who, row, ties) && self(who, row, ties),
  /** API keys that were not revoked; and the key that asks. */
  ownGood: (who, row, ties) => own(who, row, ties) && row.revoked_at === null,
  ownKey: (who, row, ties) => own(who, row, ties) && same(row.id, who.keyId),
  organization,
  organizationWhole: (who, row, ties) => organization(who, row, ties) && whole(row),

  /** Of the scene's user, or the user itself. */
  self,
  person: (who, row) => same(row.id, who.userId),
  /** Whom the user was before it was merged. */
  formerSelf: (who, row) => same(row.merged_into_id, who.userId),
  /** Whoever has, or had, a membership in the scene's organization. */
  colleague: (who, row, { memberships }) =>
    memberships.some((m) => same(m.organization_id, who.organizationId) && m.user_id === row.id),
  /** Organizations that the user is a member of. */
  joined: (who, row, { memberships }) =>
    whole(row) &&
    memberships.some((m) => same(m.user_id, who.userId) && m.organization_id === row.id && m.status === 'ACTIVE'),

  /** In the name of the operator who asks, and in its session. */
  selfInSession: (who, row, ties) => self(who, row, ties) && same(row.session_id, who.sessionId),
  /** Told by the operator who asks. */
  asOperator: (who, row) => same(row.actor, who.userId && `operator:${who.userId}`),

  /** The session that the scene names, or any of the user's; `open` while it has not ended. */
  session,
  selfSession: (who, row, ties) => session(who, row, ties) && self(who, row, ties),
  openSession: (who, row, ties) => session(who, row, ties) && row.ended_at === null,
  selfOpen: (who, row, ties) => self(who, row, ties) && row.ended_at === null,
  /** Of the organizations that the user is a member of now. */
  ofJoined: (who, row, { memberships }) =>
    memberships.some(
      (m) => same(m.user_id, who.userId) && same(row.organization_id, m.organization_id ?? '') && m.status === 'ACTIVE',
    ),
  /** The account that was just proved, as the user's own. */
  selfAccount: (who, row, ties) =>
    self(who, row, ties) && same(row.issuer, who.account?.issuer) && same(row.subject, who.account?.subject),
  /** The account that was just proved. */
  account: (who, row) => same(row.issuer, who.account?.issuer) && same(row.subject, who.account?.subject),

  /** Accounts that are watched for whatever comes, and those that are for what one account sends. */
  fromAnybody: (_, row) => row.sender == null,
  fromOne: (_, row) => row.sender != null,

  /** What the session was begun with. */
  begunWith: (who, row) => same(row.id, who.identityId),

  /** What the handle stands for, and what hangs on it. */
  target: (who, row, ties) => own(who, row, ties) && same(row.id, who.targetId),
  targetWhole: (who, row, ties) => own(who, row, ties) && same(row.id, who.targetId) && whole(row),
  ofTarget: (who, row, ties) =>
    own(who, row, ties) && (same(row.payment_link_id, who.targetId) || same(row.payment_order_id, who.targetId)),
  /** Where the organization is not deleted, whatever the scene knows of that. */
  ofStandingTarget: (who, row, ties) =>
    own(who, row, ties) &&
    same(row.payment_link_id, who.targetId) &&
    ties.organizations.some((each) => same(each.id, row.organization_id ?? '') && whole(each)),
  toTarget: (who, row, ties) =>
    own(who, row, ties) &&
    ties.credits.some(
      (credit) =>
        credit.organization_id === row.organization_id &&
        credit.blockchain_transaction_id === row.id &&
        same(credit.payment_order_id, who.targetId),
    ),
  /** In the scene's organization, under the name of the user, of the API key or of the link. */
  principal: (who, row, ties) =>
    own(who, row, ties) &&
    (same(row.principal, who.userId && `user:${who.userId}`) ||
      same(row.principal, who.keyId && `key:${who.keyId}`) ||
      same(row.principal, who.targetId && `link:${who.targetId}`)),

  /** Deliveries of facts that are still to be done, and those that were done more than a week ago. */
  ownUnprocessed: (who, row, ties) => own(who, row, ties) && row.processed_at === null,
  processedLongAgo: (_, row) =>
    row.processed_at !== null && new Date(row.processed_at ?? '').getTime() < Date.now() - 7 * 86_400_000,

  expired: (_, row) => past(row.expires_at),
  unexpired: (_, row) => !past(row.expires_at),
  /** Windows that began more than a day ago. */
  stale: (_, row) => new Date(row.window_start ?? '').getTime() < Date.now() - 86_400_000,
  /** Made more than an hour ago. */
  anHourAgo: (_, row) => new Date(row.created_at ?? '').getTime() < Date.now() - 3_600_000,
  /** Failures of more than a day ago. */
  longAgo: (_, row) => new Date(row.failed_at ?? '').getTime() < Date.now() - 86_400_000,
} satisfies Record<string, Scope>;

export type ScopeName = keyof typeof SCOPES;
