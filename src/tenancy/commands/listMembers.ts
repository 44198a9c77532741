import type { Context } from '../../context.ts';
import { Prisma } from '../../database/generated/client.ts';
import { type Page, type PageArguments, sizeOf } from '../../graphql/connection.ts';
import type { Role } from '../../kernel/permissions.ts';
import { cleanText } from '../../kernel/text.ts';
import { type MemberOrder, type MemberPlace, readMemberCursor, writeMemberCursor } from '../model.ts';

/** Which members are wanted; what is absent does not narrow it down. */
export interface MemberFilter {
  readonly status?: 'INVITED' | 'ACTIVE' | 'LEFT' | 'REMOVED' | null | undefined;
  readonly role?: Role | null | undefined;
  /** Stands in the member's name, whatever its case. */
  readonly name?: string | null | undefined;
  readonly createdFrom?: Date | null | undefined;
  readonly createdBefore?: Date | null | undefined;
}

/** What each order goes by; nothing of it is null, and a membership's id decides between equals. */
const KEYS = {
  NAME: Prisma.sql`lower(u.display_name) collate "C"`,
  CREATED: Prisma.sql`m.created_at`,
  JOINED: Prisma.sql`coalesce(m.joined_at, m.created_at)`,
} as const satisfies Record<MemberOrder['field'], Prisma.Sql>;

/**
 * A page of an organization's memberships, as far as the viewer may see them: the ids of one statement, and what was
 * asked for of them.
 * @param input.load reads those of these ids, in any order
 */
export async function listMembers<Member extends { readonly id: string }>(
  { scope }: Pick<Context, 'scope'>,
  input: {
    readonly organizationId: string;
    readonly filter: MemberFilter;
    readonly order: MemberOrder;
    readonly page: PageArguments;
    readonly load: (ids: readonly string[]) => Promise<readonly Member[]>;
  },
): Promise<Page<Member>> {
  const { organizationId, filter, order, page, load } = input;
  const size = sizeOf(page);
  const places = await scope.db.$queryRaw<MemberPlace[]>(
    statementOf(organizationId, { filter, order, page, limit: size + 1 }),
  );
  const shown = places.slice(0, size);
  if (page.last != null) shown.reverse();
  const members = new Map(
    shown.length === 0 ? [] : (await load(shown.map(({ id }) => id))).map((each) => [each.id, each]),
  );
  const edges = shown.flatMap((place) => {
    const node = members.get(place.id);
    return node ? [{ cursor: writeMemberCursor(order, place), node }] : [];
  });
  const more = places.length > size;
  return {
    edges,
    pageInfo: {
      hasNextPage: page.last == null ? more : page.before != null,
      hasPreviousPage: page.last == null ? page.after != null : more,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

function statementOf(
  organizationId: string,
  {
    filter,
    order,
    page,
    limit,
  }: {
    readonly filter: MemberFilter;
    readonly order: MemberOrder;
    readonly page: PageArguments;
    readonly limit: number;
  },
): Prisma.Sql {
  const key = KEYS[order.field];
  const falling = (order.direction === 'DESC') !== (page.last != null);
  const direction = falling ? Prisma.sql`desc` : Prisma.sql`asc`;
  const conditions = [
    Prisma.sql`m.organization_id = ${organizationId}::uuid`,
    ...conditionsOf(filter),
    ...(page.after == null ? [] : [beyond(order, page.after, order.direction === 'ASC')]),
    ...(page.before == null ? [] : [beyond(order, page.before, order.direction === 'DESC')]),
  ];
  return Prisma.sql`
    /* listMembers */
    select m.id, m.created_at as "createdAt", coalesce(m.joined_at, m.created_at) as "joinedAt",
      lower(u.display_name) as name
    from memberships m
    join users u on u.id = m.user_id
    where ${Prisma.join(conditions, ' and ')}
    order by ${key} ${direction}, m.id ${direction}
    limit ${limit}::integer`;
}

function beyond(order: MemberOrder, cursor: string, above: boolean): Prisma.Sql {
  const { value, id } = readMemberCursor(order, cursor);
  const type = order.field === 'NAME' ? Prisma.sql`text` : Prisma.sql`timestamptz`;
  const sign = above ? Prisma.sql`>` : Prisma.sql`<`;
  return Prisma.sql`(${KEYS[order.field]}, m.id) ${sign} (${value}::${type}, ${id}::uuid)`;
}

function conditionsOf({ status, role, name, createdFrom, createdBefore }: MemberFilter): Prisma.Sql[] {
  const words = name?.trim() ? cleanText(name, 'name', { max: 100 }) : null;
  return [
    ...(status ? [Prisma.sql`m.status = ${status}::membership_status`] : []),
    ...(role ? [Prisma.sql`m.role = ${role}::membership_role`] : []),
    ...(words ? [Prisma.sql`strpos(lower(u.display_name), lower(${words})) > 0`] : []),
    ...(createdFrom ? [Prisma.sql`m.created_at >= ${createdFrom}::timestamptz`] : []),
    ...(createdBefore ? [Prisma.sql`m.created_at < ${createdBefore}::timestamptz`] : []),
  ];
}
