import type { Context } from '../../context.ts';
import { Prisma } from '../../database/generated/client.ts';
import { type Page, type PageArguments, pageBounds, pageOf, type SortKey } from '../../graphql/connection.ts';
import { cleanText } from '../../kernel/text.ts';
import type { KeyKind } from './createApiKey.ts';
import type { KeyStatus } from './keyStatus.ts';

/** Which keys are wanted; what is absent does not narrow it down. */
export interface KeyFilter {
  readonly kind?: KeyKind | null | undefined;
  readonly status?: KeyStatus | null | undefined;
  /** Stands in the key's name or description, whatever its case. */
  readonly text?: string | null | undefined;
  readonly createdFrom?: Date | null | undefined;
  readonly createdBefore?: Date | null | undefined;
}

const BY_STATUS: Readonly<Record<KeyStatus, Prisma.Sql>> = {
  ACTIVE: Prisma.sql`k.revoked_at is null and k.responsible_id is not null
    and (k.expires_at > clock_timestamp() or k.expires_at is null)`,
  UNCONFIRMED: Prisma.sql`k.revoked_at is null and k.responsible_id is null
    and (k.expires_at > clock_timestamp() or k.expires_at is null)`,
  EXPIRED: Prisma.sql`k.revoked_at is null and k.expires_at <= clock_timestamp()`,
  REVOKED: Prisma.sql`k.revoked_at is not null`,
};

/**
 * A page of an organization's API keys, the newest first, as far as the viewer may see them: the ids of one statement,
 * and what was asked for of them.
 * @param input.load reads those of these ids, in any order
 */
export async function listApiKeys<Key extends { readonly id: string }>(
  { scope }: Pick<Context, 'scope'>,
  input: {
    readonly organizationId: string;
    readonly filter: KeyFilter;
    readonly page: PageArguments;
    readonly load: (ids: readonly string[]) => Promise<readonly Key[]>;
  },
): Promise<Page<Key>> {
  const { organizationId, filter, page, load } = input;
  const { after, before, oldestFirst, take } = pageBounds(page);
  const place = Prisma.sql`(k.created_at, k.id)`;
  const conditions = [
    Prisma.sql`k.organization_id = ${organizationId}::uuid`,
    ...conditionsOf(filter),
    ...(after ? [Prisma.sql`${place} < (${after.createdAt}::timestamptz, ${after.id}::uuid)`] : []),
    ...(before ? [Prisma.sql`${place} > (${before.createdAt}::timestamptz, ${before.id}::uuid)`] : []),
  ];
  const direction = oldestFirst ? Prisma.sql`asc` : Prisma.sql`desc`;
  const places = await scope.db.$queryRaw<SortKey[]>`
    /* listApiKeys */
    select k.id, k.created_at as "createdAt"
    from api_keys k
    where ${Prisma.join(conditions, ' and ')}
    order by k.created_at ${direction}, k.id ${direction}
    limit ${take}::integer`;
  const { edges, pageInfo } = pageOf(places, page);
  const ids = edges.map(({ node }) => node.id);
  const keys = new Map(ids.length === 0 ? [] : (await load(ids)).map((key) => [key.id, key]));
  return {
    pageInfo,
    edges: edges.flatMap(({ cursor, node }) => {
      const key = keys.get(node.id);
      return key ? [{ cursor, node: key }] : [];
    }),
  };
}

function conditionsOf({ kind, status, text, createdFrom, createdBefore }: KeyFilter): Prisma.Sql[] {
  const words = text?.trim() ? cleanText(text, 'text', { max: 100 }) : null;
  return [
    ...(kind ? [Prisma.sql`k.kind = ${kind}::api_key_kind`] : []),
    ...(status ? [BY_STATUS[status]] : []),
    ...(words
      ? [Prisma.sql`strpos(lower(k.name || ' ' || coalesce(k.description, '')), lower(${words}::text)) > 0`]
      : []),
    ...(createdFrom ? [Prisma.sql`k.created_at >= ${createdFrom}::timestamptz`] : []),
    ...(createdBefore ? [Prisma.sql`k.created_at < ${createdBefore}::timestamptz`] : []),
  ];
}
