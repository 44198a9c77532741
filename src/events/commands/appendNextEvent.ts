import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { metadataOf } from '../model.ts';
import type { NewEvent } from './appendEvent.ts';

/** A fact whose place in its aggregate's history is whatever comes next. */
export type NextEvent = Omit<NewEvent, 'aggregate'> & { readonly aggregate: Omit<NewEvent['aggregate'], 'version'> };

/**
 * Appends a fact behind the last one of its aggregate, in the transaction of the deed. Planned behind a write that
 * locks what the aggregate is, so that of two at one instant the second comes after the first.
 */
export function appendNextEvent(
  context: Pick<Context, 'requestId'> & Partial<Pick<Context, 'client'>>,
  tx: Transaction,
  event: NextEvent,
): Deed {
  const { aggregate, organizationId } = event;
  return tx.$executeRaw`
    /* appendNextEvent */
    insert into events (
      organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
    )
    select
      ${organizationId}::uuid, ${event.type}, ${aggregate.type}, ${aggregate.id}::uuid,
      coalesce(max(aggregate_version), 0) + 1,
      ${event.actor}, ${event.tags}::text[], ${JSON.stringify(event.data)}::jsonb,
      ${JSON.stringify(metadataOf(context))}::jsonb
    from events
    where organization_id = ${organizationId}::uuid
      and aggregate_type = ${aggregate.type}
      and aggregate_id = ${aggregate.id}::uuid`;
}
