import { builder } from '../../graphql/builder.ts';
import { ViewerRef } from '../../identity/schema/viewer.ts';
import { cleanText } from '../../kernel/text.ts';
import { OrderDirection } from './memberships.ts';
import { OrganizationStatus } from './operatedOrganizations.ts';
import { MembershipRef, MembershipRole } from './organizations.ts';

const OwnMembershipFilter = builder.inputType('OwnMembershipFilter', {
  description: 'Which of one’s own memberships are wanted: those that all of it is true of.',
  fields: (t) => ({
    role: t.field({ type: MembershipRole, description: 'With this role.' }),
    organizationStatus: t.field({ type: OrganizationStatus, description: 'Of organizations that stand so.' }),
    text: t.string({ description: 'Of organizations with this in their name or slug, whatever its case.' }),
  }),
});

const OwnMembershipOrderField = builder.enumType('OwnMembershipOrderField', {
  description: 'What one’s own memberships can be ordered by.',
  values: {
    NAME: { description: 'The organization’s name.' },
    CREATED: { description: 'When the membership was made.' },
    JOINED: { description: 'When the user joined last.' },
  } as const,
});

const OwnMembershipOrder = builder.inputType('OwnMembershipOrder', {
  description: 'In which order one’s own memberships are listed.',
  fields: (t) => ({
    field: t.field({ type: OwnMembershipOrderField, required: true, description: 'By what.' }),
    direction: t.field({ type: OrderDirection, required: true, description: 'Which end comes first.' }),
  }),
});

type Filter = typeof OwnMembershipFilter.$inferInput;
type Order = typeof OwnMembershipOrder.$inferInput;

builder.prismaObjectField(ViewerRef, 'memberships', (t) =>
  t.field({
    type: [MembershipRef],
    description:
      'The organizations that the user belongs to, the first joined first unless it is said otherwise. What has ended is not among them.',
    args: {
      filter: t.arg({ type: OwnMembershipFilter, description: 'Which ones; all when absent.' }),
      orderBy: t.arg({ type: OwnMembershipOrder, description: 'In which order.' }),
    },
    select: ({ filter, orderBy }, _context, nestedSelection) => ({
      user: { select: { memberships: nestedSelection({ where: whereOf(filter ?? {}), orderBy: placesOf(orderBy) }) } },
    }),
    resolve: ({ user }) => user.memberships as never,
  }),
);

function whereOf({ role, organizationStatus, text }: Filter): object {
  // what stands for any sign in a pattern stands for itself here
  const words = text?.trim() ? cleanText(text, 'text', { max: 100 }).replaceAll(/[\\%_]/g, '\\$&') : null;
  const organization = {
    // a deleted one is none of its members' any more
    deletedAt: organizationStatus === 'DELETED' ? { not: null } : null,
    ...(organizationStatus && organizationStatus !== 'DELETED' && { status: organizationStatus }),
    ...(words && {
      OR: [{ name: { contains: words, mode: 'insensitive' } }, { slug: { contains: words.toLowerCase() } }],
    }),
  };
  return { status: 'ACTIVE', ...(role && { role }), organization };
}

function placesOf(order: Order | null | undefined): object[] {
  if (!order) return [{ createdAt: 'asc' }, { id: 'asc' }];
  const direction = order.direction === 'ASC' ? 'asc' : 'desc';
  const place = {
    NAME: { organization: { name: direction } },
    CREATED: { createdAt: direction },
    JOINED: { joinedAt: direction },
  }[order.field];
  return [place, { id: direction }];
}
