import type { Context } from '../../context.ts';
import { Prisma } from '../../database/generated/client.ts';
import { type Page, type PageArguments, sizeOf } from '../../graphql/connection.ts';
import { type Ordering, pageOfPlaces, readPlace } from '../../graphql/ordering.ts';
import type { Role } from '../../kernel/permissions.ts';
import { cleanText } from '../../kernel/text.ts';

/** Which members are wanted; what is absent does not narrow it down. */
export interface MemberFilter {
  readonly status?: 'INVITED' | 'ACTIVE' | 'LEFT' | 'REMOVED' | null | undefined;
  readonly role?: Role | null | undefined;
  /** A custom role's. */
  readonly roleId?: string | null | undefined;
  /** Stands in the member's name, whatever its case. */
  readonly name?: string | null | undefined;
  readonly createdFrom?: Date | null | undefined;
  readonly createdBefore?: Date | null | undefined;
}

type MemberOrder = Ordering<'NAME' | 'CREATED' | 'JOINED'>;

/** What decides where a membership stands in each order. */
interface MemberPlace {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly joinedAt: Date;
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
  const places = await scope.db.$queryRaw<MemberPlace[]>(
    statementOf(organizationId, { filter, order, page, limit: sizeOf(page) + 1 }),
  );
  const listed = pageOfPlaces(places, {
    order,
    page,
    placeOf: ({ id, name, createdAt, joinedAt }) => ({
      id,
      value: { NAME: name, CREATED: createdAt, JOINED: joinedAt }[order.field],
    }),
  });
  const ids = listed.edges.map(({ node }) => node.id);
  const members = new Map((ids.length === 0 ? [] : await load(ids)).map((each) => [each.id, each]));
  const edges = listed.edges.flatMap(({ cursor, node }) => {
    const member = members.get(node.id);
    return member ? [{ cursor, node: member }] : [];
  });
  return { ...listed, edges };
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
  const { value, id } = readPlace(order, cursor, order.field === 'NAME' ? 'text' : 'moment');
  const type = order.field === 'NAME' ? Prisma.sql`text` : Prisma.sql`timestamptz`;
  const sign = above ? Prisma.sql`>` : Prisma.sql`<`;
  return Prisma.sql`(${KEYS[order.field]}, m.id) ${sign} (${value}::${type}, ${id}::uuid)`;
}

function conditionsOf({ status, role, roleId, name, createdFrom, createdBefore }: MemberFilter): Prisma.Sql[] {
  const words = name?.trim() ? cleanText(name, 'name', { max: 100 }) : null;
  return [
    ...(status ? [Prisma.sql`m.status = ${status}::membership_status`] : []),
    ...(role ? [Prisma.sql`m.role = ${role}::membership_role`] : []),
    ...(roleId ? [Prisma.sql`m.role_id = ${roleId}::uuid`] : []),
    ...(words ? [Prisma.sql`strpos(lower(u.display_name), lower(${words})) > 0`] : []),
    ...(createdFrom ? [Prisma.sql`m.created_at >= ${createdFrom}::timestamptz`] : []),
    ...(createdBefore ? [Prisma.sql`m.created_at < ${createdBefore}::timestamptz`] : []),
  ];
}
