import type { Reader } from '../../database/scope.ts';
import type { EventPosition, EventQuery } from '../model.ts';

/** A fact as it stands in the log. */
export interface LoggedEvent extends EventPosition {
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly aggregateVersion: number;
  readonly actor: string;
  readonly tags: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
  readonly requestId: string | null;
  readonly correlationId: string | null;
  readonly causationId: string | null;
  readonly source: string | null;
  readonly recordedAt: Date;
}

/**
 * Reads the facts behind a position, the oldest first, as far as nothing can be committed before them any more: whoever
 * goes on from the last one has missed none. Those of the last moment come with the next reading.
 */
export async function readEvents(
  db: Pick<Reader, '$queryRaw'>,
  input: EventQuery & {
    readonly organizationId: string;
    readonly after: EventPosition;
    readonly limit: number;
  },
): Promise<readonly LoggedEvent[]> {
  const { organizationId, after, types, tags, limit } = input;
  // `position` alone would be the text of the answer, which is in another order
  const rows = await db.$queryRaw<(LoggedEvent & { transactionId: string; position: string })[]>`
    /* readEvents */
    select
      id,
      epoch,
      transaction_id::text as "transactionId",
      position::text as position,
      type,
      version,
      aggregate_type as "aggregateType",
      aggregate_id as "aggregateId",
      aggregate_version as "aggregateVersion",
      actor,
      tags,
      data,
      metadata ->> 'requestId' as "requestId",
      metadata ->> 'correlationId' as "correlationId",
      metadata ->> 'causationId' as "causationId",
      metadata ->> 'source' as "source",
      recorded_at as "recordedAt"
    from events e
    where organization_id = ${organizationId}::uuid
      and (epoch, transaction_id, position)
        > (${after.epoch}::integer, ${String(after.transactionId)}::text::xid8, ${after.position}::bigint)
      and (${types ?? null}::text[] is null or type = any (${types ?? null}::text[]))
      and (${tags ?? null}::text[] is null or tags @> ${tags ?? null}::text[])
      and (epoch < current_event_epoch() or transaction_id < pg_snapshot_xmin(pg_current_snapshot()))
    order by e.epoch, e.transaction_id, e.position
    limit ${limit}::integer`;
  return rows.map((row) => ({
    ...row,
    transactionId: BigInt(row.transactionId),
    position: BigInt(row.position),
  }));
}
