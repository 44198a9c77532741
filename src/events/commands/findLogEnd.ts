import type { Reader } from '../../database/scope.ts';
import type { EventPosition } from '../model.ts';

/** Where the log ends for now, and whether whoever asks may read it. */
export interface LogEnd {
  /** Before everything that is still to be committed; some of what was committed just now may stand behind it. */
  readonly end: EventPosition;
  readonly permitted: boolean;
}

/** Finds the place to follow the log from when nothing of before matters. */
export async function findLogEnd(db: Pick<Reader, '$queryRaw'>): Promise<LogEnd> {
  const [row] = await db.$queryRaw<[{ epoch: number; transactionId: string; permitted: boolean }]>`
    /* findLogEnd */
    select
      current_event_epoch() as epoch,
      pg_snapshot_xmin(pg_current_snapshot())::text as "transactionId",
      has_permission('events:read') as permitted`;
  const { epoch, transactionId, permitted } = row;
  return { end: { epoch, transactionId: BigInt(transactionId), position: 0n }, permitted };
}
