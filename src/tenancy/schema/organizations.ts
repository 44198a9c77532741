import { builder } from '../../graphql/builder.ts';
import { inTenant } from '../../graphql/node.ts';
import { SessionRef } from '../../identity/schema/sessions.ts';
import { ViewerRef } from '../../identity/schema/viewer.ts';

/** What a member may do. */
export const MembershipRole = builder.enumType('MembershipRole', {
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

/** A user's place in an organization. */
export const MembershipRef = builder.prismaNode('Membership', {
  nullable: true,
  description: 'A user’s place in an organization.',
  select: { organizationId: true, id: true },
  id: { resolve: ({ id }) => id },
  findUnique: inTenant,
  fields: (t) => ({
    organization: t.relation('organization', { description: 'The organization.' }),
    role: t.expose('role', { type: MembershipRole, description: 'What the user may do in it.' }),
    joinedAt: t.expose('joinedAt', { type: 'DateTime', nullable: true, description: 'When the user joined it.' }),
  }),
});

builder.prismaObjectFields(ViewerRef, (t) => ({
  organization: t.relation('organization', { description: 'The organization that the session works in.' }),
  role: t.expose('role', { type: MembershipRole, description: 'What the user may do in it.' }),
}));

builder.prismaObjectField(SessionRef, 'organization', (t) =>
  t.relation('organization', {
    nullable: true,
    description: 'The organization that it works in; null when the user is no longer a member there.',
  }),
);

builder.queryField('organization', (t) =>
  t.prismaField({
    type: OrganizationRef,
    nullable: true,
    description: 'The organization that the session works in; null without a session.',
    resolve: (query, _root, _args, { viewer, scope }) =>
      viewer && scope.db.organization.findUnique({ ...query, where: { id: viewer.organizationId } }),
  }),
);
