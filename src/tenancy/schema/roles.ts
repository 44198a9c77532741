import { builder } from '../../graphql/builder.ts';
import { pageOf, pageQuery, SORT_KEY } from '../../graphql/connection.ts';
import { inTenant } from '../../graphql/node.ts';
import { ViewerRef } from '../../identity/schema/viewer.ts';
import { decodeGlobalId } from '../../kernel/ids.ts';
import { permissionsOf, ROLES, type Role } from '../../kernel/permissions.ts';
import { InvitationRef } from './invitations.ts';
import { MembershipRef, MembershipRole, OrganizationRef } from './organizations.ts';

/** A custom role, as members of the organization see it. */
export const RoleRef = builder.prismaNode('Role', {
  nullable: true,
  description: 'A set of permissions that the organization has named: whoever has it may do those and nothing else.',
  select: { organizationId: true, id: true },
  id: { resolve: ({ id }) => id },
  findUnique: inTenant,
  fields: (t) => ({
    name: t.exposeString('name', { description: 'How it is called; once in the organization, whatever its case.' }),
    description: t.exposeString('description', { nullable: true, description: 'What there is to say of it.' }),
    permissions: t.exposeStringList('permissions', {
      description: 'What whoever has it may do, such as `payments:read`, in the order of docs/permissions.md.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was changed last.' }),
  }),
});

const BuiltInRoleRef = builder.objectRef<Role>('BuiltInRole').implement({
  description: 'A role that every organization has, and nobody changes.',
  fields: (t) => ({
    role: t.field({ type: MembershipRole, description: 'Which one.', resolve: (role) => role }),
    permissions: t.stringList({
      description: 'What whoever has it may do; an owner may do all that there is.',
      resolve: (role) => [...permissionsOf(role)],
    }),
  }),
});

const RoleConnection = builder.connectionObject(
  { type: RoleRef, name: 'RoleConnection', description: 'A page of custom roles.' },
  { name: 'RoleEdge', description: 'One custom role of a page.' },
);

builder.prismaObjectField(OrganizationRef, 'roles', (t) =>
  t.connection(
    {
      type: RoleRef,
      description:
        'The organization’s custom roles, the newest first: fifty at most. Without the permission `members:read` one’s own alone.',
      select: (args, _context, nestedSelection) => ({
        roles: { ...pageQuery(args), ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object) },
      }),
      resolve: ({ roles }, args) => pageOf(roles as never, args) as never,
    },
    RoleConnection,
  ),
);

builder.prismaObjectField(OrganizationRef, 'builtInRoles', (t) =>
  t.field({
    type: [BuiltInRoleRef],
    description: 'The roles that every organization has, the highest first, with what they may do.',
    resolve: () => ROLES,
  }),
);

builder.prismaObjectField(MembershipRef, 'customRole', (t) =>
  t.relation('customRole', {
    nullable: true,
    description:
      'The custom role that says what the user may do, instead of `role`; null for none, in another organization than the session’s, and for somebody else’s without the permission `members:read`.',
  }),
);

builder.prismaObjectField(InvitationRef, 'customRole', (t) =>
  t.relation('customRole', {
    nullable: true,
    description: 'The custom role that they will have, instead of what `role` says; null for none.',
  }),
);

builder.prismaObjectFields(ViewerRef, (t) => ({
  customRole: t.relation('customRole', {
    nullable: true,
    description: 'The custom role that says what the user may do, instead of `role`; null for none.',
  }),
  permissions: t.stringList({
    description: 'What the user may do in the organization that the session works in, at this moment.',
    select: { role: true, customRole: { select: { permissions: true } } },
    resolve: ({ role, customRole }) => customRole?.permissions ?? [...permissionsOf(role)],
  }),
}));

/** The id that a global id of a custom role stands for; what names none is answered as one that there is not. */
export function roleIn(globalId: string): string {
  const named = decodeGlobalId(globalId);
  return named?.type === 'Role' ? named.id : NO_ID;
}

/** No row has it: ids are made from the time and from chance. */
const NO_ID = '00000000-0000-0000-0000-000000000000';
