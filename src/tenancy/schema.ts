import { builder } from '../graphql/builder.ts';
import { ViewerRef } from '../identity/schema.ts';

const MembershipRole = builder.enumType('MembershipRole', {
  description: 'What a member may do in an organization.',
  values: {
    OWNER: { description: 'Everything, owners included.' },
    ADMIN: { description: 'Members and payments.' },
    MEMBER: { description: 'Reads.' },
  } as const,
});

/** The tenant, as its own members see it. */
export const OrganizationRef = builder.prismaNode('Organization', {
  nullable: true,
  description: 'The tenant: everything else belongs to one organization.',
  select: { id: true },
  id: { resolve: ({ id }) => id },
  findUnique: (id) => ({ id }),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'How the organization is called.' }),
    slug: t.exposeString('slug', { description: 'Its name in addresses; unique.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was founded.' }),
  }),
});

builder.prismaObjectFields(ViewerRef, (t) => ({
  organization: t.relation('organization', { description: 'The organization that the session works in.' }),
  role: t.expose('role', { type: MembershipRole, description: 'What the user may do in it.' }),
}));

builder.queryField('organization', (t) =>
  t.prismaField({
    type: OrganizationRef,
    nullable: true,
    description: 'The organization that the session works in; null without a session.',
    resolve: (query, _root, _args, { viewer, scope }) =>
      viewer && scope.db.organization.findUnique({ ...query, where: { id: viewer.organizationId } }),
  }),
);
