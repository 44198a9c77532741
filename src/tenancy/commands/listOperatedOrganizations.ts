import type { Context } from '../../context.ts';
import { Prisma } from '../../database/generated/client.ts';
import { type Page, type PageArguments, sizeOf } from '../../graphql/connection.ts';
import { type Ordering, pageOfPlaces, readPlace } from '../../graphql/ordering.ts';
import { cleanText } from '../../kernel/text.ts';
import type { OperatedOrganization } from './readOperatedOrganization.ts';

/** Which organizations an operator looks for; what is absent does not narrow it down. */
export interface OrganizationFilter {
  readonly status?: 'ACTIVE' | 'SUSPENDED' | 'DELETED' | null | undefined;
  /** The one that it has at this moment. */
  readonly tier?: string | null | undefined;
  /** Stands in the name or the slug, whatever its case. */
  readonly text?: string | null | undefined;
  readonly createdFrom?: Date | null | undefined;
  readonly createdBefore?: Date | null | undefined;
}

type OrganizationOrder = Ordering<'NAME' | 'CREATED'>;

/** What each order goes by; an organization's id decides between equals. */
const KEYS = {
  NAME: Prisma.sql`lower(o.name) collate "C"`,
  CREATED: Prisma.sql`o.created_at`,
} as const satisfies Record<OrganizationOrder['field'], Prisma.Sql>;

/** All organizations there are, as an operator sees them; deleted ones too. */
export async function listOperatedOrganizations(
  context: Context,
  input: {
    readonly filter: OrganizationFilter;
    readonly order: OrganizationOrder;
    readonly page: PageArguments;
  },
): Promise<Page<OperatedOrganization>> {
  const { order, page } = input;
  const rows = await context
    .operatorScope()
    .db.$queryRaw<(OperatedOrganization & { readonly lowered: string })[]>(statementOf(input));
  return pageOfPlaces(rows, {
    order,
    page,
    placeOf: ({ id, lowered, createdAt }) => ({ id, value: { NAME: lowered, CREATED: createdAt }[order.field] }),
  });
}

function statementOf({ filter, order, page }: Parameters<typeof listOperatedOrganizations>[1]): Prisma.Sql {
  const key = KEYS[order.field];
  const falling = (order.direction === 'DESC') !== (page.last != null);
  const direction = falling ? Prisma.sql`desc` : Prisma.sql`asc`;
  const conditions = [
    Prisma.sql`true`,
    ...conditionsOf(filter),
    ...(page.after == null ? [] : [beyond(order, page.after, order.direction === 'ASC')]),
    ...(page.before == null ? [] : [beyond(order, page.before, order.direction === 'DESC')]),
  ];
  return Prisma.sql`
    /* listOperatedOrganizations */
    select o.id, o.name, o.slug, o.status::text as status, o.contact_email as "contactEmail",
      o.deleted_at as "deletedAt", o.created_at as "createdAt", lower(o.name) as lowered
    from organizations o
    where ${Prisma.join(conditions, ' and ')}
    order by ${key} ${direction}, o.id ${direction}
    limit ${sizeOf(page) + 1}::integer`;
}

function beyond(order: OrganizationOrder, cursor: string, above: boolean): Prisma.Sql {
  const { value, id } = readPlace(order, cursor, order.field === 'NAME' ? 'text' : 'moment');
  const type = order.field === 'NAME' ? Prisma.sql`text` : Prisma.sql`timestamptz`;
  const sign = above ? Prisma.sql`>` : Prisma.sql`<`;
  return Prisma.sql`(${KEYS[order.field]}, o.id) ${sign} (${value}::${type}, ${id}::uuid)`;
}

function conditionsOf({ status, tier, text, createdFrom, createdBefore }: OrganizationFilter): Prisma.Sql[] {
  const words = text?.trim() ? cleanText(text, 'text', { max: 100 }) : null;
  const name = tier?.trim() ? cleanText(tier, 'tier', { max: 40 }) : null;
  return [
    ...(status === 'DELETED' ? [Prisma.sql`o.deleted_at is not null`] : []),
    ...(status && status !== 'DELETED'
      ? [Prisma.sql`o.deleted_at is null and o.status = ${status}::organization_status`]
      : []),
    ...(name ? [Prisma.sql`exists (select from subscription_of(o.id) s where s.tier = ${name})`] : []),
    ...(words ? [Prisma.sql`(strpos(lower(o.name), lower(${words})) > 0 or strpos(o.slug, lower(${words})) > 0)`] : []),
    ...(createdFrom ? [Prisma.sql`o.created_at >= ${createdFrom}::timestamptz`] : []),
    ...(createdBefore ? [Prisma.sql`o.created_at < ${createdBefore}::timestamptz`] : []),
  ];
}
