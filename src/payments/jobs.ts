import type { RegisteredChain } from '../chain/commands/registerChain.ts';
import type { WorkerContext } from '../context.ts';
import { GatewayError } from '../kernel/errors.ts';
import { assessOrder } from './commands/assessOrder.ts';
import { failOrder } from './commands/failOrder.ts';
import { freeAmounts } from './commands/freeAmounts.ts';
import { judgeTransfer } from './commands/judgeTransfer.ts';
import type { UnjudgedTransfer } from './commands/moveCredit.ts';
import { reviewAmbiguous } from './commands/reviewAmbiguous.ts';
import { type Attempt, settleEach } from './commands/settleEach.ts';
import { settleProviders } from './commands/settleProviders.ts';
import { settleRefunds } from './commands/settleRefunds.ts';
import { settleVoided } from './commands/settleVoided.ts';
import { lanesOf, type Sighting } from './model/lanes.ts';
import { BATCH, OPEN } from './model.ts';

/** Some of what the chain has news of could not be settled, and everything else was: the next round tries it again. */
export class UnsettledError extends Error {
  /** Whether others may wait that were not taken up yet. */
  readonly isMore: boolean;

  constructor(message: string, { isMore, cause }: { readonly isMore: boolean; readonly cause: unknown }) {
    super(message, { cause });
    this.isMore = isMore;
  }
}

/**
 * Lets the chain's news reach the orders, once: judges each transfer that is new, moved or gone, then assesses each
 * order that more blocks or the passing of time may have changed. Every transfer and every order is a transaction of
 * its own, so this can be stopped anywhere and goes on where it was; one that fails does not hold up the others. No more
 * is taken up than a page or two, so that a chain is read on while many wait. Of a chain that was halted nothing is
 * settled: nobody knows which of its blocks are the chain's.
 * @returns whether more may wait
 * @throws UnsettledError, after everything else was settled
 */
export async function settleOrders(context: WorkerContext, chain: RegisteredChain): Promise<boolean> {
  const failures: unknown[] = [];
  const attempt: Attempt = (work) =>
    work.then(
      (isDone) => isDone !== false,
      (error: unknown) => {
        // Without a database every one of them would wait in vain.
        if (error instanceof GatewayError && error.code === 'UNAVAILABLE') throw error;
        failures.push(error);
        return false;
      },
    );
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const { headNumber, haltReason } = await scope.db.chainIncarnation.findUniqueOrThrow({
    where: { id: chain.incarnationId },
    select: { headNumber: true, haltReason: true },
  });
  if (haltReason !== null) return false;
  if (headNumber !== null) await attempt(lowerHeads(context, chain, headNumber));
  let isMore = false;
  // What is gone makes room for what came instead.
  for (const kind of ['credited', 'new'] as const) {
    const isFull = await settleEach<NewsOfTransfer>({
      page: (after) => unjudgedTransfers(context, chain, kind, after),
      lanes: lanesOf,
      settle: (transfer) => attempt(judgeTransfer(context, transfer)),
    });
    isMore ||= isFull;
  }
  const isMoreRestless = await settleEach<RestlessOrder>({
    page: (after) => restlessOrders(context, chain, after),
    lanes: (orders) => orders.map((order) => [order]),
    settle: ({ organizationId, orderId }) => {
      const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
      return attempt(scope.transaction((tx) => assessOrder(context, tx, { organizationId, orderId })));
    },
  });
  await attempt(reviewAmbiguous(context, chain));
  await settleVoided(context, { chain, attempt });
  await settleProviders(context, { chain, attempt });
  await settleRefunds(context, { chain, attempt });
  await attempt(freeAmounts(context, chain));
  isMore ||= isMoreRestless;
  if (failures.length === 0) return isMore;
  const [cause] = failures;
  throw new UnsettledError(`${failures.length} transfers or orders could not be settled.`, { isMore, cause });
}

type NewsOfTransfer = UnjudgedTransfer & Sighting;

/** Blocks behind the common ancestor come anew: whoever was to be paid behind the old head may be paid in them. */
async function lowerHeads(
  context: WorkerContext,
  { incarnationId }: RegisteredChain,
  headNumber: bigint,
): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const above = await scope.db.paymentOrder.findMany({
    where: { incarnationId, status: { in: [...OPEN] }, headNumber: { gt: headNumber } },
    distinct: ['organizationId'],
    select: { organizationId: true },
  });
  for (const { organizationId } of above) {
    const inside = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
    await inside.transaction(
      (tx) => tx.$executeRaw`
        /* lowerHeads */
        update payment_orders
        set head_number = ${headNumber}
        where organization_id = current_organization_id()
          and incarnation_id = ${incarnationId}::uuid
          and status in ('CREATED', 'DETECTED', 'CONFIRMING')
          and head_number > ${headNumber}`,
    );
  }
}

/** After a chain was reset, nothing of its earlier history can be paid any more: those orders need a person. */
export async function reviewForsakenOrders(context: WorkerContext): Promise<number> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const forsaken = await scope.db.paymentOrder.findMany({
    where: { status: { in: [...OPEN] }, incarnation: { current: false } },
    select: { organizationId: true, id: true },
  });
  for (const { organizationId, id } of forsaken) {
    await failOrder(context, { organizationId, orderId: id, exception: 'NEEDS_REVIEW' });
  }
  return forsaken.length;
}

/**
 * A transfer that was orphaned is judged when the new chain has been read as far as the old one went. A new one waits
 * as long as an order that it fits has news of its own transfers: until then nobody knows what that order still takes.
 */
async function unjudgedTransfers(
  context: WorkerContext,
  chain: RegisteredChain,
  kind: 'credited' | 'new',
  after: NewsOfTransfer | null,
): Promise<NewsOfTransfer[]> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  return scope.db.$queryRaw<NewsOfTransfer[]>`
    /* unjudgedTransfers */
    with unsettled as materialized (
      select distinct o.asset_id, o.pay_to, o.matching, o.payer, o.due_units
      from chain_transfers news
      join payment_orders o on o.organization_id = news.claimed_organization_id and o.id = news.claimed_for_id
      where news.incarnation_id = ${chain.incarnationId}::uuid
        and news.judged_at is null
        and news.claimed_for_id is not null
    )
    select
      t.id, t.incarnation_id as "incarnationId", t.transaction_hash as "transactionHash", t.ordinal,
      t.asset_id as "assetId", t.sender, t.recipient, t.units::text as units,
      (case when a.credits_balance_difference then t.sent_units else t.units end)::text as "sentUnits", t.input,
      t.block_number as "blockNumber", t.block_hash as "blockHash", t.block_time as "blockTime", t.orphaned,
      t.claimed_organization_id as "claimedOrganizationId", t.claimed_for_id as "claimedForId",
      case
        when t.claimed_for_id is not null then array[t.claimed_for_id::text]
        else array(
          select o.id::text
          from payment_orders o
          where o.pay_to = t.recipient
            and o.payer = t.sender
            and o.asset_id = t.asset_id
            and o.incarnation_id = t.incarnation_id
            and o.matching = 'WALLET'
            and position(o.reference in t.input) > 0
          limit 2
        )
      end as names
    from chain_transfers t
    join assets a on a.id = t.asset_id
    join chain_incarnations i on i.id = t.incarnation_id
    where t.incarnation_id = ${chain.incarnationId}::uuid
      and t.judged_at is null
      and t.claimed_as = 'ORDER'
      and (not t.orphaned or t.block_number <= i.head_number)
      and (t.claimed_for_id is not null) = ${kind === 'credited'}::boolean
      and (
        t.claimed_for_id is not null
        or not exists (
          select from unsettled o
          where o.asset_id = t.asset_id
            and o.pay_to = t.recipient
            and case o.matching when 'WALLET' then o.payer = t.sender else o.due_units = t.units end
        )
      )
      and (
        ${after?.id ?? null}::uuid is null
        or (t.block_number, t.ordinal, t.id)
          > (${after?.blockNumber ?? null}::bigint, ${after?.ordinal ?? null}::integer, ${after?.id ?? null}::uuid)
      )
    order by t.block_number, t.ordinal, t.id
    limit ${BATCH}`;
}

interface RestlessOrder {
  readonly organizationId: string;
  readonly orderId: string;
}

/**
 * Orders that change though no transfer did: by confirmations, by finality, by their deadline. One that waits for blocks
 * is left out until enough of it is as final as it has to be, and one whose transfers have news until those are judged.
 */
async function restlessOrders(
  context: WorkerContext,
  chain: RegisteredChain,
  after: RestlessOrder | null,
): Promise<RestlessOrder[]> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  return scope.db.$queryRaw<RestlessOrder[]>`
    /* restlessOrders */
    select o.organization_id as "organizationId", o.id as "orderId"
    from payment_orders o
    join chain_incarnations i on i.id = o.incarnation_id
    cross join lateral (
      select
        coalesce(sum(t.units) filter (
          where case o.finality
            when 'CONFIRMATIONS' then i.head_number - t.block_number + 1 >= o.required_confirmations
            when 'SAFE' then t.block_number <= greatest(i.safe_number, i.finalized_number, 0)
            else t.block_number <= coalesce(i.finalized_number, 0)
          end
        ), 0) as units
      from chain_transfers t
      where t.claimed_for_id = o.id and t.claimed_as = 'ORDER' and not t.orphaned
    ) confirmed
    cross join lateral (
      select coalesce(sum(p.units), 0) as units
      from provider_transactions p
      where p.organization_id = o.organization_id
        and p.payment_order_id = o.id
        and p.kind = 'PAYMENT'
        and p.status = 'CONFIRMED'
        and p.voided_at is null
        and p.blockchain_transaction_id is null
    ) manual
    where o.incarnation_id = ${chain.incarnationId}::uuid
      and o.status in ('CREATED', 'DETECTED', 'CONFIRMING', 'PAID')
      and (
        -- of a part that was let be enough all must be final
        o.status = 'CONFIRMING'
        and confirmed.units + manual.units >= least(o.credited_units, o.due_units - o.tolerance_units)
        or o.status in ('CREATED', 'DETECTED') and o.expires_at < i.caught_up_at and o.expires_at < i.read_until
        or o.status = 'PAID'
        and not exists (
          select from chain_transfers t
          where t.claimed_for_id = o.id and not t.orphaned and t.block_number > coalesce(i.finalized_number, 0)
        )
      )
      and not exists (
        select from chain_transfers t where t.claimed_for_id = o.id and t.judged_at is null
      )
      and (${after?.orderId ?? null}::uuid is null or o.id > ${after?.orderId ?? null}::uuid)
    order by o.id
    limit ${BATCH}`;
}
