import { finalityOf } from '../../chain/model.ts';
import type { WorkerContext } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import type { FinalityPolicy } from '../../kernel/finality.ts';
import { paymentOrderChanged, type ToldOrder } from '../events.ts';
import {
  type ActiveCredit,
  type Assessment,
  assess,
  type ChainView,
  type OrderException,
  type ShortfallPolicy,
} from '../model.ts';

/** What has been noticed of an order besides its credits. */
export interface Notice {
  readonly note?: readonly OrderException[];
  readonly forget?: readonly OrderException[];
}

interface LockedOrder extends ToldOrder, ChainView {
  readonly tolerance: bigint;
  readonly finality: FinalityPolicy;
  readonly underPolicy: ShortfallPolicy;
  readonly expiresAt: Date;
  /** Whether the chain has news of its credits that were not judged yet. */
  readonly hasNews: boolean;
  /** Of the event that would come next. */
  readonly nextVersion: number;
}

/**
 * Brings an order to the state that its credits and the chain give it, and tells of it; nothing happens when it is
 * there. While one of its transfers waits to be judged nobody knows where that one stands now: then it is only noted
 * what is unusual.
 * @returns whether it has changed
 */
export async function assessOrder(
  context: WorkerContext,
  tx: Transaction,
  input: { readonly organizationId: string; readonly orderId: string } & Notice,
): Promise<boolean> {
  const { orderId, note = [], forget = [] } = input;
  const before = await lockOrder(tx, orderId);
  const kept = before.exceptions.filter((exception) => !forget.includes(exception));
  const exceptions = [...new Set([...kept, ...note])].sort();
  const assessment = before.hasNews
    ? { status: before.status, exceptions, credited: before.credited }
    : assess({ ...before, exceptions }, await activeCredits(tx, orderId), before);
  if (isSame(before, assessment)) return false;
  await writeAssessment(tx, orderId, assessment);
  const order = { ...before, ...assessment };
  await appendEvent(context, tx, paymentOrderChanged({ before, order, version: before.nextVersion }));
  return true;
}

async function lockOrder(tx: Transaction, orderId: string): Promise<LockedOrder> {
  // Two statements: whoever waits for the lock sees in the second what the one before it has done, its event included.
  await tx.$queryRaw`
    /* lockOrder */
    select id from payment_orders
    where organization_id = current_organization_id() and id = ${orderId}::uuid
    for update`;
  const [row] = await tx.$queryRaw<
    (Omit<LockedOrder, 'due' | 'tolerance' | 'credited' | 'finality'> & {
      due: string;
      tolerance: string;
      credited: string;
      finality: string;
      confirmations: number;
    })[]
  >`
    /* readOrder */
    select
      o.organization_id as "organizationId", o.id as "paymentOrderId", o.payment_link_id as "paymentLinkId",
      o.status::text as status, o.exceptions::text[] as exceptions, a.caip19 as asset, o.pay_to as "payTo", o.payer,
      o.refund::text as refund, o.due_units::text as due, o.tolerance_units::text as tolerance,
      o.credited_units::text as credited, o.finality::text as finality, o.required_confirmations as confirmations,
      o.under_policy::text as "underPolicy", o.expires_at as "expiresAt",
      coalesce(i.head_number, 0) as head, coalesce(i.safe_number, 0) as safe,
      coalesce(i.finalized_number, 0) as finalized,
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
            and case o.matching when 'WALLET' then t.sender = o.payer else t.units = o.due_units end
        ) then o.created_at
        -- nor before a later block has shown that none in time is still to come
        when i.caught_up_at is null or i.read_until is null then o.created_at
        else least(i.caught_up_at, i.read_until)
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
    join assets a on a.id = o.asset_id
    join chain_incarnations i on i.id = o.incarnation_id
    where o.organization_id = current_organization_id() and o.id = ${orderId}::uuid`;
  if (!row) throw new Error('An order that was to be assessed is not in its tenant.');
  const { confirmations, ...order } = row;
  return {
    ...order,
    due: BigInt(row.due),
    tolerance: BigInt(row.tolerance),
    credited: BigInt(row.credited),
    finality: finalityOf(row.finality, confirmations),
  };
}

async function activeCredits(tx: Transaction, orderId: string): Promise<ActiveCredit[]> {
  // what a member's word stands for waits for no block
  const credits = await tx.$queryRaw<{ units: string; blockNumber: bigint | null }[]>`
    /* activeCredits */
    select c.units::text as units, b.block_number as "blockNumber"
    from payment_credits c
    join blockchain_transactions b on b.organization_id = c.organization_id and b.id = c.blockchain_transaction_id
    where c.organization_id = current_organization_id()
      and c.payment_order_id = ${orderId}::uuid
      and c.reversed_at is null
    union all
    select p.units::text, null
    from provider_transactions p
    where p.organization_id = current_organization_id()
      and p.payment_order_id = ${orderId}::uuid
      and p.kind = 'PAYMENT'
      and p.status = 'CONFIRMED'
      and p.blockchain_transaction_id is null`;
  return credits.map(({ units, blockNumber }) => ({ units: BigInt(units), blockNumber }));
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
