/** What a merchant has made of a link. */
export type LinkStatus = 'DRAFT' | 'ACTIVE' | 'PAUSED' | 'ARCHIVED';

/** What a link is at a moment: an active one may not take payments yet, or no more. */
export type LinkState = LinkStatus | 'SCHEDULED' | 'EXPIRED' | 'CHAIN_NOT_WATCHED' | 'PAYEE_NOT_PROVED' | 'EXHAUSTED';

/** What a merchant does with a link's status. */
export type LinkDeed = 'activate' | 'pause' | 'archive';

const NEXT: Readonly<Record<LinkDeed, { readonly from: readonly LinkStatus[]; readonly to: LinkStatus }>> = {
  activate: { from: ['DRAFT', 'PAUSED'], to: 'ACTIVE' },
  pause: { from: ['ACTIVE'], to: 'PAUSED' },
  archive: { from: ['DRAFT', 'ACTIVE', 'PAUSED'], to: 'ARCHIVED' },
};

/** What a deed makes of a link, `DRAFT → ACTIVE ⇄ PAUSED → ARCHIVED`; null where it cannot be done. */
export function nextLinkStatus(status: LinkStatus, deed: LinkDeed): LinkStatus | null {
  const { from, to } = NEXT[deed];
  return from.includes(status) ? to : null;
}

/** What a deed leads to, wherever it is done. */
export function statusAfter(deed: LinkDeed): LinkStatus {
  return NEXT[deed].to;
}

/** A link as what it is depends on it. */
export interface LinkMoment {
  readonly status: LinkStatus;
  readonly startsAt: Date | null;
  readonly expiresAt: Date | null;
  /** Whether its limits leave nothing, as the database keeps it. */
  readonly exhausted: boolean;
  /** Whether nobody of the organization stands for any of its payees any more, as the database keeps it. */
  readonly unproved: boolean;
  /** Whether it could be paid, but on chains alone that nobody watches, as the database keeps it. */
  readonly unwatched: boolean;
}

/** What a link is at a moment; of several reasons why it takes no payments, the one that lasts longest. */
export function linkStateAt(link: LinkMoment, now: number): LinkState {
  const { status, startsAt, expiresAt, exhausted, unproved, unwatched } = link;
  if (status !== 'ACTIVE') return status;
  if (expiresAt !== null && expiresAt.getTime() <= now) return 'EXPIRED';
  if (startsAt !== null && startsAt.getTime() > now) return 'SCHEDULED';
  if (unwatched) return 'CHAIN_NOT_WATCHED';
  if (unproved) return 'PAYEE_NOT_PROVED';
  return exhausted ? 'EXHAUSTED' : 'ACTIVE';
}
