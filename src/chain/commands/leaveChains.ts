import type { WorkerContext } from '../../context.ts';
import { SECONDS_UNTIL_LEFT, WATCH_LOCK } from '../model.ts';

/** A chain that is registered, and that nobody watches. */
export interface UnwatchedChain {
  readonly chainId: bigint;
  readonly name: string;
  /** When the head was asked for up to which it was read; null before the first time. */
  readonly readAt: Date | null;
}

/**
 * Notes of the registered chains that the settings do not name, and that nobody else watches either, since when it is so,
 * once they have not been read for two minutes; links that can be paid on no other chain say so from then on. Whoever watches
 * one again takes the note back.
 * @param input.watched the chains that the settings name
 * @returns those that nobody watches at this moment, noted or not
 */
export async function leaveChains(
  context: WorkerContext,
  { watched }: { readonly watched: readonly number[] },
): Promise<UnwatchedChain[]> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const [unwatched] = await scope.write((tx) => [
    tx.$queryRaw<UnwatchedChain[]>`
      /* leaveChains */
      with unwatched as (
        select i.id, i.chain_id, c.name, i.caught_up_at
        from chain_incarnations i
        join chains c on c.chain_id = i.chain_id
        where i.current
          and i.chain_id <> all (${[...watched]}::bigint[])
          -- whoever watches a chain holds this lock, in whatever process
          and not exists (
            select from pg_locks l
            join pg_database d on d.oid = l.database
            where d.datname = current_database()
              and l.locktype = 'advisory'
              and l.objsubid = 1
              and l.granted
              and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(${WATCH_LOCK} || i.chain_id, 0)
          )
      ),
      noted as (
        update chain_incarnations i
        set unwatched_since = clock_timestamp()
        from unwatched u
        where i.id = u.id
          and i.unwatched_since is null
          and coalesce(i.caught_up_at, i.created_at)
            < clock_timestamp() - make_interval(secs => ${SECONDS_UNTIL_LEFT}::int)
      )
      select chain_id as "chainId", name, caught_up_at as "readAt" from unwatched order by chain_id`,
    // what was added to a link while that changed
    tx.$queryRaw`/* recheckWatched */ select recheck_watched()::text`,
  ]);
  return unwatched;
}
