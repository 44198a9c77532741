import type { RegisteredChain } from '../../chain/commands/registerChain.ts';
import type { WorkerContext } from '../../context.ts';
import { BATCH } from '../model.ts';
import { finishCallOffs } from './finishCallOffs.ts';
import { followRefund } from './followRefund.ts';
import { leaveDestinations } from './leaveDestinations.ts';
import { type Attempt, settleEach } from './settleEach.ts';

interface Named {
  readonly organizationId: string;
  readonly id: string;
}

/**
 * Lets the chain's news reach refunds, once: asks for what the terms of orders give back, then brings each refund that
 * blocks may have changed to where the chain has it. Each is a transaction of its own.
 * @param attempt keeps one that fails from holding up the others
 */
export async function settleRefunds(
  context: WorkerContext,
  { chain, attempt }: { readonly chain: RegisteredChain; readonly attempt: Attempt },
): Promise<void> {
  await attempt(followInbox(context, chain));
  await attempt(requestLate(context, chain));
  await settleEach<Owed>({
    page: (after) => owedRefunds(context, chain, after),
    settle: (owed) => attempt(requestOwed(context, owed)),
  });
  await settleEach<Named>({
    page: (after) => restlessRefunds(context, chain, after),
    settle: ({ organizationId, id }) => {
      const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
      return attempt(scope.transaction((tx) => followRefund(context, tx, { organizationId, refundId: id })));
    },
  });
  await finishCallOffs(context, { chain, attempt });
  await attempt(leaveDestinations(context, chain));
}

/** What is kept to be refunded follows its transfer: the database does the rest when it is judged. */
async function followInbox(context: WorkerContext, { incarnationId }: RegisteredChain): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  await scope.transaction(
    (tx) => tx.$executeRaw`
      /* followInbox */
      update chain_transfers t
      set judged_at = clock_timestamp()
      from chain_incarnations i
      where i.id = t.incarnation_id
        and t.incarnation_id = ${incarnationId}::uuid
        and t.judged_at is null
        and t.claimed_as = 'INBOX'
        and (not t.orphaned or t.block_number <= i.head_number)`,
  );
}

/** What came late for orders whose terms give it back: it stands in inboxes of all organizations. */
async function requestLate(context: WorkerContext, { incarnationId }: RegisteredChain): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  await scope.write((tx) => [
    tx.$queryRaw`/* requestLate */ select request_late_refunds(${incarnationId}::uuid, ${BATCH}::integer)`,
  ]);
}

interface Owed extends Named {
  readonly cause: 'SURPLUS' | 'PART';
}

/**
 * Orders that have what their terms give back, some of it from the chain, and that nobody has asked for: once for each
 * cause, unless the chain called it off.
 */
async function owedRefunds(
  context: WorkerContext,
  { incarnationId }: RegisteredChain,
  after: Owed | null,
): Promise<Owed[]> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  return scope.db.$queryRaw<Owed[]>`
    /* owedRefunds */
    select
      o.organization_id as "organizationId", o.id,
      case when o.status = 'EXPIRED' then 'PART' else 'SURPLUS' end as cause
    from payment_orders o
    where o.incarnation_id = ${incarnationId}::uuid
      and o.refund = 'NONE'
      and (
        o.over_policy = 'REFUND' and o.status in ('PAID', 'FINAL') and o.credited_units > o.due_units
        or o.under_policy = 'REFUND' and o.status = 'EXPIRED' and o.credited_units > 0
      )
      and exists (
        select from chain_transfers t where t.claimed_for_id = o.id and t.claimed_as = 'ORDER' and not t.orphaned
      )
      and not exists (
        select from payment_refunds r
        where r.organization_id = o.organization_id and r.payment_order_id = o.id
          and r.cause = (case when o.status = 'EXPIRED' then 'PART' else 'SURPLUS' end)::payment_refund_cause
          and not r.withdrawn
      )
      and (${after?.id ?? null}::uuid is null or o.id > ${after?.id ?? null}::uuid)
    order by o.id
    limit ${BATCH}`;
}

async function requestOwed(context: WorkerContext, { organizationId, id, cause }: Owed): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
  await scope.write((tx) => [
    tx.$queryRaw`
      /* requestOwed */
      select request_owed_refund(${id}::uuid, ${cause}::payment_refund_cause)`,
  ]);
}

/** Refunds whose transfer is there, or is final by now, and those whose transfer the chain has news of. */
async function restlessRefunds(
  context: WorkerContext,
  { incarnationId }: RegisteredChain,
  after: Named | null,
): Promise<Named[]> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  return scope.db.$queryRaw<Named[]>`
    /* restlessRefunds */
    select r.organization_id as "organizationId", r.id
    from payment_refunds r
    join chain_incarnations i on i.id = r.incarnation_id
    where r.incarnation_id = ${incarnationId}::uuid
      and r.status in ('PENDING', 'SENT', 'COMPLETED')
      and (
        r.status = 'PENDING'
        and exists (
          select from chain_transfers t
          where t.incarnation_id = r.incarnation_id
            and t.sender = r.pay_from
            and t.recipient = r.destination
            and t.asset_id = r.asset_id
            and coalesce(t.sent_units, t.units) = r.units
            and t.claimed_for_id is null
            and not t.orphaned
            and t.judged_at is not null
            and t.created_at >= r.addressed_at
        )
        or exists (
          select from chain_transfers t
          where t.claimed_for_id = r.id
            and t.claimed_as = 'REFUND'
            and (
              t.judged_at is null and (not t.orphaned or t.block_number <= i.head_number)
              or r.status = 'SENT'
              and not t.orphaned
              and case r.finality
                when 'CONFIRMATIONS' then i.head_number - t.block_number + 1 >= r.required_confirmations
                when 'SAFE' then t.block_number <= greatest(i.safe_number, i.finalized_number)
                else t.block_number <= i.finalized_number
              end
            )
        )
      )
      and (${after?.id ?? null}::uuid is null or r.id > ${after?.id ?? null}::uuid)
    order by r.id
    limit ${BATCH}`;
}
