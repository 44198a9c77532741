import type { Context } from '../../context.ts';
import type { Scope } from '../../database/scope.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';

/**
 * Counts one more challenge of this client, whatever becomes of it. The wallet that is named is not counted: anybody can
 * name it.
 * @returns the database's clock, in milliseconds since 1970
 * @throws RATE_LIMITED with the seconds until the next is allowed
 */
export async function takeRateLimit(context: Context, scope: Pick<Scope, 'write'>): Promise<number> {
  const { LIMIT_CHALLENGES_PER_MINUTE: allowed, TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: lifted } = context.environment;
  const byClient = sha256(`challenge client ${context.client.limitKey}`);
  const [[row]] = await scope.write((tx) => [
    tx.$queryRaw<[{ wait: number; now: Date }]>`
      /* takeRateLimit */
      select
        case when ${lifted}::boolean then 0 else take_rate_limit(${byClient}::bytea, ${allowed}::int, 60) end as wait,
        clock_timestamp() as now`,
  ]);
  if (row.wait > 0) throw kernelErrors.RATE_LIMITED({ seconds: row.wait }, { retryAfter: row.wait });
  return row.now.getTime();
}
