import type { Context } from '../../context.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { identityErrors } from '../errors.ts';
import { failureKeys } from '../model.ts';
import { liftLimit } from './liftLimit.ts';

/** An attempt that may go on. */
export interface Attempt {
  /** The database's clock, in milliseconds since 1970. */
  readonly now: number;
  /** Whether this client failed with this wallet before, and has not proved it since. */
  readonly hasFailed: boolean;
  /** What the nonce was given out for; null when there is no such nonce, or no text. */
  readonly challenge: KnownChallenge | null;
}

/** What is attempted with. */
export interface Attempted {
  /** Null where no challenge is answered. */
  readonly nonce: string | null;
  /** The wallet's address, or what is counted in its place where the wallet is not known yet. */
  readonly address: string;
}

/** What a text is held to by the challenge that it answers. */
export interface KnownChallenge {
  readonly domain: string | null;
  readonly chainId: bigint | null;
  readonly messageHash: Uint8Array | null;
}

/**
 * Counts one more attempt of this client to prove a wallet, unless it is locked out, alone or with this wallet. The
 * wallet is not counted before it has been proved, since anybody can name it and would keep its owner out. The challenge
 * is read in the same round trip, and told only to an attempt that may go on.
 * @throws LOCKED_OUT, RATE_LIMITED with the seconds until the next is allowed
 */
export async function takeAttempt(context: Context, attempted: Attempted | null): Promise<Attempt> {
  const { environment, client } = context;
  const address = attempted?.address ?? null;
  const nonce = attempted?.nonce ?? null;
  const { LOCKOUT_AFTER_FAILURES, LOCKOUT_CLIENT_FACTOR, LOCKOUT_SECONDS, LOCKOUT_MAX_SECONDS } = environment;
  const { LIMIT_SIGN_INS_PER_MINUTE: allowed, TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: lifted } = environment;
  const failures = liftLimit(context, LOCKOUT_AFTER_FAILURES);
  const together = liftLimit(context, LOCKOUT_AFTER_FAILURES * LOCKOUT_CLIENT_FACTOR);
  const keys = failureKeys(client.limitKey, address);
  const byClient = sha256(`sign-in client ${client.limitKey}`);
  const [[row], challenge] = await context.identityScope({}).write((tx) => [
    tx.$queryRaw<[{ locked: number; hasFailed: boolean; wait: number; now: Date }]>`
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
          when ${lifted}::boolean or greatest(pair, client, 0) > 0 then 0
          else take_rate_limit(${byClient}::bytea, ${allowed}::int, 60)
        end as wait,
        clock_timestamp() as now
      from lockout`,
    ...(nonce !== null
      ? [
          tx.challenge.findFirst({
            where: { nonceHash: sha256(nonce) },
            select: { domain: true, chainId: true, messageHash: true },
          }),
        ]
      : []),
  ]);
  if (row.locked > 0) throw identityErrors.LOCKED_OUT({ seconds: row.locked }, { retryAfter: row.locked });
  if (row.wait > 0) throw kernelErrors.RATE_LIMITED({ seconds: row.wait }, { retryAfter: row.wait });
  return { now: row.now.getTime(), hasFailed: address !== null && row.hasFailed, challenge: challenge ?? null };
}
