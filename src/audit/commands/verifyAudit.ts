import type { Context } from '../../context.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import type { ChainEnd } from '../model.ts';
import { type Verification, verifyChain } from './verifyChain.ts';

/** How many entries one request may have verified: some ten milliseconds of ours. */
const MOST_LINKS = 1_000;
/** What PostgreSQL's `bigint` holds. */
const LAST_POSITION = 2n ** 63n - 1n;

/** Who has asked for it already: one request, one verification, however often its document names it. */
const asked = new WeakSet<Context>();

/**
 * Verifies a part of the viewer's organization's chain.
 * @param input.from where to go on, or what was kept of the chain; from its beginning when absent
 * @param input.first how many entries at most: 1 to 1,000
 * @throws FORBIDDEN, UNAUTHENTICATED, BAD_USER_INPUT
 */
export async function verifyAudit(
  context: Context,
  { from, first }: { readonly from?: Pick<ChainEnd, 'position' | 'hash'> | undefined; readonly first: number },
): Promise<Verification> {
  const { scope, viewer } = context;
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  if (first < 1 || first > MOST_LINKS) {
    throw kernelErrors.BAD_USER_INPUT({ argument: 'first', expected: `1 to ${MOST_LINKS}`, actual: first });
  }
  if (from && (from.position < 0n || from.position > LAST_POSITION)) {
    throw kernelErrors.BAD_USER_INPUT({ argument: 'from', expected: 'a place that a verification gave out' });
  }
  if (asked.has(context)) {
    throw kernelErrors.BAD_USER_INPUT({ field: 'auditVerification', expected: 'once in a request' });
  }
  asked.add(context);
  return verifyChain(
    { read: (statement) => scope.db.$queryRaw(statement) },
    { organizationId: viewer.organizationId, from, limit: first },
  );
}
