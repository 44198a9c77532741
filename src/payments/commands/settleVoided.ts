import type { RegisteredChain } from '../../chain/commands/registerChain.ts';
import type { WorkerContext } from '../../context.ts';
import { BATCH } from '../model.ts';
import { assessOrder } from './assessOrder.ts';
import { type Attempt, settleEach } from './settleEach.ts';

interface Voided {
  readonly organizationId: string;
  readonly id: string;
  readonly orderId: string;
}

type Hollow = Pick<Voided, 'organizationId' | 'orderId'>;

/**
 * Lets what members have taken back count no more, and brings its order to what is left, in one transaction under the
 * order's lock, also one that was final by it. Nobody who assesses the order has counted it since it was taken back. An order
 * that a worker of the release before has left final all the same is brought there afterwards.
 * @param attempt keeps one that fails from holding up the others
 */
export async function settleVoided(
  context: WorkerContext,
  { chain, attempt }: { readonly chain: RegisteredChain; readonly attempt: Attempt },
): Promise<void> {
  await settleEach<Hollow>({
    page: (after) => hollowOrders(context, chain, after),
    settle: ({ organizationId, orderId }) => {
      const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
      return attempt(scope.transaction((tx) => assessOrder(context, tx, { organizationId, orderId })));
    },
  });
  await settleEach<Voided>({
    page: (after) => voidedPayments(context, chain, after),
    settle: ({ organizationId, id, orderId }) => {
      const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
      return attempt(
        scope.transaction(async (tx) => {
          await tx.$queryRaw`
            /* holdVoidedOrder */
            select id from payment_orders
            where organization_id = current_organization_id() and id = ${orderId}::uuid
            for update`;
          await tx.$executeRaw`
            /* reverseVoided */
            update provider_transactions
            set status = 'REVERSED'
            where organization_id = current_organization_id()
              and id = ${id}::uuid
              and status = 'CONFIRMED'
              and voided_at is not null`;
          await assessOrder(context, tx, { organizationId, orderId });
        }),
      );
    },
  });
}

async function voidedPayments(
  context: WorkerContext,
  { chainId }: RegisteredChain,
  after: Voided | null,
): Promise<Voided[]> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  return scope.db.$queryRaw<Voided[]>`
    /* voidedPayments */
    select p.organization_id as "organizationId", p.id, p.payment_order_id as "orderId"
    from provider_transactions p
    join payment_orders o on o.organization_id = p.organization_id and o.id = p.payment_order_id
    join chain_incarnations i on i.id = o.incarnation_id
    where p.voided_at is not null
      and p.status = 'CONFIRMED'
      and i.chain_id = ${chainId}
      and (${after?.id ?? null}::uuid is null or p.id > ${after?.id ?? null}::uuid)
    order by p.id
    limit ${BATCH}`;
}

/** Orders that are final by what was taken back: such a one is in an index of its own, as long as it is. */
async function hollowOrders(
  context: WorkerContext,
  { chainId }: RegisteredChain,
  after: Hollow | null,
): Promise<Hollow[]> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  return scope.db.$queryRaw<Hollow[]>`
    /* hollowOrders */
    select o.organization_id as "organizationId", o.id as "orderId"
    from chain_incarnations i
    join payment_orders o on o.incarnation_id = i.id
    where i.chain_id = ${chainId}
      and o.status = 'FINAL'
      and (
        o.credited_units < o.due_units - o.tolerance_units
          and (o.credited_units = 0 or not 'UNDERPAID' = any (o.exceptions))
        or o.credited_units <= o.due_units and 'OVERPAID' = any (o.exceptions)
      )
      and exists (
        select from provider_transactions p
        where p.organization_id = o.organization_id
          and p.payment_order_id = o.id
          and p.voided_at is not null
          and p.status = 'REVERSED'
      )
      and (${after?.orderId ?? null}::uuid is null or o.id > ${after?.orderId ?? null}::uuid)
    order by o.id
    limit ${BATCH}`;
}
