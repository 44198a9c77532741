import { leaveChains } from '../../chain/commands/leaveChains.ts';
import type { WorkerContext } from '../../context.ts';
import { recheckWatched } from './recheckWatched.ts';

/**
 * Says in the log which chains are registered and watched by nobody, and what waits there, once for each as long as it is
 * so: an order of such a chain is neither paid nor over until somebody watches it again. Links that can be paid nowhere else
 * say so, too, and no more once it is watched.
 * @param input.watched the chains that the settings name
 * @param input.told of which it was said before; it is kept
 * @param input.signal ends it between two batches of links
 */
export async function tellOfUnwatched(
  context: WorkerContext,
  {
    watched,
    told,
    signal,
  }: { readonly watched: readonly number[]; readonly told: Set<bigint>; readonly signal?: AbortSignal },
): Promise<void> {
  const unwatched = await leaveChains(context, { watched });
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  for (const { chainId, name, readAt } of unwatched) {
    if (told.has(chainId)) continue;
    told.add(chainId);
    // what cannot be counted is told of all the same, and not counted again each minute
    const waiting = await scope.db.$queryRaw<Waiting[]>`
      /* waitingOnChain */
      select orders, refunds, unmatched, voided from waiting_on_chain(${chainId})`.then(
      ([counted]) => counted,
      (error: unknown) => ({ err: error }),
    );
    context.log.warn(
      { chainId: Number(chainId), name, readAt, ...waiting },
      'CHAINS does not name a chain that was watched before, and nobody watches it: what waits there waits until it is named',
    );
  }
  for (const chainId of told) if (!unwatched.some((one) => one.chainId === chainId)) told.delete(chainId);
  await recheckWatched(context, signal && { signal });
}

/** What waits on a chain, of all organizations together. */
interface Waiting {
  /** That blocks may still change. */
  readonly orders: number;
  /** That are not done. */
  readonly refunds: number;
  /** In inboxes, and not decided about. */
  readonly unmatched: number;
  /** Payments that members have recorded and taken back, and that count still. */
  readonly voided: number;
}
