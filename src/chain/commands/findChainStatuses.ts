import type { Scope } from '../../database/scope.ts';
import { MAX_SECONDS_BEHIND } from '../model.ts';

/** How a chain's watcher fares. */
export type ChainState = 'READING' | 'BEHIND' | 'HALTED' | 'UNWATCHED';

/** How far a chain was read, and whether it still is. */
export interface ChainStatus {
  readonly chainId: bigint;
  readonly state: ChainState;
  /** Since when it is so. */
  readonly since: Date;
  readonly headNumber: bigint | null;
  readonly safeNumber: bigint | null;
  readonly finalizedNumber: bigint | null;
  /** When the head was asked for up to which everything was read; null before the first time. */
  readonly readAt: Date | null;
  /** Since when its nodes have failed each time they were asked; null when they did not. */
  readonly failingSince: Date | null;
  /** Why nobody watches it, why it was halted, or how its nodes fail. */
  readonly reason: string | null;
}

/** The chains that are registered, in their present histories, or one of them. */
export async function findChainStatuses({ db }: Pick<Scope, 'db'>, only: bigint | null = null): Promise<ChainStatus[]> {
  return db.$queryRaw<ChainStatus[]>`
    /* findChainStatuses */
    select
      i.chain_id as "chainId",
      s.state,
      case s.state
        when 'UNWATCHED' then i.unwatched_since
        when 'HALTED' then coalesce(i.halted_at, i.updated_at)
        when 'BEHIND' then coalesce(i.caught_up_at, i.created_at)
        else coalesce(i.following_since, i.caught_up_at)
      end as since,
      i.head_number as "headNumber",
      i.safe_number as "safeNumber",
      i.finalized_number as "finalizedNumber",
      i.caught_up_at as "readAt",
      i.failing_since as "failingSince",
      case s.state
        when 'UNWATCHED' then 'CHAINS does not name it.'
        else coalesce(i.halt_reason, i.failure)
      end as reason
    from chain_incarnations i
    cross join lateral (
      select case
        when i.unwatched_since is not null then 'UNWATCHED'
        when i.halt_reason is not null then 'HALTED'
        when i.caught_up_at > clock_timestamp() - make_interval(secs => ${MAX_SECONDS_BEHIND}::int) then 'READING'
        else 'BEHIND'
      end as state
    ) s
    where i.current and (${only}::bigint is null or i.chain_id = ${only}::bigint)
    order by i.chain_id`;
}
