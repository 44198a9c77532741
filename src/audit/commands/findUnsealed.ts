import { Prisma } from '../../database/generated/client.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import type { AuditReader, Order, Unsealed } from '../model.ts';

/** How many entries that are not sealed yet are counted. */
const MOST_COUNTED = 1_000;

interface Row {
  readonly permitted: boolean;
  readonly stray: string | null;
  readonly unsealed: number;
}

const key = ([epoch, transactionId, logPosition]: Order): Prisma.Sql =>
  Prisma.sql`(${String(epoch)}::integer, ${String(transactionId)}::text::xid8, ${String(logPosition)}::bigint)`;

/**
 * Looks for entries without a seal: the first where everything should have one, and how many wait for theirs.
 * @param input.after where the chain was sound up to
 * @param input.upTo how far everything has to be sealed
 * @param input.open whether what is beyond that is to be counted; a thousand at most
 * @throws FORBIDDEN
 */
export async function findUnsealed(
  { read }: AuditReader,
  input: { readonly organizationId: string; readonly after: Order; readonly upTo: Order; readonly open: boolean },
): Promise<{ readonly stray: Unsealed | null; readonly waiting: number }> {
  const place = Prisma.sql`(e.epoch, e.transaction_id, e.log_position)`;
  const [found] = await read<Row>(Prisma.sql`
    /* findUnsealed */
    select
      current_user = 'tollhouse_auditor' or has_permission('audit:read') as permitted,
      (
        select json_build_array(e.id, e.epoch::text, e.transaction_id::text, e.log_position::text)::text
        from audit_entries e
        where e.organization_id = ${input.organizationId}::uuid
          and ${place} > ${key(input.after)}
          and ${place} <= ${key(input.upTo)}
          and not exists (select from audit_seals s where s.organization_id = e.organization_id and s.id = e.id)
        order by e.epoch, e.transaction_id, e.log_position
        limit 1
      ) as stray,
      (
        select count(*)::integer
        from (
          select
          from audit_entries e
          where e.organization_id = ${input.organizationId}::uuid and ${place} > ${key(input.upTo)}
          limit ${input.open ? MOST_COUNTED : 0}::integer
        ) as beyond
      ) as unsealed`);
  if (!found?.permitted) throw kernelErrors.FORBIDDEN({ permission: 'audit:read' });
  if (found.stray === null) return { stray: null, waiting: found.unsealed };
  const [entryId = '', epoch = '', transactionId = '', logPosition = ''] = JSON.parse(found.stray) as string[];
  const order: Order = [BigInt(epoch), BigInt(transactionId), BigInt(logPosition)];
  return { stray: { entryId, order }, waiting: found.unsealed };
}
