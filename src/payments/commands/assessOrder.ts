import type { WorkerContext } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { paymentOrderMoved } from '../events.ts';
import { type ActiveCredit, type Assessment, assess, type ChainView, type OrderState } from '../model.ts';

interface LockedOrder extends OrderState, ChainView {
  readonly credited: bigint;
  /** Whether the chain has news of its credits that were not judged yet. */
  readonly hasNews: boolean;
  /** Of the event that would come next. */
  readonly nextVersion: number;
}

/**
 * Brings an order to the state that its credits and the chain give it, and tells of it; nothing happens when it is
 * there, and while one of its transfers waits to be judged: where that one stands now is not known.
 */
export async function assessOrder(
  context: WorkerContext,
  tx: Transaction,
  { organizationId, orderId }: { readonly organizationId: string; readonly orderId: string },
): Promise<void> {
  const order = await lockOrder(tx, orderId);
  if (order.hasNews) return;
  const assessment = assess(order, await activeCredits(tx, orderId), order);
  if (isSame(order, assessment)) return;
  await writeAssessment(tx, orderId, assessment);
  if (order.status === assessment.status) return;
  await appendEvent(
    context,
    tx,
    paymentOrderMoved({
      organizationId,
      paymentOrderId: orderId,
      version: order.nextVersion,
      from: order.status,
      to: assessment.status,
      reorged: order.exceptions.includes('REORGED'),
      credited: assessment.credited,
    }),
  );
}

async function lockOrder(tx: Transaction, orderId: string): Promise<LockedOrder> {
  // Two statements: whoever waits for the lock sees in the second what the one before it has done, its event included.
  await tx.$queryRaw`
    /* lockOrder */
    select id from payment_orders
    where organization_id = current_organization_id() and id = ${orderId}::uuid
    for update`;
  const [row] = await tx.$queryRaw<
    (Omit<LockedOrder, 'due' | 'credited' | 'requiredConfirmations'> & {
      due: string;
      credited: string;
      requiredConfirmations: number;
    })[]
  >`
    /* readOrder */
    select
      o.status::text as status, o.exceptions::text[] as exceptions, o.due_units::text as due,
      o.credited_units::text as credited, o.required_confirmations as "requiredConfirmations",
      o.expires_at as "expiresAt",
      coalesce(i.head_number, 0) as head, coalesce(i.finalized_number, 0) as finalized,
      case
        -- no order expires over a payment that is there already, but was not judged yet
        when exists (
          select from chain_transfers t
          where t.incarnation_id = o.incarnation_id
            and t.judged_at is null
            and t.claimed_for_id is null
            and not t.orphaned
            and t.asset_id = o.asset_id
            and t.recipient = o.pay_to
            and t.sender = o.payer
        ) then o.created_at
        else coalesce(i.caught_up_at, o.created_at)
      end as "caughtUpAt",
      exists (
        select from chain_transfers t where t.claimed_for_id = o.id and t.judged_at is null
      ) as "hasNews",
      (
        select coalesce(max(e.aggregate_version), 0) + 1
        from events e
        where e.organization_id = o.organization_id and e.aggregate_type = 'payment-order' and e.aggregate_id = o.id
      ) as "nextVersion"
    from payment_orders o
    join chain_incarnations i on i.id = o.incarnation_id
    where o.organization_id = current_organization_id() and o.id = ${orderId}::uuid`;
  if (!row) throw new Error('An order that was to be assessed is not in its tenant.');
  return {
    ...row,
    due: BigInt(row.due),
    credited: BigInt(row.credited),
    requiredConfirmations: BigInt(row.requiredConfirmations),
  };
}

async function activeCredits(tx: Transaction, orderId: string): Promise<ActiveCredit[]> {
  const credits = await tx.paymentCredit.findMany({
    where: { paymentOrderId: orderId, reversedAt: null },
    select: { units: true, blockchainTransaction: { select: { blockNumber: true } } },
  });
  return credits.map(({ units, blockchainTransaction: { blockNumber } }) => ({
    units: BigInt(units.toFixed()),
    blockNumber,
  }));
}

function isSame(order: LockedOrder, { status, exceptions, credited }: Assessment): boolean {
  return (
    order.status === status && order.credited === credited && [...order.exceptions].sort().join() === exceptions.join()
  );
}

async function writeAssessment(tx: Transaction, orderId: string, assessment: Assessment): Promise<void> {
  const { status, exceptions, credited } = assessment;
  await tx.$executeRaw`
    /* writeAssessment */
    update payment_orders
    set status = ${status}::payment_order_status,
        exceptions = ${[...exceptions]}::payment_order_exception[],
        credited_units = ${credited.toString()}::numeric,
        paid_at = case
          when ${status} in ('PAID', 'FINAL') then coalesce(paid_at, clock_timestamp())
        end
    where organization_id = current_organization_id() and id = ${orderId}::uuid`;
}
