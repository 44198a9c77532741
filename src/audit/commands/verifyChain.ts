import { type AuditReader, type ChainEnd, type Fault, followLinks, GENESIS, type Order, precedes } from '../model.ts';
import { findUnsealed } from './findUnsealed.ts';
import { readLinks } from './readLinks.ts';

/** What came of following a chain a little further. */
export interface Verification {
  /** How many entries were found sound. */
  readonly checked: number;
  /** Up to where the chain is sound. */
  readonly end: ChainEnd;
  /** Whether that is where the chain ends. */
  readonly complete: boolean;
  /** How many entries are not sealed yet, a thousand at most; null when the chain goes on. */
  readonly waiting: number | null;
  readonly fault: Fault | null;
  /** The hashes that were passed. */
  readonly hashes: readonly string[];
}

/**
 * Follows an organization's chain over so many links, and recomputes each of them.
 * @param input.from a position and its hash, as they were kept; from the beginning when absent
 * @param input.sealedUpTo how far sealing has come in all organizations: what is before that has to be sealed
 * @throws FORBIDDEN
 */
export async function verifyChain(
  reader: AuditReader,
  input: {
    readonly organizationId: string;
    readonly from?: Pick<ChainEnd, 'position' | 'hash'> | undefined;
    readonly limit: number;
    readonly sealedUpTo?: Order | undefined;
  },
): Promise<Verification> {
  const { organizationId, from = GENESIS, limit } = input;
  // the one that was kept, and one ahead
  const read = await readLinks(reader, { organizationId, from: from.position, limit: limit + 2 });
  const kept = from.position === 0n ? GENESIS : read.shift();
  const known = kept?.position === from.position && kept.hash === from.hash;
  const start: ChainEnd = known ? kept : { ...GENESIS, ...from };
  const links = read.slice(0, limit);
  const ahead = read[limit];
  const last = links.at(-1)?.order ?? start.order;
  const complete = !ahead;
  const { sealedUpTo = last } = input;
  const upTo = complete && precedes(last, sealedUpTo) ? sealedUpTo : last;
  const { stray, waiting } = await findUnsealed(reader, { organizationId, after: start.order, upTo, open: complete });
  const { end, fault } = known
    ? followLinks(start, { organizationId, links, ahead, stray })
    : { end: start, fault: { kind: 'REWRITTEN' as const, position: from.position, entryId: null } };
  return {
    checked: Number(end.position - start.position),
    end,
    complete: complete && !fault,
    waiting: complete ? waiting : null,
    fault,
    hashes: links.filter(({ position }) => position <= end.position).map(({ hash }) => hash),
  };
}
