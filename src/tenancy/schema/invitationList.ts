import { queryFromInfo } from '@pothos/plugin-prisma';
import type { Context } from '../../context.ts';
import { builder } from '../../graphql/builder.ts';
import { listInvitations } from '../commands/listInvitations.ts';
import { InvitationRef, InvitationStatus } from './invitations.ts';
import { MembershipRole, OrganizationRef } from './organizations.ts';
import { roleIn } from './roles.ts';

const InvitationConnection = builder.connectionObject(
  { type: InvitationRef, name: 'InvitationConnection', description: 'A page of invitations.' },
  { name: 'InvitationEdge', description: 'One invitation of a page.' },
);

const InvitationFilter = builder.inputType('InvitationFilter', {
  description: 'Which invitations are wanted: those that all of it is true of.',
  fields: (t) => ({
    status: t.field({ type: InvitationStatus, description: 'Of which this has become.' }),
    role: t.field({ type: MembershipRole, description: 'To this role; a custom one is given to a MEMBER.' }),
    roleId: t.id({ description: 'To this custom role, by its global id.' }),
    text: t.string({ description: 'With this in the e-mail address, or in the wallet’s, whatever its case.' }),
    createdFrom: t.field({ type: 'DateTime', description: 'Made then or later.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Made before.' }),
  }),
});

type FindInvitations = Parameters<Context['scope']['db']['invitation']['findMany']>[0];

builder.prismaObjectField(OrganizationRef, 'invitations', (t) =>
  t.connection(
    {
      type: InvitationRef,
      description:
        'The organization’s invitations, the newest first, those that wait no more too; empty without the permission `members:read`.',
      args: { filter: t.arg({ type: InvitationFilter, description: 'Which ones; all when absent.' }) },
      resolve: ({ id: organizationId }, { filter, ...page }, context, info) => {
        const query: object = queryFromInfo({ context, info, typeName: 'Invitation', path: ['edges', 'node'] });
        return listInvitations(context, {
          organizationId,
          filter: { ...filter, roleId: filter?.roleId == null ? null : roleIn(filter.roleId) },
          page,
          load: (ids) =>
            context.scope.db.invitation.findMany({
              ...query,
              where: { organizationId, id: { in: [...ids] } },
            } as FindInvitations),
        }) as never;
      },
    },
    InvitationConnection,
  ),
);
