import { createHash } from 'node:crypto';
import type { Prisma } from '../database/generated/client.ts';

/** Sends a statement as whoever may read the audit, and answers its rows. */
export interface AuditReader {
  read<Row>(statement: Prisma.Sql): Promise<Row[]>;
}

/** Where an entry stands among all: the cluster's epoch, the transaction, the place in the log. */
export type Order = readonly [epoch: bigint, transactionId: bigint, logPosition: bigint];

/** A seal, and what its entry says now. */
export interface Link {
  readonly position: bigint;
  readonly entryId: string;
  /** In hexadecimal digits. */
  readonly hash: string;
  readonly order: Order;
  /** What stands behind the entry's id in its text, but for what follows; null when the entry is gone. */
  readonly words: readonly (string | null)[] | null;
  /** As PostgreSQL writes `jsonb`. */
  readonly before: string | null;
  readonly after: string | null;
  /** The API key that made the change; its entry's text has one part more, at the end. */
  readonly keyId: string | null;
}

/** How far a chain was followed. */
export interface ChainEnd {
  readonly position: bigint;
  readonly hash: string;
  readonly order: Order;
}

/** Where every chain begins. */
export const GENESIS: ChainEnd = { position: 0n, hash: '00'.repeat(32), order: [-1n, 0n, 0n] };

/** An entry that has no seal. */
export interface Unsealed {
  readonly entryId: string;
  readonly order: Order;
}

/** What is wrong with a chain, each with what it means. */
export const FAULTS = {
  ALTERED: 'The entry, or its seal, does not say what it said when it was sealed.',
  MISSING: 'The entry is gone, or its seal is.',
  INSERTED: 'The entry was put among those that were sealed before it.',
  REORDERED: 'The entry does not stand where it stood.',
  REWRITTEN: 'The chain does not have the hash that was kept of it: all of it may be another.',
} as const;

/** The first thing that is wrong with a chain. */
export interface Fault {
  readonly kind: keyof typeof FAULTS;
  readonly position: bigint;
  /** Null when nothing is left to tell which one it was. */
  readonly entryId: string | null;
}

/** Whether the first stands before the second. */
export function precedes(first: Order, second: Order): boolean {
  const index = first.findIndex((part, place) => part !== second[place]);
  return index >= 0 && (first[index] ?? 0n) < (second[index] ?? 0n);
}

/** The text of an entry that is sealed at this position, as docs/domains/audit.md says it byte for byte. */
function textOf(organizationId: string, link: Link): string {
  const parts = ['tollhouse-audit-1', organizationId, String(link.position), link.entryId, ...(link.words ?? [])];
  const key = link.keyId === null ? [] : [JSON.stringify(link.keyId)];
  const all = [...parts.map((part) => JSON.stringify(part)), link.before ?? 'null', link.after ?? 'null', ...key];
  return `[${all.join(', ')}]`;
}

/** SHA-256 of the hash before and the text, in hexadecimal digits. */
function hashOf(before: string, text: string): string {
  return createHash('sha256').update(Buffer.from(before, 'hex')).update(text).digest('hex');
}

/**
 * Follows a chain over its next links.
 * @param next.links in the order of their positions
 * @param next.ahead the link behind those, which tells a swap from a change
 * @param next.stray the first entry that has no seal where everything should have one
 * @returns how far it is sound, and what is wrong behind that
 */
export function followLinks(
  start: ChainEnd,
  next: {
    readonly organizationId: string;
    readonly links: readonly Link[];
    readonly ahead: Link | undefined;
    readonly stray: Unsealed | null;
  },
): { readonly end: ChainEnd; readonly fault: Fault | null } {
  const { links, stray } = next;
  let end = start;
  for (const [index, link] of links.entries()) {
    const fault = faultOf(end, next.organizationId, link, links[index + 1] ?? next.ahead, stray);
    if (fault) return { end, fault: { position: end.position + 1n, ...fault } };
    end = link;
  }
  const inserted = stray && { kind: 'INSERTED' as const, position: end.position + 1n, entryId: stray.entryId };
  return { end, fault: inserted };
}

function faultOf(
  end: ChainEnd,
  organizationId: string,
  link: Link,
  following: Link | undefined,
  stray: Unsealed | null,
): Omit<Fault, 'position'> | null {
  const { entryId, words, order } = link;
  const follows = link.position === end.position + 1n;
  if (stray && precedes(stray.order, order)) {
    return { kind: follows ? 'INSERTED' : 'MISSING', entryId: stray.entryId };
  }
  if (!follows) return { kind: 'MISSING', entryId: null };
  if (!words) return { kind: 'MISSING', entryId };
  if (!precedes(end.order, order)) return { kind: 'REORDERED', entryId };
  const moved = order.some((part, place) => String(part) !== words[place]);
  if (!moved && hashOf(end.hash, textOf(organizationId, link)) === link.hash) return null;
  const swapped = moved || (following !== undefined && precedes(following.order, order));
  return { kind: swapped ? 'REORDERED' : 'ALTERED', entryId };
}
