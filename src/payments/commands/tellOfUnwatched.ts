import { leaveChains } from '../../chain/commands/leaveChains.ts';
import type { WorkerContext } from '../../context.ts';

/**
 * Says in the log which chains are registered and watched by nobody, and what waits there, once for each as long as it is
 * so: an order of such a chain is neither paid nor over until somebody watches it again.
 * @param input.watched the chains that the settings name
 * @param input.told of which it was said before; it is kept
 */
export async function tellOfUnwatched(
  context: WorkerContext,
  { watched, told }: { readonly watched: readonly number[]; readonly told: Set<bigint> },
): Promise<void> {
  const unwatched = await leaveChains(context, { watched });
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  for (const { chainId, name, readAt } of unwatched) {
    if (told.has(chainId)) continue;
    const [waiting] = await scope.db.$queryRaw<Waiting[]>`
      /* waitingOnChain */
      select orders, refunds, unmatched from waiting_on_chain(${chainId})`;
    told.add(chainId);
    context.log.warn(
      { chainId: Number(chainId), name, readAt, ...waiting },
      'CHAINS does not name a chain that was watched before, and nobody watches it: what waits there waits until it is named',
    );
  }
  for (const chainId of told) if (!unwatched.some((one) => one.chainId === chainId)) told.delete(chainId);
}

/** What waits on a chain, of all organizations together. */
interface Waiting {
  /** That blocks may still change. */
  readonly orders: number;
  /** That are not done. */
  readonly refunds: number;
  /** In inboxes, and not decided about. */
  readonly unmatched: number;
}
