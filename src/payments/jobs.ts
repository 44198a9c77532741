import type { RegisteredChain } from '../chain/commands/registerChain.ts';
import type { WorkerContext } from '../context.ts';
import { GatewayError } from '../kernel/errors.ts';
import { assessOrder } from './commands/assessOrder.ts';
import { failOrder } from './commands/failOrder.ts';
import { judgeTransfer } from './commands/judgeTransfer.ts';
import type { UnjudgedTransfer } from './commands/moveCredit.ts';
import { OPEN } from './model.ts';

const BATCH = 200;

/**
 * Lets the chain's news reach the orders, once: judges each transfer that is new, moved or gone, then assesses each
 * order that more blocks or the passing of time may have changed. Every transfer and every order is a transaction of
 * its own, so this can be stopped anywhere and goes on where it was; one that fails does not hold up the others.
 * @throws when something could not be settled, after everything else was
 */
export async function settleOrders(context: WorkerContext, chain: RegisteredChain): Promise<void> {
  const failures: unknown[] = [];
  const attempt = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => {
      // Without a database every one of them would wait in vain.
      if (error instanceof GatewayError && error.code === 'UNAVAILABLE') throw error;
      failures.push(error);
    });
  await attempt(lowerHeads(context, chain));
  // What is gone makes room for what came instead.
  for (const kind of ['credited', 'new'] as const) {
    for (const transfer of await unjudgedTransfers(context, chain, kind)) {
      await attempt(judgeTransfer(context, transfer));
    }
  }
  for (const { organizationId, orderId } of await restlessOrders(context, chain)) {
    const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
    await attempt(scope.transaction((tx) => assessOrder(context, tx, { organizationId, orderId })));
  }
  if (failures.length > 0) {
    throw new Error(`${failures.length} transfers or orders could not be settled.`, { cause: failures[0] });
  }
}

/** Blocks behind the common ancestor come anew: whoever was to be paid behind the old head may be paid in them. */
async function lowerHeads(context: WorkerContext, { incarnationId }: RegisteredChain): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const { headNumber } = await scope.db.chainIncarnation.findUniqueOrThrow({
    where: { id: incarnationId },
    select: { headNumber: true },
  });
  if (headNumber === null) return;
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
): Promise<UnjudgedTransfer[]> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  return scope.db.$queryRaw<UnjudgedTransfer[]>`
    /* unjudgedTransfers */
    select
      t.id, t.incarnation_id as "incarnationId", t.transaction_hash as "transactionHash", t.ordinal,
      t.asset_id as "assetId", t.sender, t.recipient, t.units::text as units, t.input,
      t.block_number as "blockNumber", t.block_hash as "blockHash", t.block_time as "blockTime", t.orphaned,
      t.claimed_organization_id as "claimedOrganizationId", t.claimed_for_id as "claimedForId"
    from chain_transfers t
    join chain_incarnations i on i.id = t.incarnation_id
    where t.incarnation_id = ${chain.incarnationId}::uuid
      and t.judged_at is null
      and (not t.orphaned or t.block_number <= i.head_number)
      and (t.claimed_for_id is not null) = ${kind === 'credited'}::boolean
      and (
        t.claimed_for_id is not null
        or not exists (
          select from chain_transfers news
          join payment_orders o on o.organization_id = news.claimed_organization_id and o.id = news.claimed_for_id
          where news.incarnation_id = t.incarnation_id
            and news.judged_at is null
            and o.asset_id = t.asset_id
            and o.pay_to = t.recipient
            and o.payer = t.sender
        )
      )
    order by t.block_number, t.ordinal
    limit ${BATCH}`;
}

/** Orders that may have changed though no transfer did: by confirmations, by finality, by their deadline. */
async function restlessOrders(
  context: WorkerContext,
  chain: RegisteredChain,
): Promise<{ organizationId: string; orderId: string }[]> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  return scope.db.$queryRaw<{ organizationId: string; orderId: string }[]>`
    /* restlessOrders */
    select o.organization_id as "organizationId", o.id as "orderId"
    from payment_orders o
    join chain_incarnations i on i.id = o.incarnation_id
    where o.incarnation_id = ${chain.incarnationId}::uuid
      and (
        o.status = 'CONFIRMING'
        or (o.status in ('CREATED', 'DETECTED') and o.expires_at < i.caught_up_at)
        or (
          o.status = 'PAID'
          and not exists (
            select from chain_transfers t
            where t.claimed_for_id = o.id and not t.orphaned and t.block_number > i.finalized_number
          )
        )
      )
    order by o.created_at
    limit ${BATCH}`;
}
