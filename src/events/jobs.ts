import type { WorkerContext } from '../context.ts';
import type { Transaction } from '../database/scope.ts';
import { claimEvents } from './commands/claimEvents.ts';
import { workOnDeliveries } from './commands/workOnDeliveries.ts';
import type { Subscriber } from './model.ts';

/** How many organizations are looked after before the log is asked for more. */
const ORGANIZATIONS = 100;

/**
 * Lets a subscriber work on what was told since, once: everything that is new, and what went wrong before and is due
 * again. Any number of processes may do it at once. What goes wrong is logged, and does not hold up the others.
 */
export async function serveSubscriber(
  context: WorkerContext,
  subscriber: Subscriber<Transaction>,
  signal?: AbortSignal,
): Promise<void> {
  await claimEvents(context, subscriber, signal);
  for (const organizationId of await findDue(context, subscriber.name)) {
    for (let worked = 1; worked > 0 && !signal?.aborted; ) {
      const done = await workOnDeliveries(context, subscriber, organizationId);
      worked = done.worked;
      for (const [eventId, error] of done.failures) {
        context.log.warn(
          { subscriber: subscriber.name, organizationId, eventId, error },
          'a fact could not be worked on',
        );
      }
    }
  }
}

async function findDue({ database, requestId }: WorkerContext, subscriber: string): Promise<string[]> {
  const rows = await database.as({ kind: 'worker', requestId }).db.$queryRaw<{ organizationId: string }[]>`
    /* findDueDeliveries */
    select distinct organization_id as "organizationId"
    from (
      select organization_id
      from event_deliveries
      where subscriber = ${subscriber} and processed_at is null and due_at <= clock_timestamp()
      order by due_at
      limit 1000
    ) due
    limit ${ORGANIZATIONS}`;
  return rows.map(({ organizationId }) => organizationId);
}

/** Forgets deliveries that were done long ago. */
export async function sweepDeliveries(context: WorkerContext): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  // the policy leaves the worker nothing but what was done more than a week ago
  await scope.write((tx) => [tx.eventDelivery.deleteMany()]);
}
