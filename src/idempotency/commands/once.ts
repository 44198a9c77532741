import { isUniqueViolation } from '../../database/errors.ts';
import type { Deed, Scope, Transaction } from '../../database/scope.ts';
import { GatewayError, kernelErrors } from '../../kernel/errors.ts';
import { idempotencyErrors } from '../errors.ts';
import { hashKey, hashRequest, hoursOf } from '../model.ts';

/** A key as a client gave it. */
export interface GivenKey {
  readonly key: string;
  /** Which of several deeds under one key this is: a field's place in the answer, for a key that came with the request. */
  readonly path: string;
}

/** A deed that is done once for each key. */
export interface KeyedDeed {
  readonly given: GivenKey | null;
  readonly organizationId: string;
  /** `user:<id>`, or `link:<id>` for payers. */
  readonly principal: string;
  readonly operation: string;
  /** What was asked for, without the key. */
  readonly variables: object;
  /** The id of what the deed makes. */
  readonly resultId: string;
  /** Whether it is about money; its key is remembered for longer then. */
  readonly isMoney?: boolean;
}

/** What was done, now or before. */
export type Done<Answer> = Answer & { readonly replayed: boolean };

/**
 * Does a deed, or answers again what it made when its key was used before. The record of the key is written in the
 * deed's own transaction, first of all, so that of many at one instant the others wait there for the first.
 * @param first is handed what records the key, to be planned before anything else
 * @param replay is handed the id of what was made
 * @throws IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS, IDEMPOTENCY_RESULT_GONE
 */
export async function once<Answer extends object>(
  scope: Scope,
  deed: KeyedDeed,
  first: (record: (tx: Transaction) => readonly Deed[]) => Promise<Answer>,
  replay: (resultId: string) => Promise<Answer>,
): Promise<Done<Answer>> {
  if (deed.given === null) return { ...(await first(() => [])), replayed: false };
  const keyHash = hashKey(deed.given.key, deed.given.path);
  const requestHash = hashRequest(deed.variables);
  const { organizationId, principal, operation, resultId } = deed;
  const record = (tx: Transaction): Deed[] => [
    tx.$executeRaw`
      /* recordIdempotencyKey */
      insert into idempotency_keys (
        organization_id, principal, operation, key_hash, request_hash, result_id, expires_at
      )
      values (
        ${organizationId}::uuid, ${principal}, ${operation}, ${keyHash}::bytea, ${requestHash}::bytea,
        ${resultId}::uuid, transaction_timestamp() + make_interval(hours => ${hoursOf(deed)}::int)
      )`,
  ];
  try {
    return { ...(await first(record)), replayed: false };
  } catch (error) {
    if (!isUniqueViolation(error)) throw explain(error);
    const known = await scope.db.idempotencyKey.findFirst({
      where: { organizationId, principal, operation, keyHash },
      select: { requestHash: true, resultId: true },
    });
    if (!known) throw error;
    if (!requestHash.equals(known.requestHash)) throw idempotencyErrors.IDEMPOTENCY_KEY_REUSED({ operation });
    const answer = await replay(known.resultId).catch((cause: unknown) => {
      throw explain(cause);
    });
    return { ...answer, replayed: true };
  }
}

/** What a failure means to whoever has a key, and so may simply try again. */
function explain(error: unknown): unknown {
  if (isLockTimeout(error)) return idempotencyErrors.IDEMPOTENCY_IN_PROGRESS({}, { cause: error, retryAfter: 1 });
  if (isOutcomeUnknown(error)) return kernelErrors.UNAVAILABLE({}, { cause: error });
  if (isMissing(error)) return idempotencyErrors.IDEMPOTENCY_RESULT_GONE({}, { cause: error });
  return error;
}

/** What was made once, and is not there to be read. */
function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'P2025';
}

function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'OUTCOME_UNKNOWN';
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof GatewayError && (error.cause as { code?: unknown } | undefined)?.code === '55P03';
}
