import { lockChain } from '../../chain/commands/lockChain.ts';
import type { RegisteredChain } from '../../chain/commands/registerChain.ts';
import type { WorkerContext } from '../../context.ts';

/**
 * Lets the watcher leave the destinations of refunds that are done for good: called off, or by a transfer that is final.
 * What is recorded there for another reason stays so.
 */
export async function leaveDestinations(
  context: WorkerContext,
  { chainId, incarnationId }: RegisteredChain,
): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const done = await scope.db.$queryRaw<{ id: string }[]>`
    /* doneDestinations */
    select w.id
    from watched_accounts w
    join chain_incarnations i on i.id = ${incarnationId}::uuid
    where w.chain_id = ${chainId}
      and w.sender is not null
      and not exists (
        select from payment_refunds r
        where r.destination = w.address
          and r.pay_from = w.sender
          and r.incarnation_id = i.id
          and (
            r.status in ('PENDING', 'SENT')
            or r.status = 'COMPLETED' and exists (
              select from chain_transfers t
              where t.claimed_for_id = r.id and t.claimed_as = 'REFUND'
                and t.block_number > coalesce(i.finalized_number, 0)
            )
          )
      )`;
  if (done.length === 0) return;
  await scope.transaction(async (tx) => {
    // whoever gives a refund one of them holds the chain until both can be seen
    await lockChain(tx, chainId, 'exclusive');
    await tx.$executeRaw`
      /* leaveDestinations */
      delete from watched_accounts w
      where w.id = any (${done.map(({ id }) => id)}::uuid[])
        and not exists (
          select from payment_refunds r
          where r.destination = w.address
            and r.pay_from = w.sender
            and r.incarnation_id = ${incarnationId}::uuid
            and r.status in ('PENDING', 'SENT')
        )`;
  });
}
