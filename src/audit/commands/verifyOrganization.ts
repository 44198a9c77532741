import type { AuditReader, ChainEnd, Fault, Order } from '../model.ts';
import { type Verification, verifyChain } from './verifyChain.ts';

/** How many entries are held at a time. */
const BATCH = 1_000;

/** What came of following a chain to its end, or to the first thing that is wrong with it. */
export interface Report {
  readonly end: ChainEnd;
  /** How many entries are not sealed yet, a thousand at most; null behind a fault. */
  readonly waiting: number | null;
  readonly fault: Fault | null;
}

/**
 * Follows an organization's whole chain, in batches.
 * @param input.head a hash that was kept elsewhere, in hexadecimal digits: the chain must have passed it
 * @param input.sealedUpTo how far sealing has come in all organizations
 */
export async function verifyOrganization(
  reader: AuditReader,
  input: {
    readonly organizationId: string;
    readonly head?: string | undefined;
    readonly sealedUpTo?: Order | undefined;
  },
): Promise<Report> {
  const { organizationId, head, sealedUpTo } = input;
  let found = head === undefined;
  let last: Verification | null = null;
  do {
    last = await verifyChain(reader, { organizationId, from: last?.end, limit: BATCH, sealedUpTo });
    found ||= last.hashes.includes(head ?? '');
  } while (!last.complete && !last.fault);
  const { end, waiting, fault } = last;
  const rewritten = found ? null : { kind: 'REWRITTEN' as const, position: end.position, entryId: null };
  return { end, waiting, fault: fault ?? rewritten };
}
