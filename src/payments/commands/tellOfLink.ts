import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { metadataOf } from '../../events/model.ts';
import type { LinkFact } from '../events.ts';

/**
 * Appends a fact about a link behind its last one, in the transaction of the deed. Whoever may write payments need not be
 * one who reads the log, so the database says which place is the next.
 */
export function tellOfLink(context: Context, tx: Transaction, fact: LinkFact): Deed {
  const { organizationId, type, paymentLinkId, actor, tags, data } = fact;
  return tx.$executeRaw`
    /* tellOfLink */
    insert into events (
      organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, tags, data, metadata
    )
    values (
      ${organizationId}::uuid, ${type}, 'payment-link', ${paymentLinkId}::uuid,
      next_link_version(${paymentLinkId}::uuid), ${actor}, ${tags}::text[], ${JSON.stringify(data)}::jsonb,
      ${JSON.stringify(metadataOf(context))}::jsonb
    )`;
}
