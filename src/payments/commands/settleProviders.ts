import type { RegisteredChain } from '../../chain/commands/registerChain.ts';
import type { WorkerContext } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import type { PaymentProvider } from '../../ports.ts';
import { BATCH } from '../model.ts';
import { PROVIDERS } from '../providers/registry.ts';
import { assessOrder } from './assessOrder.ts';
import { type Attempt, settleEach } from './settleEach.ts';

interface Claimed {
  readonly organizationId: string;
  readonly id: string;
  readonly orderId: string;
}

/**
 * Decides about what members say came outside of the chain: it counts for its order if that still takes payments, and
 * then the order is assessed, in one transaction under its lock.
 * Of those alone whose word counts because a member stands behind it: what the chain could tell, the watcher completes.
 * @param input.attempt keeps one that fails from holding up the others
 */
export async function settleProviders(
  context: WorkerContext,
  input: {
    readonly chain: RegisteredChain;
    readonly attempt: Attempt;
    readonly providers?: readonly PaymentProvider[];
  },
): Promise<void> {
  const { chain, attempt, providers = PROVIDERS } = input;
  const ofMembers = providers.filter(({ standsOn }) => standsOn === 'MEMBER').map(({ name }) => name);
  await settleEach<Claimed>({
    page: (after) => claimedPayments(context, { chain, ofMembers }, after),
    settle: (claimed) => {
      const { organizationId, orderId } = claimed;
      const scope = context.database.as({ kind: 'worker', requestId: context.requestId, organizationId });
      return attempt(
        scope.transaction(async (tx) => {
          await confirm(tx, claimed);
          await assessOrder(context, tx, { organizationId, orderId, isHeld: true });
        }),
      );
    },
  });
}

/** Those of the chain's earlier histories too: nothing of them can be paid any more, by no word either. */
async function claimedPayments(
  context: WorkerContext,
  { chain, ofMembers }: { readonly chain: RegisteredChain; readonly ofMembers: readonly string[] },
  after: Claimed | null,
): Promise<Claimed[]> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  return scope.db.$queryRaw<Claimed[]>`
    /* claimedPayments */
    select p.organization_id as "organizationId", p.id, p.payment_order_id as "orderId"
    from provider_transactions p
    join payment_orders o on o.organization_id = p.organization_id and o.id = p.payment_order_id
    join chain_incarnations i on i.id = o.incarnation_id
    where p.provider = any (${[...ofMembers]}::text[])
      and p.status = 'CLAIMED'
      and p.blockchain_transaction_id is null
      and i.chain_id = ${chain.chainId}
      and (${after?.id ?? null}::uuid is null or p.id > ${after?.id ?? null}::uuid)
    order by p.id
    limit ${BATCH}`;
}

/** An order that has got all that was due on the chain meanwhile, or is being refunded, is not paid twice by a word. */
async function confirm(tx: Transaction, { id, orderId }: Claimed): Promise<void> {
  const [order] = await tx.$queryRaw<{ takes: boolean }[]>`
    /* holdClaimedOrder */
    select o.status in ('CREATED', 'DETECTED', 'EXPIRED') and o.refund = 'NONE' and i.current as takes
    from payment_orders o
    join chain_incarnations i on i.id = o.incarnation_id
    where o.organization_id = current_organization_id() and o.id = ${orderId}::uuid
    for update of o`;
  await tx.$executeRaw`
    /* confirmClaim */
    update provider_transactions
    set status = ${order?.takes ? 'CONFIRMED' : 'REVERSED'}::provider_transaction_status
    where organization_id = current_organization_id() and id = ${id}::uuid and status = 'CLAIMED'`;
}
