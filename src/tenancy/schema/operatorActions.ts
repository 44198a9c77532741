import type { OperatorAction } from '../../database/generated/client.ts';
import { builder } from '../../graphql/builder.ts';
import { encodeGlobalId } from '../../kernel/ids.ts';
import { listOperatorActions } from '../commands/listOperatorActions.ts';
import { OrganizationRef } from './organizations.ts';

const OperatorDeedEnum = builder.enumType('OperatorDeed', {
  description: 'What an operator may do to an organization.',
  values: {
    SUSPEND: { description: 'Close it to its members and payers.' },
    RESTORE: { description: 'Open it again.' },
    IMPERSONATE: { description: 'Look into it, for some minutes, without being able to change anything.' },
    SUBSCRIBE: { description: 'Change what it may have.' },
  } as const,
});

/** What an operator set about, as its organization and operators see it. */
export const OperatorActionRef = builder.objectRef<OperatorAction>('OperatorAction').implement({
  description:
    'What an operator of this installation set about in an organization. It is recorded before it is done, so it may have failed then; the event of the same name tells that it was done.',
  fields: (t) => ({
    id: t.id({
      description: 'Names the record; events say it as `actionId`.',
      resolve: ({ id }) => encodeGlobalId('OperatorAction', id),
    }),
    deed: t.expose('deed', { type: OperatorDeedEnum, description: 'What it is.' }),
    organizationId: t.id({
      description: 'The organization’s global id.',
      resolve: ({ organizationId }) => encodeGlobalId('Organization', organizationId),
    }),
    operatorId: t.id({
      description: 'The global id of the operator’s user.',
      resolve: ({ userId }) => encodeGlobalId('User', userId),
    }),
    operatorName: t.exposeString('userName', { description: 'How the operator was called then.' }),
    reason: t.exposeString('reason', { description: 'Why, in the operator’s words.' }),
    requestId: t.exposeString('requestId', { description: 'The request that it was asked in.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When looking into the organization ends at the latest; null for everything else.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was recorded.' }),
  }),
});

/** A page of them. */
export const OperatorActionConnection = builder.connectionObject(
  { type: OperatorActionRef, name: 'OperatorActionConnection', description: 'A page of what operators set about.' },
  { name: 'OperatorActionEdge', description: 'One action of a page.' },
);

builder.prismaObjectField(OrganizationRef, 'operatorActions', (t) =>
  t.connection(
    {
      type: OperatorActionRef,
      description:
        'What operators of this installation set about in the organization, the newest first; empty without the permission `audit:read`.',
      select: { id: true },
      resolve: ({ id: organizationId }, page, context) => listOperatorActions(context, { organizationId, page }),
    },
    OperatorActionConnection,
  ),
);
