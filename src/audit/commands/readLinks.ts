import { Prisma } from '../../database/generated/client.ts';
import type { AuditReader, Link } from '../model.ts';

interface Row extends Omit<Link, 'position' | 'order' | 'words'> {
  readonly position: string;
  readonly order: string;
  readonly words: string | null;
}

/** Reads the next links of an organization's chain, from this position on. */
export async function readLinks(
  { read }: AuditReader,
  { organizationId, from, limit }: { readonly organizationId: string; readonly from: bigint; readonly limit: number },
): Promise<Link[]> {
  const rows = await read<Row>(Prisma.sql`
    /* readLinks */
    select
      s.position::text as position,
      s.id::text as "entryId",
      encode(s.hash, 'hex') as hash,
      json_build_array(s.epoch::text, s.transaction_id::text, s.log_position::text)::text as "order",
      case
        when e.id is not null then json_build_array(
          e.epoch::text, e.transaction_id::text, e.log_position::text,
          to_char(e.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          e.role, e.user_id::text, e.session_id::text, e.request_id, e.table_name, e.row_id::text, e.verb
        )::text
      end as words,
      e.before::text as before,
      e.after::text as after,
      e.key_id::text as "keyId"
    from audit_seals s
    left join audit_entries e on e.organization_id = s.organization_id and e.id = s.id
    where s.organization_id = ${organizationId}::uuid and s.position >= ${String(from)}::bigint
    order by s.position
    limit ${limit}::integer`);
  return rows.map((row) => {
    const [epoch = '', transactionId = '', logPosition = ''] = JSON.parse(row.order) as string[];
    return {
      ...row,
      position: BigInt(row.position),
      order: [BigInt(epoch), BigInt(transactionId), BigInt(logPosition)],
      words: row.words === null ? null : (JSON.parse(row.words) as (string | null)[]),
    };
  });
}
