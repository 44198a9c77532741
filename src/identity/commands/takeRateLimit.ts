import type { Context } from '../../context.ts';
import type { Reader } from '../../database/scope.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';

const UNLIMITED = 2_147_483_647;

/**
 * Counts one more deed of this client, and of this wallet when one is named; each has its own count a minute.
 * @returns the database's clock, in milliseconds since 1970
 * @throws RATE_LIMITED with the seconds until the next is allowed
 */
export async function takeRateLimit(
  context: Context,
  db: Pick<Reader, '$queryRaw'>,
  limited: {
    readonly deed: 'challenge';
    readonly allowed: number;
    readonly address: string | null;
  },
): Promise<number> {
  const { deed, address } = limited;
  const allowed = context.environment.TOLLHOUSE_UNSAFE_NO_RATE_LIMITS ? UNLIMITED : limited.allowed;
  const byClient = sha256(`${deed} client ${context.client.limitKey}`);
  const byWallet = sha256(address === null ? `${deed} client ${context.client.limitKey}` : `${deed} wallet ${address}`);
  const [row] = await db.$queryRaw<[{ wait: number; now: Date }]>`
    /* takeRateLimit */
    select
      greatest(
        take_rate_limit(${byClient}::bytea, ${allowed}::int, 60),
        case when ${byClient}::bytea = ${byWallet}::bytea then 0
             else take_rate_limit(${byWallet}::bytea, ${allowed}::int, 60) end
      ) as wait,
      clock_timestamp() as now`;
  if (row.wait > 0) throw kernelErrors.RATE_LIMITED({ seconds: row.wait }, { retryAfter: row.wait });
  return row.now.getTime();
}
