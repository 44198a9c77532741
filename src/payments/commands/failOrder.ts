import type { WorkerContext } from '../../context.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { paymentOrderMoved } from '../events.ts';
import { OPEN, type OrderException, type OrderStatus } from '../model.ts';

/** Ends an open order that cannot be completed any more, and says why. */
export async function failOrder(
  context: WorkerContext,
  input: { readonly organizationId: string; readonly orderId: string; readonly exception: OrderException },
): Promise<void> {
  const { organizationId, orderId, exception } = input;
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
  await scope.transaction(async (tx) => {
    const [failed] = await tx.$queryRaw<{ from: OrderStatus; credited: string; nextVersion: number }[]>`
      /* failOrder */
      with locked as (
        select organization_id, id, status
        from payment_orders
        where organization_id = current_organization_id()
          and id = ${orderId}::uuid
          and status::text = any (${[...OPEN]}::text[])
        for update
      )
      update payment_orders o
      set status = 'FAILED', exceptions = array_append(o.exceptions, ${exception}::payment_order_exception)
      from locked
      where o.organization_id = locked.organization_id and o.id = locked.id
      returning
        locked.status::text as "from", o.credited_units::text as credited,
        (
          select coalesce(max(e.aggregate_version), 0) + 1
          from events e
          where e.organization_id = o.organization_id and e.aggregate_type = 'payment-order' and e.aggregate_id = o.id
        ) as "nextVersion"`;
    if (!failed) return;
    const { from, credited, nextVersion } = failed;
    await appendEvent(
      context,
      tx,
      paymentOrderMoved({
        organizationId,
        paymentOrderId: orderId,
        version: nextVersion,
        from,
        to: 'FAILED',
        reorged: false,
        credited: BigInt(credited),
      }),
    );
  });
}
