import { builder } from '../../graphql/builder.ts';
import { readSubscription, type SubscriptionInForce } from '../commands/readSubscription.ts';
import { OrganizationRef } from './organizations.ts';

/** What an organization may have, as its members and operators see it. */
export const SubscriptionRef = builder.objectRef<SubscriptionInForce>('OrganizationSubscription').implement({
  description:
    'What an organization may have at this moment, and how much of it it has. Whatever it has beyond a limit it keeps; it only gets nothing more.',
  fields: (t) => ({
    tier: t.exposeString('tier', {
      description: 'How it is called; the installation’s own without a subscription, and after one has ended.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the organization’s own subscription ends, or ended; null when it does not end.',
    }),
    isExpired: t.exposeBoolean('isExpired', {
      description: 'Whether it has ended, so that what the installation gives to everybody holds.',
    }),
    maxMembers: t.exposeInt('maxMembers', {
      nullable: true,
      description: 'How many active members it may have; null for any number.',
    }),
    maxLinks: t.exposeInt('maxLinks', {
      nullable: true,
      description: 'How many payment links it may have that are neither archived nor deleted; null for any number.',
    }),
    members: t.exposeInt('members', {
      nullable: true,
      description: 'How many active members it has; null without the permission `members:read`.',
    }),
    links: t.exposeInt('links', {
      nullable: true,
      description:
        'How many payment links it has that are neither archived nor deleted; null without the permission `payment-links:read`.',
    }),
  }),
});

builder.prismaObjectField(OrganizationRef, 'subscription', (t) =>
  t.field({
    type: SubscriptionRef,
    nullable: true,
    description: 'What it may have; null for an organization that the session does not work in.',
    select: { id: true },
    resolve: ({ id: organizationId }, _args, context) =>
      readSubscription(context, { organizationId, asOperator: false }),
  }),
);
