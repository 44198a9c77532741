import type { WorkerContext } from '../../context.ts';
import { KEPT_BELOW_FINALIZED, MAX_SECONDS_BEHIND } from '../model.ts';
import type { RegisteredChain } from './registerChain.ts';

/** How far a chain was read, and what it says of itself. */
export interface Progress {
  /** The number of the last block that was read. */
  readonly read: bigint;
  /** When the head was asked for up to which everything was read, by the database's clock. */
  readonly askedAt: Date;
  /** Whether the head may be taken for the chain's: a node whose head does not move may have stood still. */
  readonly moved: boolean;
  readonly safe: bigint;
  readonly finalized: bigint;
}

/**
 * Says that everything up to the head was read, and forgets blocks that cannot change any more. What is safe or final
 * stays so, whatever another node tells, and only what was read counts. A head that has not moved since tells nothing of
 * the present: its node may stand still. Throws when another watcher has moved the chain.
 */
export async function noteProgress(
  context: WorkerContext,
  { incarnationId, minesOnDemand }: RegisteredChain,
  { read, askedAt, moved, safe, finalized }: Progress,
): Promise<void> {
  const scope = context.database.as({ kind: 'worker', requestId: context.requestId });
  const [[noted]] = await scope.write((tx) => [
    tx.$queryRaw<{ id: string }[]>`
      /* noteProgress */
      update chain_incarnations
      set following_since = case
            when not ${moved}::boolean and caught_up_at is not null then following_since
            when following_since is null
              or caught_up_at is null
              or caught_up_at < clock_timestamp() - make_interval(secs => ${MAX_SECONDS_BEHIND}::int)
            then clock_timestamp()
            else following_since
          end,
          caught_up_at = case
            when ${moved}::boolean or caught_up_at is null then ${askedAt}::timestamptz
            else caught_up_at
          end,
          read_until = case when ${minesOnDemand}::boolean then ${askedAt}::timestamptz else read_until end,
          safe_number = greatest(safe_number, least(greatest(${safe}::bigint, ${finalized}::bigint), ${read}::bigint)),
          finalized_number = greatest(finalized_number, least(${finalized}::bigint, ${read}::bigint)),
          failing_since = null,
          failure = null,
          unwatched_since = null
      where id = ${incarnationId}::uuid and head_number = ${read}::bigint
      returning id`,
    tx.$executeRaw`
      /* forgetBlocks */
      delete from chain_blocks b
      using chain_incarnations i
      where i.id = ${incarnationId}::uuid
        and b.incarnation_id = i.id
        and b.number < i.finalized_number - ${KEPT_BELOW_FINALIZED}::bigint`,
  ]);
  if (!noted) throw new Error(`Another watcher has moved the chain from block ${read}.`);
}
