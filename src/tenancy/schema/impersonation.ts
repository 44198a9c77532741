import type { OperatorAction } from '../../database/generated/client.ts';
import { builder } from '../../graphql/builder.ts';
import { inTenant } from '../../graphql/node.ts';
import { OperatorActionRef } from './operatorActions.ts';
import { OrganizationRef } from './organizations.ts';

const ImpersonationRef = builder.objectRef<OperatorAction>('Impersonation').implement({
  description: 'That it is an operator who asks, and looks into an organization that is not theirs.',
  fields: (t) => ({
    action: t.field({
      type: OperatorActionRef,
      description: 'The record of it: who it is, why, and until when.',
      resolve: (action) => action,
    }),
    organization: t.prismaField({
      type: OrganizationRef,
      description: 'The organization that is looked into.',
      resolve: (query, { organizationId }, _args, { scope }) =>
        scope.db.organization.findUniqueOrThrow({ ...query, where: { id: organizationId } }),
    }),
  }),
});

builder.queryField('impersonation', (t) =>
  t.field({
    type: ImpersonationRef,
    nullable: true,
    description: 'Who looks in, when it is an operator who asks; null for everybody else. The operator is no `viewer`.',
    resolve: (_root, _args, context) => {
      const { viewer, scope } = context;
      if (!viewer?.impersonates) return null;
      return scope.db.operatorAction.findUniqueOrThrow({ where: inTenant(viewer.sessionId, context) });
    },
  }),
);
