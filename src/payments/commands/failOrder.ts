import type { WorkerContext } from '../../context.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { paymentOrderChanged, type ToldOrder } from '../events.ts';
import { OPEN, type OrderException, type OrderStatus } from '../model.ts';

/** Ends an open order that cannot be completed any more, and says why. */
export async function failOrder(
  context: WorkerContext,
  input: { readonly organizationId: string; readonly orderId: string; readonly exception: OrderException },
): Promise<void> {
  const { organizationId, orderId, exception } = input;
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
  await scope.transaction(async (tx) => {
    const [failed] = await tx.$queryRaw<FailedOrder[]>`
      /* failOrder */
      with locked as (
        select organization_id, id, status, exceptions
        from payment_orders
        where organization_id = current_organization_id()
          and id = ${orderId}::uuid
          and status::text = any (${[...OPEN]}::text[])
        for update
      )
      update payment_orders o
      set status = 'FAILED', exceptions = array_append(o.exceptions, ${exception}::payment_order_exception)
      from locked, assets a
      where o.organization_id = locked.organization_id and o.id = locked.id and a.id = o.asset_id
      returning
        o.organization_id as "organizationId", o.id as "paymentOrderId", o.payment_link_id as "paymentLinkId",
        o.status::text as status, o.exceptions::text[] as exceptions, a.caip19 as asset, o.due_units::text as due,
        o.credited_units::text as credited, o.pay_to as "payTo", o.payer, o.refund::text as refund,
        locked.status::text as "from", locked.exceptions::text[] as "exceptionsBefore",
        (
          select coalesce(max(e.aggregate_version), 0) + 1
          from events e
          where e.organization_id = o.organization_id and e.aggregate_type = 'payment-order' and e.aggregate_id = o.id
        ) as "nextVersion"`;
    if (!failed) return;
    const { from, exceptionsBefore, nextVersion, ...row } = failed;
    const order = { ...row, due: BigInt(row.due), credited: BigInt(row.credited) };
    const before = { status: from, exceptions: exceptionsBefore, credited: order.credited };
    await appendEvent(context, tx, paymentOrderChanged({ before, order, version: nextVersion }));
  });
}

interface FailedOrder extends Omit<ToldOrder, 'due' | 'credited'> {
  readonly due: string;
  readonly credited: string;
  readonly from: OrderStatus;
  readonly exceptionsBefore: readonly OrderException[];
  readonly nextVersion: number;
}
