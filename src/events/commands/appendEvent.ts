import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { metadataOf } from '../model.ts';

/** A fact as a domain's `events.ts` states it. */
export interface NewEvent {
  /** `<aggregate>.<past-tense>`, such as `payment-order.paid`. */
  readonly type: string;
  readonly organizationId: string;
  readonly aggregate: { readonly type: string; readonly id: string; readonly version: number };
  /** `user:<id>`, `operator:<user id>`, `payer` or `worker`. */
  readonly actor: string;
  /** The ids that the fact is about, as `type:id`. */
  readonly tags: readonly string[];
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

/** Appends a fact to the log, in the transaction of the deed. Two facts with one version of an aggregate cannot be. */
export function appendEvent(
  context: Pick<Context, 'requestId'> & Partial<Pick<Context, 'client'>>,
  tx: Transaction,
  event: NewEvent,
): Deed {
  const { aggregate } = event;
  const metadata = metadataOf(context);
  return tx.$executeRaw`
    /* appendEvent */
    insert into events (
      organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
    )
    values (
      ${event.organizationId}::uuid, ${event.type}, ${aggregate.type}, ${aggregate.id}::uuid, ${aggregate.version},
      ${event.actor}, ${event.tags}::text[], ${JSON.stringify(event.data)}::jsonb, ${JSON.stringify(metadata)}::jsonb
    )`;
}
