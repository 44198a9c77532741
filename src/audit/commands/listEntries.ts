import type { Context } from '../../context.ts';
import { keepExact } from '../../database/exactJson.ts';
import { Prisma } from '../../database/generated/client.ts';
import type { PageBounds } from '../../graphql/connection.ts';
import { kernelErrors } from '../../kernel/errors.ts';

/** One entry, with its seal and the user that it names, as far as the viewer may see them. */
export interface AuditEntry {
  readonly id: string;
  readonly createdAt: Date;
  readonly role: string;
  readonly userId: string | null;
  readonly user: ShownUser | null;
  readonly sessionId: string | null;
  readonly keyId: string | null;
  readonly requestId: string | null;
  readonly tableName: string;
  readonly rowId: string;
  readonly verb: 'INSERT' | 'UPDATE' | 'DELETE';
  readonly before: object | null;
  readonly after: object | null;
  readonly seal: AuditSeal | null;
}

/** What a member is shown of a user. */
interface ShownUser {
  readonly id: string;
  readonly displayName: string;
  readonly avatarUrl: string | null;
}

/** An entry's place in the chain. */
export interface AuditSeal {
  readonly position: bigint;
  readonly hash: string;
  readonly createdAt: Date;
}

/** Which entries are wanted; what is absent does not matter. */
export interface EntryFilter {
  readonly id?: string | undefined;
  readonly table?: string | null | undefined;
  readonly rowId?: string | undefined;
  readonly verb?: AuditEntry['verb'] | null | undefined;
  readonly userId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly requestId?: string | null | undefined;
  readonly from?: Date | null | undefined;
  readonly to?: Date | null | undefined;
}

type Row = Omit<AuditEntry, 'before' | 'after' | 'seal' | 'user'> & {
  readonly before: string | null;
  readonly after: string | null;
  readonly shownId: string | null;
  readonly displayName: string | null;
  readonly avatarUrl: string | null;
  readonly position: bigint | null;
  readonly hash: string | null;
  readonly sealedAt: Date | null;
};

/**
 * The viewer's organization's entries, the newest first: one statement.
 * @param input.silent whether whoever may read none finds none, and no error
 * @throws FORBIDDEN, UNAUTHENTICATED
 */
export async function listEntries(
  { scope, viewer }: Context,
  {
    bounds,
    filter,
    silent = false,
  }: { readonly bounds: PageBounds; readonly filter: EntryFilter; readonly silent?: boolean },
): Promise<AuditEntry[]> {
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const direction = bounds.oldestFirst ? Prisma.sql`asc` : Prisma.sql`desc`;
  const rows = await scope.db.$queryRaw<Row[]>(Prisma.sql`
    /* listEntries */
    select
      e.id, e.created_at as "createdAt", e.role, e.user_id as "userId", e.session_id as "sessionId",
      e.key_id as "keyId", e.request_id as "requestId", e.table_name as "tableName", e.row_id as "rowId", e.verb,
      e.before::text as before, e.after::text as after,
      u.id as "shownId", u.display_name as "displayName", u.avatar_url as "avatarUrl",
      s.position, encode(s.hash, 'hex') as hash, s.created_at as "sealedAt"
    from audit_entries e
    left join audit_seals s on s.organization_id = e.organization_id and s.id = e.id
    left join users named on named.id = e.user_id
    -- whoever was merged has become another
    left join users u on u.id = coalesce(named.merged_into_id, named.id)
    where ${Prisma.join(conditionsOf(viewer.organizationId, bounds, filter), ' and ')}
    order by e.created_at ${direction}, e.id ${direction}
    limit ${bounds.take}::integer`);
  // What may not be read looks like nothing at all, so whoever finds nothing is told when that is why.
  if (rows.length === 0 && !silent) {
    const [may] = await scope.db.$queryRaw<{ permitted: boolean }[]>`
      /* mayReadAudit */
      select has_permission('audit:read') as permitted`;
    if (!may?.permitted) throw kernelErrors.FORBIDDEN({ permission: 'audit:read' });
  }
  return rows.map(entryOf);
}

function conditionsOf(organizationId: string, { after, before }: PageBounds, filter: EntryFilter): Prisma.Sql[] {
  const place = Prisma.sql`(e.created_at, e.id)`;
  const wanted = [
    after && Prisma.sql`${place} < (${after.createdAt}::timestamptz, ${after.id}::uuid)`,
    before && Prisma.sql`${place} > (${before.createdAt}::timestamptz, ${before.id}::uuid)`,
    filter.id && Prisma.sql`e.id = ${filter.id}::uuid`,
    filter.table != null && Prisma.sql`e.table_name = ${filter.table}`,
    filter.rowId && Prisma.sql`e.row_id = ${filter.rowId}::uuid`,
    filter.verb && Prisma.sql`e.verb = ${filter.verb}`,
    filter.userId && Prisma.sql`e.user_id = ${filter.userId}::uuid`,
    filter.keyId && Prisma.sql`e.key_id = ${filter.keyId}::uuid`,
    filter.requestId != null && Prisma.sql`e.request_id = ${filter.requestId}`,
    filter.from && Prisma.sql`e.created_at >= ${filter.from}::timestamptz`,
    filter.to && Prisma.sql`e.created_at < ${filter.to}::timestamptz`,
  ];
  return [
    Prisma.sql`e.organization_id = ${organizationId}::uuid`,
    ...wanted.filter((each) => each instanceof Prisma.Sql),
  ];
}

function entryOf({
  before,
  after,
  shownId,
  displayName,
  avatarUrl,
  position,
  hash,
  sealedAt,
  ...row
}: Row): AuditEntry {
  return {
    ...row,
    before: exactly(before),
    after: exactly(after),
    user: shownId !== null && displayName !== null ? { id: shownId, displayName, avatarUrl } : null,
    seal: position !== null && hash !== null && sealedAt ? { position, hash, createdAt: sealedAt } : null,
  };
}

/** No number of JavaScript holds an amount of 256 bits. */
function exactly(json: string | null): object | null {
  return json === null ? null : (JSON.parse(keepExact(json)) as object);
}
