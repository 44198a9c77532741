import type { Context } from '../../context.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';

/**
 * Counts one more question to the name system on an organization's behalf, whatever becomes of it: who asks it is us,
 * and whoever owns an organization must not have us ask without end.
 * @throws RATE_LIMITED with the seconds until the next is allowed
 */
export async function takeDomainCheck(context: Context, organizationId: string): Promise<void> {
  const { TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: free, LIMIT_DOMAIN_CHECKS_PER_ORGANIZATION_PER_MINUTE: allowed } =
    context.environment;
  if (free) return;
  // counting is of those who have no organization yet, and a member could count for other people
  const [[row]] = await context.identityScope({}).write((tx) => [
    tx.$queryRaw<[{ wait: number }]>`
      /* takeDomainCheck */
      select take_rate_limit(${sha256(`domain checks organization ${organizationId}`)}::bytea, ${allowed}::int, 60) as wait`,
  ]);
  if (row.wait > 0) throw kernelErrors.RATE_LIMITED({ seconds: row.wait }, { retryAfter: row.wait });
}
