import { Prisma } from '../../database/generated/client.ts';
import type { AuditReader } from '../model.ts';

/** An organization whose rows were changed. */
export interface Chain {
  readonly organizationId: string;
  /** Null when the organization itself is gone. */
  readonly slug: string | null;
}

/**
 * The organizations that have entries or seals, one after another.
 * @param input.organization only the one of this slug or UUID
 */
export async function* findChains(
  { read }: AuditReader,
  { organization }: { readonly organization?: string | undefined },
): AsyncGenerator<Chain> {
  for (let after = FIRST; ; ) {
    const [next] = await read<Chain>(Prisma.sql`
      /* findChains */
      select found.id as "organizationId", o.slug
      from (
        select least(
          (select organization_id from audit_entries where organization_id > ${after}::uuid order by 1 limit 1),
          (select organization_id from audit_seals where organization_id > ${after}::uuid order by 1 limit 1)
        ) as id
      ) as found
      left join organizations o on o.id = found.id
      where found.id is not null`);
    if (!next) return;
    after = next.organizationId;
    if (organization === undefined || organization === next.slug || organization === after) yield next;
  }
}

const FIRST = '00000000-0000-0000-0000-000000000000';
