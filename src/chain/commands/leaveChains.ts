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
 * once they have not been read for two minutes. Whoever watches one again takes the note back; so does this of one that
 * somebody holds and has read within that time.
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
      with known as (
        select
          i.id, i.chain_id, c.name, i.caught_up_at,
          coalesce(i.caught_up_at, i.created_at)
            < clock_timestamp() - make_interval(secs => ${SECONDS_UNTIL_LEFT}::int) as stale,
          -- whoever watches a chain holds this lock, in whatever process
          exists (
            select from pg_locks l
            join pg_database d on d.oid = l.database
            where d.datname = current_database()
              and l.locktype = 'advisory'
              and l.objsubid = 1
              and l.granted
              and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(${WATCH_LOCK} || i.chain_id, 0)
          ) as held
        from chain_incarnations i
        join chains c on c.chain_id = i.chain_id
        where i.current
      ),
      unwatched as (
        select id, chain_id, name, caught_up_at, stale
        from known
        where not held and chain_id <> all (${[...watched]}::bigint[])
      ),
      noted as (
        update chain_incarnations i
        set unwatched_since = clock_timestamp()
        from unwatched u
        where i.id = u.id and i.unwatched_since is null and u.stale
      ),
      taken_back as (
        update chain_incarnations i
        set unwatched_since = null
        from known k
        where i.id = k.id
          and i.unwatched_since is not null
          and k.held
          and k.caught_up_at is not null
          and not k.stale
      )
      select chain_id as "chainId", name, caught_up_at as "readAt" from unwatched order by chain_id`,
  ]);
  return unwatched;
}
