import { Prisma } from '../../database/generated/client.ts';
import type { AuditReader, Order } from '../model.ts';

/** How far sealing has come in all organizations; undefined before the first seal. */
export async function findSealedUpTo({ read }: AuditReader): Promise<Order | undefined> {
  const [last] = await read<{ epoch: string; transactionId: string; logPosition: string }>(Prisma.sql`
    /* findSealedUpTo */
    select s.epoch::text as epoch, s.transaction_id::text as "transactionId", s.log_position::text as "logPosition"
    from audit_seals s
    order by s.epoch desc, s.transaction_id desc, s.log_position desc
    limit 1`);
  return last && [BigInt(last.epoch), BigInt(last.transactionId), BigInt(last.logPosition)];
}
