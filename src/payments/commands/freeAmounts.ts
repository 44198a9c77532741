import type { RegisteredChain } from '../../chain/commands/registerChain.ts';
import type { WorkerContext } from '../../context.ts';

/**
 * Lets amounts be asked for again whose orders are over: first it is noted how far the chain was read when the late
 * window had passed, and once that block is final, nothing can come any more that would be mistaken. What an earlier
 * history of the chain was asked for is free at once.
 */
export async function freeAmounts(context: WorkerContext, { chainId }: RegisteredChain): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  await scope.write((tx) => [
    tx.$executeRaw`
      /* passAmounts */
      update unique_amounts u
      set past_block = i.head_number
      from payment_orders o
      join chain_incarnations i on i.id = o.incarnation_id
      where o.organization_id = u.claimed_organization_id
        and o.id = u.claimed_for_id
        and u.past_block is null
        and i.chain_id = ${chainId}
        and o.status in ('FINAL', 'EXPIRED', 'CANCELED', 'FAILED')
        and i.caught_up_at > date_trunc('second', coalesce(o.late_until, o.expires_at) + interval '999 milliseconds')
        and i.read_until > date_trunc('second', coalesce(o.late_until, o.expires_at) + interval '999 milliseconds')`,
    tx.$executeRaw`
      /* freeAmounts */
      delete from unique_amounts u
      using payment_orders o, chain_incarnations i
      where o.organization_id = u.claimed_organization_id
        and o.id = u.claimed_for_id
        and i.id = o.incarnation_id
        and i.chain_id = ${chainId}
        and (u.past_block <= i.finalized_number or not i.current)`,
  ]);
}
