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
  /** Of its refunds whose transfer was seen. */
  readonly sentBack: bigint;
  readonly credits: readonly ActiveCredit[];
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
  input: {
    readonly organizationId: string;
    readonly orderId: string;
    /** Whether the transaction holds the order's row already. */
    readonly isHeld?: boolean;
  } & Notice,
): Promise<boolean> {
  const { orderId, isHeld = false, note = [], forget = [] } = input;
  // Two statements: whoever waits for the lock sees in the second what the one before it has done, its event included.
  if (!isHeld) await lockOrder(tx, orderId);
  const before = await readOrder(tx, orderId);
  const kept = before.exceptions.filter((exception) => !forget.includes(exception));
  const exceptions = [...new Set([...kept, ...note])].sort();
  const assessment = before.hasNews
    ? { status: before.status, exceptions, credited: before.credited }
    : assess({ ...before, exceptions }, before.credits, before);
  const hasChanged = !isSame(before, assessment);
  if (hasChanged) {
    await writeAssessment(tx, orderId, assessment);
    const order = { ...before, ...assessment };
    await appendEvent(context, tx, paymentOrderChanged({ before, order, version: before.nextVersion }));
  }
  if (before.refund === 'PENDING' && !before.hasNews) await withdrawRefunds(tx, orderId);
  return hasChanged;
}

/** What is asked for back and is not there is called off with what took it away. */
async function withdrawRefunds(tx: Transaction, orderId: string): Promise<void> {
  await tx.$queryRaw`/* withdrawRefunds */ select withdraw_refunds(${orderId}::uuid)::text`;
}

async function lockOrder(tx: Transaction, orderId: string): Promise<void> {
  await tx.$queryRaw`
    /* lockOrder */
    select id from payment_orders
    where organization_id = current_organization_id() and id = ${orderId}::uuid
    for update`;
}

/** Units, and the block that they came in. */
type CountedUnits = readonly [units: string, block: string | null];

async function readOrder(tx: Transaction, orderId: string): Promise<LockedOrder> {
  const [row] = await tx.$queryRaw<
    (Omit<LockedOrder, 'due' | 'tolerance' | 'credited' | 'finality' | 'sentBack' | 'credits'> & {
      due: string;
      tolerance: string;
      credited: string;
      sentBack: string;
      finality: string;
      confirmations: number;
      credits: CountedUnits[];
      words: CountedUnits[];
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
        select coalesce(sum(r.units), 0)::text
        from payment_refunds r
        where r.organization_id = o.organization_id
          and r.payment_order_id = o.id
          and r.status in ('SENT', 'COMPLETED')
      ) as "sentBack",
      (
        select coalesce(json_agg(json_build_array(c.units::text, b.block_number::text)), '[]')
        from payment_credits c
        join blockchain_transactions b on b.organization_id = c.organization_id and b.id = c.blockchain_transaction_id
        where c.organization_id = o.organization_id and c.payment_order_id = o.id and c.reversed_at is null
      ) as credits,
      -- what a member's word stands for waits for no block
      (
        select coalesce(json_agg(json_build_array(p.units::text, null)), '[]')
        from provider_transactions p
        where p.organization_id = o.organization_id
          and p.payment_order_id = o.id
          and p.kind = 'PAYMENT'
          and p.status = 'CONFIRMED'
          and p.voided_at is null
          and p.blockchain_transaction_id is null
      ) as words,
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
  const { confirmations, credits, words, ...order } = row;
  return {
    ...order,
    due: BigInt(row.due),
    tolerance: BigInt(row.tolerance),
    credited: BigInt(row.credited),
    sentBack: BigInt(row.sentBack),
    credits: [...credits, ...words].map(([units, block]) => ({
      units: BigInt(units),
      blockNumber: block === null ? null : BigInt(block),
    })),
    finality: finalityOf(row.finality, confirmations),
  };
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
