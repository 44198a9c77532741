import type { WorkerContext } from '../../context.ts';
import type { Scope, Transaction } from '../../database/scope.ts';
import type { DeliveredFact, Subscriber } from '../model.ts';

/** How many facts are worked on in one transaction. */
const BATCH = 100;
/** What went wrong is kept so far. */
const LONGEST_ERROR = 500;
const LONGEST_PAUSE_SECONDS = 3_600;

/**
 * Works on what is due of one organization's deliveries, once: what went well is done, what went wrong is tried again
 * later and later. Several may do it at once, each with others. Whatever ends it in between leaves it to be done again.
 * @returns how many facts were worked on, and what went wrong, by the fact's id
 */
export async function workOnDeliveries(
  context: WorkerContext,
  subscriber: Subscriber<Transaction>,
  organizationId: string,
): Promise<{ readonly worked: number; readonly failures: ReadonlyMap<string, string> }> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
  let taken: readonly DeliveredFact[] = [];
  try {
    return await scope.transaction(async (tx) => {
      taken = await takeDue(tx, subscriber.name);
      if (taken.length === 0) return { worked: 0, failures: new Map() };
      const failures = await subscriber.work(tx, organizationId, taken);
      await settle(tx, subscriber.name, taken, failures);
      return { worked: taken.length, failures };
    });
  } catch (error) {
    const failures = new Map(taken.map(({ eventId }) => [eventId, String(error)]));
    if (taken.length > 0) await putOff(scope, subscriber.name, taken, failures);
    throw error;
  }
}

function takeDue(tx: Transaction, subscriber: string): Promise<DeliveredFact[]> {
  return tx.$queryRaw<DeliveredFact[]>`
    /* takeDueDeliveries */
    select e.id as "eventId", e.aggregate_type as "aggregateType", e.aggregate_id as "aggregateId"
    from event_deliveries d
    join events e on e.organization_id = d.organization_id and e.id = d.event_id
    where d.organization_id = current_organization_id()
      and d.subscriber = ${subscriber}
      and d.processed_at is null
      and d.due_at <= clock_timestamp()
    order by e.epoch, e.transaction_id, e.position
    limit ${BATCH}
    for update of d skip locked`;
}

async function settle(
  tx: Transaction,
  subscriber: string,
  facts: readonly DeliveredFact[],
  failures: ReadonlyMap<string, string>,
): Promise<void> {
  const errors = facts.map(({ eventId }) => failures.get(eventId)?.slice(0, LONGEST_ERROR) ?? null);
  await tx.$executeRaw`
    /* settleDeliveries */
    update event_deliveries d
    set attempts = d.attempts + 1,
        error = worked.error,
        processed_at = case when worked.error is null then clock_timestamp() end,
        due_at = clock_timestamp()
          + make_interval(secs => least(power(2, least(d.attempts, 20)), ${LONGEST_PAUSE_SECONDS}::integer))
    from unnest(${facts.map(({ eventId }) => eventId)}::uuid[], ${errors}::text[]) as worked (event_id, error)
    where d.organization_id = current_organization_id()
      and d.subscriber = ${subscriber}
      and d.event_id = worked.event_id
      and d.processed_at is null`;
}

/** What was written is undone; that it was tried is kept. */
function putOff(scope: Scope, ...what: [string, readonly DeliveredFact[], ReadonlyMap<string, string>]): Promise<void> {
  return scope.transaction((tx) => settle(tx, ...what));
}
