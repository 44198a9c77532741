import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { type EventPosition, type EventQuery, metadataOf } from '../model.ts';
import type { NewEvent } from './appendEvent.ts';

/** What must not have been told since the decision was made. */
export interface AppendCondition {
  /** Of these queries one is enough. */
  readonly none: readonly EventQuery[];
  /** Where the reading of the decision ended. */
  readonly after: EventPosition;
}

/**
 * Appends a fact if nothing that the condition names stands behind the position (dcb.events). Of many at one instant
 * with one condition exactly one is told: the organization's log is locked from here to the end of the transaction, so
 * it comes first in it.
 * @throws CONSISTENCY_CONFLICT with the cursor of the newest fact that is in the way
 */
export function appendEventIf(
  context: Pick<Context, 'requestId'> & Partial<Pick<Context, 'client'>>,
  tx: Transaction,
  event: NewEvent,
  { none, after }: AppendCondition,
): Deed {
  const { organizationId, type, aggregate, actor, tags, data } = event;
  const fact = {
    organization_id: organizationId,
    type,
    aggregate_type: aggregate.type,
    aggregate_id: aggregate.id,
    aggregate_version: aggregate.version,
    actor,
    tags,
    data,
    metadata: metadataOf(context),
  };
  const { epoch, transactionId, position } = after;
  return tx.$executeRaw`
    /* appendEventIf */
    select append_event_if(
      ${JSON.stringify(fact)}::jsonb, ${JSON.stringify(none)}::jsonb,
      ${epoch}::integer, ${String(transactionId)}::text::xid8, ${position}::bigint
    )`;
}
