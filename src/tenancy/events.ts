import type { NewEvent } from '../events/commands/appendEvent.ts';

/** An organization began to exist, with its first owner. */
export function organizationCreated(fact: {
  readonly organizationId: string;
  readonly ownerId: string;
  readonly name: string;
}): NewEvent {
  return {
    type: 'organization.created',
    organizationId: fact.organizationId,
    aggregate: { type: 'organization', id: fact.organizationId, version: 1 },
    actor: `user:${fact.ownerId}`,
    tags: [`organization:${fact.organizationId}`, `user:${fact.ownerId}`],
    data: { name: fact.name },
  };
}

/** A user became a member. */
export function memberAdded(fact: {
  readonly organizationId: string;
  readonly membershipId: string;
  readonly userId: string;
  readonly role: string;
  readonly addedById: string;
}): NewEvent {
  return {
    type: 'membership.added',
    organizationId: fact.organizationId,
    aggregate: { type: 'membership', id: fact.membershipId, version: 1 },
    actor: `user:${fact.addedById}`,
    tags: [`membership:${fact.membershipId}`, `user:${fact.userId}`],
    data: { role: fact.role },
  };
}
