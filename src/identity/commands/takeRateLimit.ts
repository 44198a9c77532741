import type { Context } from '../../context.ts';
import type { Scope } from '../../database/scope.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { liftLimit } from './liftLimit.ts';

/**
 * Counts one more challenge of this client, whatever becomes of it. The wallet that is named is not counted: anybody can
 * name it.
 * @returns the database's clock, in milliseconds since 1970
 * @throws RATE_LIMITED with the seconds until the next is allowed
 */
export async function takeRateLimit(context: Context, scope: Pick<Scope, 'write'>): Promise<number> {
  const allowed = liftLimit(context, context.environment.LIMIT_CHALLENGES_PER_MINUTE);
  const byClient = sha256(`challenge client ${context.client.limitKey}`);
  const [[row]] = await scope.write((tx) => [
    tx.$queryRaw<[{ wait: number; now: Date }]>`
      /* takeRateLimit */
      select take_rate_limit(${byClient}::bytea, ${allowed}::int, 60) as wait, clock_timestamp() as now`,
  ]);
  if (row.wait > 0) throw kernelErrors.RATE_LIMITED({ seconds: row.wait }, { retryAfter: row.wait });
  return row.now.getTime();
}
