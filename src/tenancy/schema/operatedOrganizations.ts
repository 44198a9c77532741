import { builder } from '../../graphql/builder.ts';
import { encodeGlobalId } from '../../kernel/ids.ts';
import type { OperatedOrganization } from '../commands/readOperatedOrganization.ts';
import { readSubscription } from '../commands/readSubscription.ts';
import { OrderDirection } from './memberships.ts';
import { SubscriptionRef } from './subscriptions.ts';

/** How an organization stands, once whether it was deleted is looked at as well. */
export const OrganizationStatus = builder.enumType('OrganizationStatus', {
  description: 'How an organization stands.',
  values: {
    ACTIVE: { description: 'Open.' },
    SUSPENDED: { description: 'Closed by an operator: to its members, and to whoever would begin to pay.' },
    DELETED: { description: 'Deleted, whether or not it was suspended before.' },
  } as const,
});

/** An organization as an operator sees it. */
export const OperatedOrganizationRef = builder.objectRef<OperatedOrganization>('OperatedOrganization').implement({
  description:
    'An organization as an operator sees it: what it is called, how it stands and what it may have, and nothing of what is in it.',
  fields: (t) => ({
    id: t.id({ description: 'Its global id.', resolve: ({ id }) => encodeGlobalId('Organization', id) }),
    name: t.exposeString('name', { description: 'How it is called.' }),
    slug: t.exposeString('slug', { description: 'Its name in addresses; unique.' }),
    status: t.field({
      type: OrganizationStatus,
      description: 'How it stands.',
      resolve: ({ status, deletedAt }) => (deletedAt === null ? status : 'DELETED'),
    }),
    subscription: t.field({
      type: SubscriptionRef,
      description: 'What it may have, and how much of it it has.',
      resolve: async ({ id: organizationId }, _args, context) => {
        const found = await readSubscription(context, { organizationId, asOperator: true });
        if (!found) throw new Error('An organization that was listed is gone.');
        return found;
      },
    }),
    contactEmail: t.exposeString('contactEmail', { nullable: true, description: 'Where it can be written to.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was founded.' }),
    deletedAt: t.expose('deletedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was deleted; null while it was not.',
    }),
  }),
});

/** A page of them. */
export const OperatedOrganizationConnection = builder.connectionObject(
  { type: OperatedOrganizationRef, name: 'OperatedOrganizationConnection', description: 'A page of organizations.' },
  { name: 'OperatedOrganizationEdge', description: 'One organization of a page.' },
);

/** Which of them are looked for. */
export const OperatedOrganizationFilter = builder.inputType('OperatedOrganizationFilter', {
  description: 'Which organizations are looked for; what is absent does not narrow it down.',
  fields: (t) => ({
    status: t.field({ type: OrganizationStatus, description: 'Only those that stand so.' }),
    tier: t.string({ description: 'Only those that have this tier now, be it their own or the installation’s.' }),
    text: t.string({ description: 'Only those with this in their name or slug, whatever its case.' }),
    createdFrom: t.field({ type: 'DateTime', description: 'Only those founded then or later.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Only those founded before that.' }),
  }),
});

const OrganizationOrderField = builder.enumType('OrganizationOrderField', {
  description: 'What organizations can be ordered by.',
  values: {
    NAME: { description: 'Its name, whatever its case.' },
    CREATED: { description: 'When it was founded.' },
  } as const,
});

/** In which order they are listed. */
export const OrganizationOrder = builder.inputType('OrganizationOrder', {
  description: 'In which order organizations are listed.',
  fields: (t) => ({
    field: t.field({ type: OrganizationOrderField, required: true, description: 'By what.' }),
    direction: t.field({ type: OrderDirection, required: true, description: 'Which end comes first.' }),
  }),
});
