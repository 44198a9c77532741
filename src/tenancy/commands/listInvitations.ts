import type { Context } from '../../context.ts';
import { Prisma } from '../../database/generated/client.ts';
import { type Page, type PageArguments, pageBounds, pageOf, type SortKey } from '../../graphql/connection.ts';
import type { Role } from '../../kernel/permissions.ts';
import { cleanText } from '../../kernel/text.ts';
import { type InvitationStatus, invitationStatus } from './invitationStatus.ts';

/** Which invitations are wanted; what is absent does not narrow it down. */
export interface InvitationFilter {
  readonly status?: InvitationStatus | null | undefined;
  readonly role?: Role | null | undefined;
  /** A custom role's. */
  readonly roleId?: string | null | undefined;
  /** Stands in the e-mail address or the wallet's, whatever its case. */
  readonly text?: string | null | undefined;
  readonly createdFrom?: Date | null | undefined;
  readonly createdBefore?: Date | null | undefined;
}

/**
 * A page of an organization's invitations, the newest first, as far as the viewer may see them: the ids of one statement
 * with what has become of each, and what was asked for of them.
 * @param input.load reads those of these ids, in any order
 */
export async function listInvitations<Invitation extends { readonly id: string }>(
  { scope }: Pick<Context, 'scope'>,
  input: {
    readonly organizationId: string;
    readonly filter: InvitationFilter;
    readonly page: PageArguments;
    readonly load: (ids: readonly string[]) => Promise<readonly Invitation[]>;
  },
): Promise<Page<Invitation & { readonly status: InvitationStatus }>> {
  const { organizationId, filter, page, load } = input;
  const { after, before, oldestFirst, take } = pageBounds(page);
  const place = Prisma.sql`(i.created_at, i.id)`;
  const conditions = [
    Prisma.sql`i.organization_id = ${organizationId}::uuid`,
    ...conditionsOf(filter),
    ...(after ? [Prisma.sql`${place} < (${after.createdAt}::timestamptz, ${after.id}::uuid)`] : []),
    ...(before ? [Prisma.sql`${place} > (${before.createdAt}::timestamptz, ${before.id}::uuid)`] : []),
  ];
  const direction = oldestFirst ? Prisma.sql`asc` : Prisma.sql`desc`;
  const places = await scope.db.$queryRaw<(SortKey & { readonly status: InvitationStatus })[]>`
    /* listInvitations */
    select i.id, i.created_at as "createdAt", ${invitationStatus()} as status
    from invitations i
    where ${Prisma.join(conditions, ' and ')}
    order by i.created_at ${direction}, i.id ${direction}
    limit ${take}::integer`;
  const { edges, pageInfo } = pageOf(places, page);
  const ids = edges.map(({ node }) => node.id);
  const invitations = new Map(ids.length === 0 ? [] : (await load(ids)).map((each) => [each.id, each]));
  return {
    pageInfo,
    edges: edges.flatMap(({ cursor, node: { id, status } }) => {
      const invitation = invitations.get(id);
      return invitation ? [{ cursor, node: { ...invitation, status } }] : [];
    }),
  };
}

function conditionsOf({ status, role, roleId, text, createdFrom, createdBefore }: InvitationFilter): Prisma.Sql[] {
  const words = text?.trim() ? cleanText(text, 'text', { max: 100 }) : null;
  return [
    ...(status ? [Prisma.sql`${invitationStatus()} = ${status}`] : []),
    ...(role ? [Prisma.sql`i.role = ${role}::membership_role`] : []),
    ...(roleId ? [Prisma.sql`i.role_id = ${roleId}::uuid`] : []),
    ...(words ? [Prisma.sql`strpos(lower(coalesce(i.email, i.address)), lower(${words}::text)) > 0`] : []),
    ...(createdFrom ? [Prisma.sql`i.created_at >= ${createdFrom}::timestamptz`] : []),
    ...(createdBefore ? [Prisma.sql`i.created_at < ${createdBefore}::timestamptz`] : []),
  ];
}
