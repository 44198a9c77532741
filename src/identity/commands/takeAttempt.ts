import type { Context } from '../../context.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { identityErrors } from '../errors.ts';
import { CLIENT_FAILURES, failureKeys } from '../model.ts';

const UNLIMITED = 2_147_483_647;

/** An attempt that may go on. */
export interface Attempt {
  /** The database's clock, in milliseconds since 1970. */
  readonly now: number;
  /** Whether this client failed with this wallet before, and has not proved it since. */
  readonly hasFailed: boolean;
}

/**
 * Counts one more attempt of this client to prove a wallet, and of the wallet when one is named; unless the client is
 * locked out, alone or with this wallet: then nothing is counted, so that it cannot use up the wallet's own attempts.
 * @throws LOCKED_OUT, RATE_LIMITED with the seconds until the next is allowed
 */
export async function takeAttempt(context: Context, address: string | null): Promise<Attempt> {
  const { environment, client } = context;
  const { LOCKOUT_AFTER_FAILURES, LOCKOUT_SECONDS, LOCKOUT_MAX_SECONDS } = environment;
  const free = environment.TOLLHOUSE_UNSAFE_NO_RATE_LIMITS;
  const allowed = free ? UNLIMITED : environment.LIMIT_SIGN_INS_PER_MINUTE;
  const failures = free ? UNLIMITED : LOCKOUT_AFTER_FAILURES;
  const together = free ? UNLIMITED : LOCKOUT_AFTER_FAILURES * CLIENT_FAILURES;
  const keys = failureKeys(client.limitKey, address);
  const byClient = sha256(`sign-in client ${client.limitKey}`);
  const byWallet = address === null ? byClient : sha256(`sign-in wallet ${address}`);
  const [row] = await context.identityScope({}).db.$queryRaw<
    [{ locked: number; hasFailed: boolean; wait: number; now: Date }]
  >`
    /* takeAttempt */
    with lockout as materialized (
      select
        lockout_seconds(
          ${keys.pair}::bytea, ${failures}::int, ${LOCKOUT_SECONDS}::int, ${LOCKOUT_MAX_SECONDS}::int
        ) as pair,
        lockout_seconds(
          ${keys.client}::bytea, ${together}::int, ${LOCKOUT_SECONDS}::int, ${LOCKOUT_MAX_SECONDS}::int
        ) as client
    )
    select
      greatest(pair, client, 0) as locked,
      pair is not null as "hasFailed",
      case
        when greatest(pair, client, 0) > 0 then 0
        else greatest(
          take_rate_limit(${byClient}::bytea, ${allowed}::int, 60),
          case when ${byClient}::bytea = ${byWallet}::bytea then 0
               else take_rate_limit(${byWallet}::bytea, ${allowed}::int, 60) end
        )
      end as wait,
      clock_timestamp() as now
    from lockout`;
  if (row.locked > 0) throw identityErrors.LOCKED_OUT({ seconds: row.locked }, { retryAfter: row.locked });
  if (row.wait > 0) throw kernelErrors.RATE_LIMITED({ seconds: row.wait }, { retryAfter: row.wait });
  return { now: row.now.getTime(), hasFailed: address !== null && row.hasFailed };
}
